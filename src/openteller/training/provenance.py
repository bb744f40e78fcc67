"""What a manifest says of the circumstances of a training run: the machine, and the languages of the texts.

Knows nothing about models.
"""

import os
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch

from openteller.registry.manifest import Machine
from openteller.training.evaluation.slices import script_group

_RARE = 0.01  # a language of fewer texts is not trained on


def this_machine() -> Machine:
    """The processor with the cores that torch uses, and the GPU if torch sees one."""
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    cores = min(torch.get_num_threads(), len(os.sched_getaffinity(0)))
    return Machine(processor=_processor(), cores=cores, accelerator=accelerator)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine() or "an unknown processor"


def languages(texts: Iterable[str]) -> tuple[str, ...]:
    """Zh and en as far as the texts are in them, the more frequent first; told by script, so that French counts as en.

    Chinese with Latin words in it counts as zh.
    """
    found = Counter("en" if script_group(text) == "en" else "zh" for text in texts)
    return tuple(name for name, count in found.most_common() if count >= _RARE * found.total())
