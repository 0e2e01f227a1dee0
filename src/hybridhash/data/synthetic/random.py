"""Random numbers that are a function of (stream, counter), so that any row can be drawn on its own."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.hashing import feature_salt
from hybridhash.hashing.mix import GOLDEN_GAMMA, UInt64s, mix64_in_place

Floats = npt.NDArray[np.float64]

LATENT_DIM: Final = 4  # coordinates that one 64-bit word holds at 16 bits each

_TWO_PI: Final = 2 * np.pi


@lru_cache(maxsize=1024)
def stream_salt(seed: int, purpose: str, name: str = "") -> int:
    """Return the word that starts one of the streams of random numbers.

    Args:
        seed: The seed, in [0, 2**64).
        purpose: What the numbers are for.
        name: The column they belong to, where there is one.

    Returns:
        An integer in [0, 2**64).
    """
    return feature_salt(f"synthetic/{purpose}/{name}", seed)


def words(counters: npt.NDArray[np.int64] | UInt64s, salt: int) -> UInt64s:
    """Return output ``counter`` of the SplitMix64 generator started at ``salt``, for every counter.

    Args:
        counters: int64[N], non-negative, or uint64[N].
        salt: The salt, in [0, 2**64).

    Returns:
        uint64[N].

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    state = counters.astype(np.uint64)
    state *= np.uint64(GOLDEN_GAMMA)
    state += np.uint64(salt)
    mix64_in_place(state)
    return state


def uniforms(counters: npt.NDArray[np.int64] | UInt64s, salt: int) -> Floats:
    """Return numbers in the open interval (0, 1): the upper 52 bits of `words`, and a half.

    Args:
        counters: int64[N], non-negative, or uint64[N].
        salt: The salt, in [0, 2**64).

    Returns:
        float64[N].
    """
    bits = words(counters, salt)
    bits >>= np.uint64(12)
    out = bits.astype(np.float64)
    out += 0.5
    out *= 2.0**-52
    return out


def normals(counters: npt.NDArray[np.int64] | UInt64s, salt: int) -> Floats:
    """Return standard normal numbers, by Box and Muller from the two halves of each of the `words`.

    With 32 bits in each half no number is farther from 0 than 6.67.

    Args:
        counters: int64[N], non-negative, or uint64[N].
        salt: The salt, in [0, 2**64).

    Returns:
        float64[N].
    """
    halves = words(counters, salt).view(np.uint32).reshape(-1, 2)
    radius = halves[:, 1].astype(np.float64)
    radius += 0.5
    radius *= 2.0**-32
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle = halves[:, 0].astype(np.float64)
    angle *= _TWO_PI * 2.0**-32
    np.cos(angle, out=angle)
    radius *= angle
    return radius


def latents(counters: npt.NDArray[np.int64] | UInt64s, salt: int) -> npt.NDArray[np.float32]:
    """Return small vectors with independent uniform coordinates of mean 0 and variance 1.

    A coordinate is one of the four 16-bit parts of a word, so a vector costs one word.

    Args:
        counters: int64[N], non-negative, or uint64[N].
        salt: The salt, in [0, 2**64).

    Returns:
        float32[N, LATENT_DIM], in [-sqrt(3), sqrt(3)].
    """
    out = words(counters, salt).view(np.uint16).astype(np.float32)
    out -= np.float32(32767.5)
    out *= np.float32(np.sqrt(3) / 32768)
    return out.reshape(-1, LATENT_DIM)
