"""A run on the workers of Ray Train: on this machine, or on the cluster that RAY_ADDRESS names.

Ray tells each worker its rank by the environment, as torchrun does (training/processes.py). Every worker reads the recipe, its
data and the base weights under the same paths as here, and the first writes the artefact to the same path, so machines of a
cluster share a file system. Nothing is reported to Ray's makers. Knows nothing about what is trained.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import torch

from openteller.core.errors import BadInput, MissingDependency, OpenTellerError


def on_workers(run: Callable[[], object], workers: int, storage: Path) -> None:
    """Call `run` once in each of several workers, and wait for all.

    Args:
        run: what each does; it is pickled, so it holds nothing that is open.
        workers: how many, with one CPU, or one GPU where there are any.
        storage: an existing folder for what Ray keeps of the run.

    Raises:
        MissingDependency: Ray is not installed.
        BadInput: there are not so many free CPUs or GPUs; the run would wait for ever.
        OpenTellerError: what `run` raised, or that Ray lost a worker.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
    except ImportError as error:
        raise MissingDependency(
            "Ray is not installed.", cause=str(error), next_step='pip install "openteller[train,scale]"'
        ) from error
    here, kind = Path.cwd(), "GPU" if torch.cuda.is_available() else "CPU"

    def loop() -> None:
        os.chdir(here)
        run()

    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        there = int(ray.cluster_resources().get(kind, 0))  # type: ignore[no-untyped-call]
        if workers > there:
            raise BadInput(f"{workers} workers are asked for, and Ray has {there} {kind}s.", next_step="Ask for fewer.")
        scaling = ScalingConfig(num_workers=workers, use_gpu=kind == "GPU")
        TorchTrainer(loop, scaling_config=scaling, run_config=RunConfig(storage_path=str(storage.resolve()))).fit()
    except ray.train.TrainingFailedError as error:
        raise _said(error) from error
    finally:
        ray.shutdown()


def _said(error: Exception) -> OpenTellerError:
    """What a worker raised, if it was for a person."""
    faults = getattr(error, "worker_failures", {}).values()
    ours = next((fault for fault in map(_cause, faults) if isinstance(fault, OpenTellerError)), None)
    return ours or OpenTellerError("Training on Ray stopped.", cause=str(error)[:500])


def _cause(fault: BaseException) -> BaseException:
    return getattr(fault, "_base_exc", fault)  # Ray wraps it, so that its traceback travels
