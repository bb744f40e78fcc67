"""Several processes of one data-parallel run, started by torchrun or Ray Train: which one this is, and who does what once.

They find each other by the environment (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT). One process alone is a run of one.
Knows nothing about what is trained.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import distributed

T = TypeVar("T")


def count() -> int:
    """How many processes the run has."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the one that writes and reports."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def together() -> Iterator[None]:
    """The processes joined for as long as the block runs; whoever joined them before keeps them joined."""
    if count() == 1 or distributed.is_initialized():
        yield
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def from_main(make: Callable[[], T]) -> T:
    """What `make` gives in the main process, in every process; what it raises there is raised everywhere."""
    if count() == 1:
        return make()
    box: list[Any] = [None, None]
    if is_main():
        try:
            box[0] = make()
        except Exception as error:  # the others would wait for it until they time out
            box[1] = error
    distributed.broadcast_object_list(box)
    if box[1] is not None:
        raise box[1]
    made: T = box[0]
    return made
