"""Experiments: what is compared, where it stands, and how it came there. Knows nothing about who is in which arm."""

from nicegui import ui

from openteller.core.records import LocalText
from openteller.recommendation.experiments import Arm, Verdict, daily_looks, judged
from openteller.recommendation.records import Experiment
from openteller.recommendation.repository import ExperimentRepository, ImpressionRepository
from openteller.serving.console.page import ANALYSTS, ConsolePage, Visit
from openteller.serving.console.parts import chart, section, table

Looks = dict[str, list[tuple[Arm, Arm]]]


async def draw(visit: Visit) -> None:
    """The page."""
    say = visit.say
    experiments = await visit.read(lambda: _all(visit))
    if not experiments:
        with section(""):
            step = "teller recommend experiment start NAME --arm rules=0.5 --arm model=0.5"
            ui.label(say(f"还没有实验：{step}", f"No experiment yet: {step}")).classes("note")
    for experiment in experiments:
        await _one(visit, experiment)


PAGE = ConsolePage("experiments", LocalText(zh="实验", en="Experiments"), "science", ANALYSTS, draw)


def _all(visit: Visit) -> tuple[Experiment, ...]:
    with visit.serving.application.database.session(visit.principal) as session:
        return ExperimentRepository().all(session)


async def _one(visit: Visit, experiment: Experiment) -> None:
    say = visit.say
    looks = await visit.read(lambda: _looks(visit, experiment))
    ended = experiment.ended_at
    note = say(f"开始 {visit.local(experiment.started_at)}", f"Since {visit.local(experiment.started_at)}")
    note += (
        say(f"，结束 {visit.local(ended)}", f", ended {visit.local(ended)}") if ended else say("，进行中", ", running")
    )
    control = next(iter(experiment.arms))
    with section(experiment.name, note):
        columns = [("arm", say("方案", "Arm")), ("share", say("占比", "Share")), ("customers", say("客户", "Customers")),
                   ("rate", say("打开率", "Opened")), ("difference", say(f"与 {control} 之差", f"Against {control}")),
                   ("interval", say("95 % 区间（随时可看）", "95 %, whenever looked at")), ("p", "p"),
                   ("decided", say("结论", "Decided"))]  # fmt: skip
        rows = [_row(visit, name, share, looks) for name, share in experiment.arms.items()]
        table(
            visit,
            columns,
            rows,
            numbers=("share", "customers", "rate", "difference", "interval", "p"),
            file=experiment.name,
        )
        if looks and any(looks.values()):
            _rates(visit, experiment.name, control, looks)


def _looks(visit: Visit, experiment: Experiment) -> Looks:
    with visit.serving.application.database.session(visit.principal) as session:
        logged = list(ImpressionRepository().logged(session, experiment=experiment.name))
    control, *others = experiment.arms
    return {arm: list(daily_looks(logged, control, arm, visit.zone)) for arm in others}


def _row(visit: Visit, name: str, share: float, looks: Looks) -> dict[str, str]:
    row = {"arm": name, "share": f"{share:.0%}", "customers": "0", "rate": "–"}
    if name in looks:
        seen = looks[name]
        last = seen[-1][1] if seen else None
        row |= _verdict(visit, judged(seen))
    else:
        last = next((seen[-1][0] for seen in looks.values() if seen), None)
        row |= {"difference": "", "interval": "", "p": "", "decided": visit.say("对照", "control")}
    if last:
        row |= {"customers": f"{last.count:,}", "rate": f"{last.rate:.1%}"}
    return row


def _verdict(visit: Visit, verdict: Verdict) -> dict[str, str]:
    return {
        "difference": f"{verdict.difference:+.2%}",
        "interval": f"{verdict.low:+.2%} … {verdict.high:+.2%}",
        "p": f"{verdict.p_value:.4f}",
        "decided": visit.say("有差别", "differs") if verdict.decided else visit.say("未定", "not yet"),
    }


def _rates(visit: Visit, name: str, control: str, looks: Looks) -> None:
    longest = max(looks.values(), key=len)
    series: dict[str, list[float | None]] = {control: [one.rate for one, _ in longest]}
    series |= {arm: [other.rate for _, other in seen] for arm, seen in looks.items()}
    days = [visit.say(f"第 {day} 天", f"day {day}") for day in range(1, len(longest) + 1)]
    chart(visit, f"{name}-rates", days, series, kind="line", percent=True)
