"""Searches a recipe's settings: Optuna's TPE with median pruning over a space that stands in the recipe.

The study lives in the database, so that a search that was cut off goes on, and several processes may share one. A trial
that was cut off is tried again from its own checkpoints. Knows nothing about tasks.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from openteller.core.errors import BadInput
from openteller.training import checkpoints
from openteller.training.finetune import FineTuneRecipe, Run
from openteller.training.optimisation import Report

_DIGITS = 10  # of a digest in a name
_RANGE = frozenset({"low", "high", "log", "step"})


@contextmanager
def study_storage(url: str) -> Iterator[optuna.storages.RDBStorage]:
    """Studies in the database at `url`, which may make tables there; a trial whose process died is tried again."""
    # Both are marked experimental; without them a killed trial would never be tried again.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        retry = optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=3)
        storage = optuna.storages.RDBStorage(url, heartbeat_interval=60, heartbeat_stale_trial_callback=retry)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


@dataclass(frozen=True)
class SearchPlan:
    """What the recipe says under `search`. space: field → a list of choices, or {low, high, log?, step?}."""

    space: Mapping[str, Any]
    trials: int = 20
    startup: int = 5  #: trials before pruning starts


@dataclass(frozen=True)
class Found:
    """What a search gave. importance: field → its share in the differences between trials (fANOVA), may be empty."""

    best: FineTuneRecipe
    figure: float
    trials: int
    pruned: int
    importance: Mapping[str, float]


def read_plan(raw: object, recipe: FineTuneRecipe) -> SearchPlan:
    """The plan of a recipe. Raises BadInput for unknown fields and senseless ranges."""
    if not isinstance(raw, dict) or not isinstance(raw.get("space"), dict) or not raw["space"]:
        raise BadInput(
            "The recipe has no space to search.",
            next_step="Add search: {trials: 20, space: {learning_rate: {low: 1.0e-5, high: 1.0e-3, log: true}}}.",
        )
    unknown = sorted(set(raw) - {"space", "trials", "startup"}) + [n for n in raw["space"] if not hasattr(recipe, n)]
    if unknown:
        raise BadInput(f"The search has unknown fields: {', '.join(map(str, unknown))}.")
    for name, space in raw["space"].items():
        _require_space(name, space)
    return SearchPlan(raw["space"], int(raw.get("trials", 20)), int(raw.get("startup", 5)))


def _require_space(name: str, space: Any) -> None:
    match space:
        case [_, _, *_]:
            return
        case {"low": int() | float() as low, "high": int() | float() as high} if (
            low < high and set(space) <= _RANGE and not (space.get("log") and low <= 0)
        ):
            return
    raise BadInput(
        f"The space of {name} is {space!r}.",
        next_step="Give a list of at least two choices, or {low, high}, low below high, above 0 with log: true.",
    )


def search(
    recipe: FineTuneRecipe,
    plan: SearchPlan,
    locate: Callable[[str], Path],
    weights_path: Path,
    storage: optuna.storages.BaseStorage,
    folder: Path,
    report: Report,
) -> Found:
    """Run the trials that are still to be done.

    Args:
        recipe: what every trial starts from; its name is the study's.
        plan: the space.
        locate: finds the path of a data set.
        weights_path: the base encoder's file.
        storage: where the study is kept.
        folder: checkpoints of the trials, and the plots.
        report: told (trial, trials, text).
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=f"{recipe.name}-{checkpoints.digest(plan.space)[:_DIGITS]}",
        storage=storage,
        sampler=optuna.samplers.TPESampler(seed=recipe.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=plan.startup),
        direction="maximize",
        load_if_exists=True,
    )
    trial = _Objective(recipe, plan, locate, weights_path, folder, report)
    left = plan.trials - len(study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))
    if left > 0:
        study.optimize(trial, n_trials=left)
    done = study.get_trials(states=(TrialState.COMPLETE,))
    if not done:
        raise BadInput("No trial came to its end.", next_step="Look at the messages above; allow more trials.")
    importance = _importance(study, [trial.value for trial in done])
    _plot(study, folder, with_importance=bool(importance))
    best = replace(recipe, **study.best_params)
    pruned = len(study.get_trials(states=(TrialState.PRUNED,)))
    return Found(best, study.best_value, len(done) + pruned, pruned, importance)


class _Objective:
    def __init__(
        self, recipe: FineTuneRecipe, plan: SearchPlan, locate: Callable[[str], Path], weights: Path, folder: Path,
        report: Report,
    ) -> None:  # fmt: skip
        self.recipe, self.plan, self.locate, self.weights = recipe, plan, locate, weights
        self.folder, self.report = folder, report

    def __call__(self, trial: Trial) -> float:
        chosen = {name: suggest(trial, name, space) for name, space in self.plan.space.items()}
        run = Run(replace(self.recipe, **chosen), self.locate, self.weights)
        place = self.folder / f"trial-{checkpoints.digest(chosen)[:_DIGITS]}"

        def tell(step: int, steps: int, text: str) -> None:
            self.report(trial.number, self.plan.trials, f"{step}/{steps} {text}")

        def watch(step: int, figure: float) -> None:
            trial.report(figure, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            fitted = run.fit(place, tell, watch)
        except FloatingPointError as error:  # a rate that is too high is a bad trial, not a broken search
            checkpoints.discard(place)
            raise optuna.TrialPruned(str(error)) from error
        except optuna.TrialPruned:
            checkpoints.discard(place)
            raise
        checkpoints.discard(place)
        named = ", ".join(f"{name} {value}" for name, value in chosen.items())
        self.report(trial.number + 1, self.plan.trials, f"{fitted.best:.4f} with {named}")
        return fitted.best


def suggest(trial: Trial, name: str, space: Any) -> Any:
    """A value of one field: one of the choices, or a number of the range."""
    if isinstance(space, list):
        return trial.suggest_categorical(name, space)
    low, high, log = space["low"], space["high"], bool(space.get("log", False))
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, step=int(space.get("step", 1)), log=log)
    return trial.suggest_float(name, low, high, step=space.get("step"), log=log)


def _importance(study: optuna.Study, values: Sequence[float | None]) -> dict[str, float]:
    if len(set(values)) < 2:
        return {}
    return {name: float(share) for name, share in optuna.importance.get_param_importances(study).items()}


def _plot(study: optuna.Study, folder: Path, *, with_importance: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Callable[..., Any]] = {"history": optuna.visualization.plot_optimization_history}
    if with_importance:
        pictures["importance"] = optuna.visualization.plot_param_importances
    for name, draw in pictures.items():
        draw(study).write_html(folder / f"{name}.html", include_plotlyjs=True)
