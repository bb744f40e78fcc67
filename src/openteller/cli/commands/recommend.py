"""`teller recommend`: offers for a customer and why not, training and evaluation, batches, campaigns and experiments."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from openteller.assembly import Application
from openteller.cli.actions import actions_of, command_parser
from openteller.cli.offer_page import offer_sections, page
from openteller.cli.progress import console_progress
from openteller.cli.registered import actor, opened
from openteller.cli.tables import table
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput
from openteller.core.records import Principal, Role
from openteller.customers.records import Purpose
from openteller.recommendation.experiments import daily_looks, judged
from openteller.recommendation.records import Campaign
from openteller.recommendation.repository import (
    CampaignRepository,
    CustomerFileReader,
    ExperimentRepository,
    ImpressionRepository,
    possessions,
)
from openteller.settings import Settings, load

_EXAMPLES = """\
examples:
  teller recommend C000001
  teller recommend C000001 --why-not FUND-INDEX --language en
  teller recommend train --reason "offers of the autumn"
  teller recommend evaluate --json
  teller recommend evaluate --output offers-report
  teller recommend batch --all --output offers.jsonl
  teller recommend campaign TD-CNY --budget 5000 --until 2026-12-31
  teller recommend experiment start ranking --arm rules=0.5 --arm model=0.5
  teller recommend experiment show ranking

What was trained is a candidate of the registry: teller models promote offers@candidate --reason "…" lets it serve.
"""
_SELF = Principal(subject="cli", role=Role.SERVICE)
_OFFERS: tuple[Purpose, ...] = ("personalisation", "marketing")
_Action = Callable[[argparse.Namespace, Settings], int]


def recommend(arguments: list[str]) -> int:
    """Offers that suit a customer, each with its reason; and all that goes with making them."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    parser = command_parser("recommend", recommend.__doc__, _EXAMPLES)
    if first in ("train", "evaluate", "batch", "campaign", "experiment"):
        _actions(parser)
    else:
        _customer(parser)
    given = parser.parse_args(arguments)
    action: _Action = given.run
    return action(given, load())


def _customer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "customer", metavar="CUSTOMER", help="a customer; or train, evaluate, batch, campaign, experiment (--help each)"
    )
    parser.add_argument("--why-not", metavar="PRODUCT", help="why this product is not among the offers")
    parser.add_argument("--language", choices=["zh", "en"], default="zh", help="of names and reasons")
    parser.add_argument("--limit", type=int, default=3, choices=range(1, 21), metavar="1-20")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_offers)


def _actions(parser: argparse.ArgumentParser) -> None:
    action = actions_of(parser)
    training = action("train", _train, "learn from what became of offers; registers a candidate (extra: recommend)")
    training.add_argument("--reason", default="", help="why it is trained")
    evaluating = action(
        "evaluate", _evaluate, "how good offers are, by time, by group and off-policy (extra: recommend)"
    )
    evaluating.add_argument("--output", type=Path, metavar="FOLDER", help="write report.html and report.json there")
    batch = action("batch", _batch, "offers for every customer who agreed to them, as JSONL")
    batch.add_argument("--all", action="store_true", required=True, help="every customer")
    batch.add_argument("--output", type=Path, help="default: standard output")
    batch.add_argument("--limit", type=int, default=3, choices=range(1, 21), metavar="1-20")
    batch.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes; default: one a core"
    )
    batch.add_argument(
        "--profiles", action="store_true", help="use derived tags and life events too, as for one customer; slower"
    )
    batch.add_argument("--ray", metavar="ADDRESS", help="on this Ray cluster, or local (extra: scale)")
    campaign = action("campaign", _campaign, "how often a product may be offered; without --budget, all campaigns")
    campaign.add_argument("product", nargs="?", metavar="PRODUCT")
    campaign.add_argument("--budget", type=int, help="offers")
    campaign.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="first day; default: today")
    campaign.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="last day; default: open")
    experiment = action("experiment", _experiment, "compare ways: the arm called rules is served without the model")
    experiment.add_argument("verb", choices=["start", "end", "show"])
    experiment.add_argument("name")
    experiment.add_argument("--arm", action="append", default=[], metavar="NAME=SHARE", help="the first is the control")


def _offers(given: argparse.Namespace, settings: Settings) -> int:
    with _application(settings) as (application, today):
        whose = application.acting_for(_SELF, given.customer)
        if given.why_not:
            answer = application.offers.why_not(whose, given.why_not, given.language, today)
            print(answer.model_dump_json(indent=2) if given.json else f"{answer.name}: {answer.reason}")
            return 0
        offers = application.offers.unasked(whose, given.language, today, given.limit)
    if given.json:
        _print_json([offer.model_dump(mode="json") for offer in offers])
    elif not offers:
        print("Nothing is offered: teller recommend CUSTOMER --why-not PRODUCT says why.")
    else:
        print(table(("product", "name", "score", "why"), [(o.product_id, o.name, f"{o.score:.2f}", o.reason) for o in offers]), end="")  # fmt: skip
    return 0


def _train(given: argparse.Namespace, settings: Settings) -> int:
    from openteller.recommendation import learning
    from openteller.recommendation.interactions import Interactions
    from openteller.recommendation.offer_model import SLOT, TASK, text_of
    from openteller.registry.manifest import Manifest, write_manifest

    with opened(settings) as (application, registry), TemporaryDirectory() as folder:
        with application.database.session(_SELF) as session:
            logged = list(ImpressionRepository().logged(session))
            shelf = application.shelf().products
            owned = Interactions.of(possessions(session), sorted(shelf))
        vectors = application.embedded([text_of(shelf[product]) for product in owned.products])
        model, report = learning.learn(logged, owned, SLOT, vectors)
        model.save(Path(folder))
        figures = {"auc": report.model_auc.value, "rules_auc": report.rules_auc.value}
        manifest = Manifest(
            name=SLOT, task=TASK, base="none", created_at=utc_now(), licence="the bank's own",
            data=(f"{report.impressions} impressions, {report.opened} opened; possessions of {len(owned.customers)} customers",),
            metrics=figures | {"calibration_error": report.calibration_error}, labels={"opened": ("no", "yes")},
            settings=model.settings(),
        )  # fmt: skip
        write_manifest(Path(folder), manifest)
        version = registry.register(Path(folder), actor=actor(), reason=given.reason, name=SLOT)
    if given.json:
        _print_json(version.model_dump(mode="json") | {"report": report.model_dump(mode="json")})
        return 0
    _print_report(report.model_dump(mode="json"))
    print(f"{version.name}@{version.version}: {version.stage}")
    return 0


def _evaluate(given: argparse.Namespace, settings: Settings) -> int:
    from openteller.recommendation import evaluation, learning
    from openteller.recommendation.interactions import Interactions
    from openteller.recommendation.offer_model import text_of

    with _application(settings) as (application, _):
        with application.database.session(_SELF) as session:
            logged = list(ImpressionRepository().logged(session))
            shelf = application.shelf().products
            owned = Interactions.of(possessions(session), sorted(shelf))
        report = learning.report_of(logged).model_dump(mode="json")
        vectors = application.embedded([text_of(shelf[product]) for product in owned.products])
    try:
        report["ranking"] = evaluation.ranking_report(owned, vectors).model_dump(mode="json")
    except BadInput as too_few:
        report["ranking"] = None
        print(too_few, file=sys.stderr)
    if given.output:
        _write_report(given.output, report)
    _print_json(report) if given.json else _print_report(report)
    return 0


def _write_report(folder: Path, report: dict[str, Any]) -> None:
    notes = (
        f"{report['impressions']:,} impressions, {report['opened']:,} opened; the model is measured on the last"
        f" {report['measured']:,}, which it had not seen. Lines are 95 % intervals.",
        "Off-policy estimates are of the first place, and of products among the scores it was drawn from.",
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8")
        (folder / "report.html").write_text(page("Offers", offer_sections(report), notes), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The folder {folder} cannot be written.", cause=str(error)) from error


def _print_report(report: dict[str, Any]) -> None:
    figures = {"model: AUC": report["model_auc"], "rules alone: AUC": report["rules_auc"]}
    figures |= {f"model, {group}: AUC": figure for group, figure in report["by_group"].items()}
    figures |= {f"first place, {policy}: opened": figure for policy, figure in report["off_policy"].items()}
    rows = [(name, *(f"{figure[part]:.4f}" for part in ("value", "low", "high"))) for name, figure in figures.items()]
    rows.append(("model: calibration error", f"{report['calibration_error']:.4f}", "", ""))
    print(
        f"{report['impressions']:,} impressions, {report['opened']:,} opened; measured on the last {report['measured']:,}."
    )
    print(table(("figure", "value", "low", "high"), rows, words=1), end="")
    if report.get("ranking"):
        _print_ranking(report["ranking"])


def _print_ranking(ranking: dict[str, Any]) -> None:
    print(
        f"\nWhat {ranking['customers']:,} customers took later, found among {ranking['products']:,} products by what they had before:"
    )
    rows = []
    for name, view in ranking["views"].items():
        figures = [f"{f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" for f in view["figures"].values()]
        rows.append((name, *figures, f"{view['coverage']:.3f}", f"{view['novelty']:.2f}"))
    measures = next(iter(ranking["views"].values()))["figures"]
    print(table(("view", *measures, "coverage", "novelty, bits"), rows, words=1), end="")


def _batch(given: argparse.Namespace, settings: Settings) -> int:
    from openteller.cli import batch_offers

    if given.workers < 1:
        raise BadInput(f"{given.workers} processes cannot work.", next_step="Give --workers 1 or more.")
    with _application(settings) as (application, today):
        with application.database.session(_SELF) as session:
            parts = list(CustomerFileReader(settings.timezone).ids(session, batch_offers.PART, _OFFERS))
        lines = (
            batch_offers.on_ray(parts, today, given.limit, given.ray, given.workers, given.profiles)
            if given.ray
            else batch_offers.in_processes(
                parts, today, given.limit, min(given.workers, max(len(parts), 1)), given.profiles
            )
        )
        written, tell = 0, console_progress()
        with _output(given.output) as out:
            for done, part in enumerate(lines, 1):
                out.writelines(f"{line}\n" for line in part)
                written += len(part)
                tell(done, len(parts), "offers")
    if given.output:
        print(json.dumps({"customers": written}) if given.json else f"{written:,} customers: {given.output}")
    return 0


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise BadInput(f"The file {path} cannot be written.", cause=str(error)) from error


def _campaign(given: argparse.Namespace, settings: Settings) -> int:
    campaigns = CampaignRepository()
    with _application(settings) as (application, today), application.database.session(_SELF) as session:
        if given.product and given.budget is not None:
            if given.product not in application.shelf().products or given.budget < 1:
                raise BadInput("A campaign needs a product on sale and a budget of 1 or more.")
            campaign = Campaign(
                product_id=given.product, budget=given.budget, valid_from=given.since or today, valid_to=given.until
            )
            campaigns.put(session, campaign, by=actor())
        found = [c for c in campaigns.all(session) if given.product in (None, c.product_id)]
    if given.json:
        _print_json([campaign.model_dump(mode="json") for campaign in found])
    elif not found:
        print("There is no such campaign: teller recommend campaign PRODUCT --budget N begins one.")
    else:
        rows = [
            (c.product_id, f"{c.spent:,}", f"{c.budget:,}", str(c.valid_from), str(c.valid_to or "")) for c in found
        ]
        print(table(("product", "spent", "budget", "since", "until"), rows), end="")
    return 0


def _experiment(given: argparse.Namespace, settings: Settings) -> int:
    experiments = ExperimentRepository()
    with _application(settings) as (application, _), application.database.session(_SELF) as session:
        if given.verb == "start":
            experiments.start(session, given.name, _arms(given.arm), by=actor())
        elif given.verb == "end":
            experiments.end(session, given.name, by=actor())
        experiment = experiments.get(session, given.name)
        logged = list(ImpressionRepository().logged(session, experiment=given.name))
    control, *others = experiment.arms
    verdicts = {arm: judged(daily_looks(logged, control, arm, settings.timezone)) for arm in others}
    if given.json:
        _print_json(experiment.model_dump(mode="json") | {"against": {a: vars(v) for a, v in verdicts.items()}})
        return 0
    rows = [
        (arm, control, f"{v.difference:+.4f}", f"[{v.low:+.4f}, {v.high:+.4f}]", f"{v.p_value:.4f}", str(v.decided))
        for arm, v in verdicts.items()
    ]
    print(table(("arm", "against", "difference", "95 %, whenever looked at", "p", "decided"), rows, words=2), end="")
    return 0


def _arms(given: Sequence[str]) -> dict[str, float]:
    try:
        return {name: float(share) for name, share in (arm.split("=", 1) for arm in given)}
    except ValueError as error:
        raise BadInput("An arm is NAME=SHARE.", next_step="For example: --arm rules=0.5 --arm model=0.5") from error


@contextmanager
def _application(settings: Settings) -> Iterator[tuple[Application, date]]:
    with closing(Application(settings, console_progress())) as application:
        yield application, local_date(utc_now(), settings.timezone)


def _print_json(found: object) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=2))
