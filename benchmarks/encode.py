"""Keys to rows: look-ups beside TorchRec's remap, building a dictionary, hashing of values."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

import hybridhash as hh
from benchmarks import peers
from benchmarks.harness import Case, Plan, Row, measure
from benchmarks.ids import Setting, draw_batches, keys_of_ranks, vocabulary_of
from hybridhash.hashing import build_ribbon, num_positions, place_fingerprints, place_keys
from hybridhash.kernels import cpu
from hybridhash.kernels.reference import Dictionary
from hybridhash.packing import pack_integers

OURS = "hybrid, compiled"
REFERENCE = "hybrid, engine reference"
REMAP = "TorchRec managed-collision remap"
FINGERPRINTS = "codes of 8 bits behind fingerprints of 12"
RIBBON = "codes of 8 bits in a ribbon, 8 check bits"
STRINGS = "strings of 8 bytes, Arrow"


def run(base: Setting, plan: Plan) -> Iterator[list[Row]]:
    """Measure all comparisons of this file.

    Args:
        base: Sizes.
        plan: How often each case runs.

    Yields:
        The rows of one comparison.
    """
    for num_head in sorted({base.num_head, min(base.num_ids, 1_000_000)}):
        yield _lookups(base, num_head, plan)
    sizes = sorted({base.num_head, min(base.num_ids, 1_000_000), base.num_ids})
    yield _builds(base, sizes, plan)
    yield _hashing(base, plan)


def _lookups(base: Setting, num_head: int, plan: Plan) -> list[Row]:
    vocabulary = vocabulary_of(num_head)
    bag = hh.HybridEmbeddingBag(vocabulary, base.num_buckets, dim=1, init_std=0.0)
    slow = hh.HybridEmbeddingBag(vocabulary, base.num_buckets, dim=1, init_std=0.0, engine="reference")
    remap = peers.managed_collision_remap(vocabulary)
    batches = [batch.keys for batch in draw_batches(base)]
    num_keys = base.num_keys
    rows = bag.encode(batches[0])
    assert isinstance(rows, torch.Tensor)
    num_lines = 2 * num_keys - int((rows[:, 0] >= 0).sum())
    # A key, a line of the dictionary or two, two row numbers.
    num_bytes = num_keys * (8 + 2 * 4) + num_lines * 64
    cases = [
        Case(OURS, lambda index: bag.encode(batches[index % len(batches)]), num_keys, num_bytes),
        Case(FINGERPRINTS, _coded(_behind_fingerprints(vocabulary.keys), batches), num_keys),
        Case(RIBBON, _coded(_in_ribbon(vocabulary.keys), batches), num_keys),
        Case(REFERENCE, lambda index: slow.encode(batches[index % len(batches)]), num_keys, num_bytes, 8),
        Case(REMAP, lambda index: remap(batches[index % len(batches)]), num_keys, None, 8),
    ]
    with torch.inference_mode():
        return measure(f"Keys to rows, K = {num_head:,}", cases, plan, base.as_dict())


def _coded(dictionary: Dictionary, batches: list[Tensor]) -> Callable[[int], object]:
    """Return a step that finds the codes of a batch, and one neutral row for all other keys."""
    return lambda index: cpu.encode(batches[index % len(batches)], [dictionary], 1, [1])


def _behind_fingerprints(keys: npt.NDArray[np.int64]) -> Dictionary:
    codes = pack_integers(np.zeros(num_positions(keys.size), dtype=np.uint32), 8)
    return Dictionary(cpu.from_numpy(place_fingerprints(keys, 12)), 12, cpu.from_numpy(codes), 8, 256)


def _in_ribbon(keys: npt.NDArray[np.int64]) -> Dictionary:
    ribbon = build_ribbon(keys, np.zeros(keys.size, dtype=np.uint32), 8, 8)
    return Dictionary(cpu.from_numpy(ribbon), 8, torch.empty(0, dtype=torch.uint8), 8, 256)


def _builds(base: Setting, sizes: list[int], plan: Plan) -> list[Row]:
    cases = []
    for size in sizes:
        keys = keys_of_ranks(np.arange(size))
        cases.append(Case(f"K = {size:,}", _of(place_keys, keys), size, None, 32))
        cases.append(Case(f"K = {size:,}, a ribbon of codes", _of(_in_ribbon, keys), size, None, 32))
    return measure("Building a dictionary", cases, plan, base.as_dict())


def _hashing(base: Setting, plan: Plan) -> list[Row]:
    count = min(base.num_ids, 1_000_000)
    ranks = np.random.default_rng(0).integers(10_000_000, 100_000_000, count)
    text = pa.array([str(rank) for rank in ranks.tolist()])
    fixed = np.array(text.to_pylist(), dtype="S8")
    values = {"integers, numpy": ranks, STRINGS: text, "bytes of 8, numpy": fixed}
    cases = [Case(name, _of(_keys, array), count, count * 16, 8) for name, array in values.items()]
    return measure("Values to keys", cases, plan, {**base.as_dict(), "num_values": count})


def _keys(values: Any) -> object:
    return hh.hash_keys(values, feature="id")


def _of(function: Callable[[Any], object], argument: Any) -> Callable[[int], object]:
    """Return a step that does the same each time."""
    return lambda _: function(argument)
