"""What is done to a clip's features so that few clips teach more: speed and SpecAugment.

Speed changes tempo and pitch together (Ko et al. 2015); SpecAugment blanks bands of frequencies and stretches of time (Park et
al. 2019), here never more of the time than a share of the clip, since a short word has nothing to spare. Chance is torch's, so
that a run that goes on draws on. Knows nothing about models.
"""

import numpy as np
import torch

from openteller.runtime.protocols import Floats

MASKS = 2  #: of each kind


def at_speed(samples: Floats, speed: float, rate: int) -> Floats:
    """`samples` (n,) spoken `speed` times as fast, (n / speed,)."""
    if speed == 1:
        return samples
    import soxr

    faster: Floats = soxr.resample(samples, rate, rate / speed).astype(np.float32)
    return faster


def masked(features: Floats, bands: int, share: float) -> Floats:
    """A copy of log-mel features (bands, frames) with two bands and two stretches at their mean.

    Args:
        features: those of the clip alone, without the silence after it.
        bands: the widest band that is blanked; 0: none.
        share: the longest stretch, of all frames; 0: none.
    """
    changed, filling = features.copy(), features.mean()
    for _ in range(MASKS):
        start, end = _stretch(features.shape[0], bands)
        changed[start:end] = filling
        start, end = _stretch(features.shape[1], int(share * features.shape[1]))
        changed[:, start:end] = filling
    return changed


def _stretch(size: int, most: int) -> tuple[int, int]:
    """Start and end of a stretch of 0 to `most` within `size`."""
    width = int(torch.randint(0, min(most, size) + 1, ()))
    start = int(torch.randint(0, size - width + 1, ()))
    return start, start + width
