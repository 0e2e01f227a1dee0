"""The 64-bit mixing function that integer keys and buckets are made with."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]

WORD: Final = (1 << 64) - 1
GOLDEN_GAMMA: Final = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd: the step of SplitMix64
BLOCK: Final = 1 << 15  # values per pass, so that temporaries stay in the first caches

_MULTIPLIER_1: Final = 0xBF58476D1CE4E5B9
_MULTIPLIER_2: Final = 0x94D049BB133111EB


def mix64_in_place(words: UInt64s) -> None:
    """Replace each word by its SplitMix64 finaliser, a bijection of the 64-bit words.

    ``z ^= z >> 30; z *= 0xBF58476D1CE4E5B9; z ^= z >> 27; z *= 0x94D049BB133111EB; z ^= z >> 31``
    modulo 2**64 (Steele, Lea and Flood, OOPSLA 2014, with Stafford's constants).

    Args:
        words: uint64, any shape, contiguous; overwritten.
    """
    flat = words.reshape(-1)
    shifted = np.empty(min(BLOCK, flat.size), dtype=np.uint64)
    for start in range(0, flat.size, BLOCK):
        z = flat[start : start + BLOCK]
        t = shifted[: z.size]
        np.right_shift(z, np.uint64(30), out=t)
        z ^= t
        z *= np.uint64(_MULTIPLIER_1)
        np.right_shift(z, np.uint64(27), out=t)
        z ^= t
        z *= np.uint64(_MULTIPLIER_2)
        np.right_shift(z, np.uint64(31), out=t)
        z ^= t


def mix64(word: int) -> int:
    """Return the SplitMix64 finaliser of one word, in Python integers.

    Args:
        word: Any integer; only its low 64 bits count.

    Returns:
        An integer in [0, 2**64).
    """
    z = word & WORD
    z = ((z ^ (z >> 30)) * _MULTIPLIER_1) & WORD
    z = ((z ^ (z >> 27)) * _MULTIPLIER_2) & WORD
    return z ^ (z >> 31)


def splitmix64(seed: int, count: int) -> Sequence[int]:
    """Return the first outputs of the SplitMix64 generator, the source of every salt.

    Args:
        seed: The generator's state; only its low 64 bits count.
        count: How many words to draw.

    Returns:
        ``count`` integers in [0, 2**64).
    """
    return [mix64(seed + (index + 1) * GOLDEN_GAMMA) for index in range(count)]
