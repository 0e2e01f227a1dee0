"""The compiled kernels on raw arrays, without torch: sums by a loop, and wrong calls that raise and never crash."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hybridhash import _native
from hybridhash.hashing import (
    bucket_salts,
    build_ribbon,
    find_positions,
    hash_buckets,
    place_fingerprints,
    place_keys,
)
from hybridhash.packing import pack_integers

from .conftest import OPTIMIZERS

SUM, MEAN, CONCAT = range(3)
BAG_SUM, BAG_MEAN, BAG_MAX = range(3)
NO_ROW = 2**31 - 1
NUMBERS = {rule: kind(0.1).numbers(1) for rule, kind in OPTIMIZERS.items()}
Array = npt.NDArray[Any]


NO_CODES = np.empty(0, dtype=np.uint8)


def alone(places: Array) -> list[tuple[Any, ...]]:
    """Give the only dictionary of a head, of exact keys."""
    return [(places, 64, NO_CODES, 0, max(places.size - 1, 0))]


def encoded(keys: Array, dictionary: Array, num_buckets: int, num_hashes: int, padding: int | None) -> Array:
    rows = np.full((keys.size, num_hashes), 77, dtype=np.int32)
    _native.encode(keys, alone(dictionary), num_buckets, bucket_salts(num_hashes, 3), padding, rows, 2)
    return rows


@pytest.mark.parametrize("num_hashes", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("num_buckets", [1, 3, 2**31])
@pytest.mark.parametrize("num_head", [0, 500])
def test_encode_is_the_dictionary_and_the_hashes(num_hashes: int, num_buckets: int, num_head: int) -> None:
    """20,000 keys are several tasks; head, tail, padding and both ends of int64 among them."""
    generator = np.random.default_rng(0)
    head = generator.integers(-(2**63), 2**63, num_head)
    head[:3] = np.array([0, -(2**63), 2**63 - 1])[: head[:3].size]
    keys = generator.integers(-(2**63), 2**63, 20_000)
    keys[::3] = generator.choice(head, keys[::3].size) if num_head else 0
    keys[:4] = [0, -(2**63), 2**63 - 1, 99]
    dictionary = place_keys(head)
    rows = encoded(keys, dictionary, num_buckets, num_hashes, 99)
    positions = find_positions(keys, dictionary)
    in_head, counted = positions >= 0, keys != 99
    np.testing.assert_array_equal(rows[in_head], np.repeat(positions[in_head, None], num_hashes, axis=1))
    tail = counted & ~in_head
    np.testing.assert_array_equal(~rows[tail], hash_buckets(keys[tail], num_buckets, num_hashes, 3))
    assert rows[~counted, 0].tolist() == [NO_ROW]


class Case:
    """A random table and batch, and what its bags are by a loop in float64."""

    def __init__(
        self, num_hashes: int, combine: int, mode: int, weighted: bool, dim: int, seed: int = 0
    ) -> None:
        generator = np.random.default_rng(seed)
        self.combine, self.mode, self.num_hashes = combine, mode, num_hashes
        width = dim // num_hashes if combine == CONCAT else dim
        self.head = generator.normal(size=(5, dim)).astype(np.float32)
        self.tail = generator.normal(size=(7, width)).astype(np.float32)
        lengths = generator.integers(0, 6, 12)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        num_keys = int(self.offsets[-1])
        self.rows = (~generator.integers(0, 7, (num_keys, num_hashes))).astype(np.int32)
        in_head = generator.random(num_keys) < 0.4
        self.rows[in_head] = generator.integers(0, 5, (in_head.sum(), 1))
        self.rows[generator.random(num_keys) < 0.2, 0] = NO_ROW
        self.weights = generator.normal(size=num_keys).astype(np.float32) if weighted else None
        self.grad = generator.normal(size=(12, dim)).astype(np.float32)

    def vector(self, key: int) -> Array:
        rows = self.rows[key]
        if rows[0] >= 0:
            return self.head[rows[0]].astype(float)
        read = self.tail[~rows].astype(float)
        return read.ravel() if self.combine == CONCAT else read.sum(0) / (self.num_hashes**self.combine)

    def bags(self) -> list[tuple[list[int], list[float]]]:
        """Per bag its keys that count and what each is multiplied with."""
        found = []
        for first, last in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            keys = [key for key in range(first, last) if self.rows[key, 0] != NO_ROW]
            one = 1 / len(keys) if self.mode == BAG_MEAN and keys else 1.0
            found.append((keys, [one if self.weights is None else float(self.weights[key]) for key in keys]))
        return found

    def pooled(self) -> Array:
        out = np.zeros((12, self.head.shape[1]))
        for bag, (keys, factors) in enumerate(self.bags()):
            vectors = [factor * self.vector(key) for key, factor in zip(keys, factors, strict=True)]
            if vectors:
                out[bag] = np.max(vectors, axis=0) if self.mode == BAG_MAX else np.sum(vectors, axis=0)
        return out

    def gradients(self) -> tuple[Array, Array]:
        head, tail = np.zeros(self.head.shape), np.zeros(self.tail.shape)
        for bag, (keys, factors) in enumerate(self.bags()):
            grad = self.grad[bag].astype(float)
            best = np.argmax([self.vector(key) for key in keys], axis=0) if keys else []
            for place, (key, factor) in enumerate(zip(keys, factors, strict=True)):
                share = grad * (np.asarray(best) == place) if self.mode == BAG_MAX else factor * grad
                rows = self.rows[key]
                if rows[0] >= 0:
                    head[rows[0]] += share
                    continue
                width = self.tail.shape[1]
                for place_of_hash, row in enumerate(~rows):
                    start = place_of_hash * width if self.combine == CONCAT else 0
                    divisor = self.num_hashes if self.combine == MEAN else 1
                    tail[row] += share[start : start + width] / divisor
        return head, tail

    def forward(self, num_threads: int = 2) -> tuple[Array, Array | None]:
        out = np.full((12, self.head.shape[1]), np.nan, dtype=np.float32)
        argmax = np.full(out.shape, -9, dtype=np.int32) if self.mode == BAG_MAX else None
        _native.forward(*self.inputs(), out, argmax, num_threads)
        return out, argmax

    def inputs(self) -> tuple[Any, ...]:
        return self.head, self.tail, self.rows, self.offsets, self.weights, self.combine, self.mode

    def update(self, rule: str, numbers: dict[str, float], num_threads: int = 2) -> None:
        head_state, tail_state = (
            [
                np.zeros(rows.size if shape == "float" else len(rows), np.float32)
                for shape in OPTIMIZERS[rule].states
            ]
            for rows in (self.head, self.tail)
        )
        _native.update(*self.inputs(), self.grad, None, head_state, tail_state, rule, numbers, num_threads)


SHAPES = [
    (num_hashes, combine, dim)
    for num_hashes in (1, 2, 3, 8)
    for combine in (SUM, MEAN, CONCAT)
    for dim in (1, 8, 24, 32, 64, 128)
    if combine != CONCAT or dim % num_hashes == 0
]
WAYS = [(BAG_SUM, False), (BAG_SUM, True), (BAG_MEAN, False), (BAG_MAX, False)]


@pytest.mark.parametrize(("mode", "weighted"), WAYS)
@pytest.mark.parametrize(("num_hashes", "combine", "dim"), SHAPES)
def test_outputs_and_gradients_are_those_of_a_loop(
    num_hashes: int, combine: int, dim: int, mode: int, weighted: bool
) -> None:
    case = Case(num_hashes, combine, mode, weighted, dim)
    out, argmax = case.forward()
    np.testing.assert_allclose(out, case.pooled(), rtol=1e-5, atol=1e-5)
    found = _native.gradients(*case.inputs(), case.grad, argmax, 2)
    for (rows, values), expected in zip(found, case.gradients(), strict=True):
        assert (np.diff(rows) > 0).all()
        dense = np.zeros(expected.shape)
        dense[rows] = values
        np.testing.assert_allclose(dense, expected, rtol=1e-5, atol=1e-5)
    if weighted:
        of_weights = np.full(len(case.rows), np.nan, dtype=np.float32)
        _native.weight_gradient(
            case.head, case.tail, case.rows, case.offsets, combine, case.grad, of_weights, 2
        )
        expected = np.zeros(len(case.rows))
        for bag, (keys, _) in enumerate(case.bags()):
            for key in keys:
                expected[key] = case.vector(key) @ case.grad[bag]
        np.testing.assert_allclose(of_weights, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_hashes", [1, 2, 8])
@pytest.mark.parametrize("dim", [8, 24, 32])
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_sgd_moves_each_row_by_its_gradient(num_hashes: int, dim: int, weight_decay: float) -> None:
    """Rows without a gradient stay where they are, whatever the weight decay."""
    case = Case(num_hashes, CONCAT, BAG_MEAN, False, dim)
    expected = []
    for rows, gradient in zip((case.head, case.tail), case.gradients(), strict=True):
        touched = gradient.any(axis=1, keepdims=True)
        expected.append(rows - 0.1 * touched * (gradient + weight_decay * rows))
    case.update("sgd", {"lr": 0.1, "weight_decay": weight_decay})
    np.testing.assert_allclose(case.head, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(case.tail, expected[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("dim", [1, 2, 17, 32, 1024])
def test_every_rule_moves_every_touched_row_and_no_other(rule: str, dim: int) -> None:
    case = Case(2, SUM, BAG_SUM, True, dim)
    before = case.head.copy(), case.tail.copy()
    gradients = case.gradients()
    case.update(rule, NUMBERS[rule])
    for rows, old, gradient in zip((case.head, case.tail), before, gradients, strict=True):
        assert np.isfinite(rows).all()
        np.testing.assert_array_equal((rows != old).any(axis=1), gradient.any(axis=1))


def valid() -> dict[str, Any]:
    case = Case(2, SUM, BAG_SUM, True, 4)
    names = ("head", "tail", "rows", "offsets", "weights", "combine", "mode")
    return dict(zip(names, case.inputs(), strict=True)) | {"grad": case.grad}


def with_row(place: tuple[int, int], row: int) -> Array:
    rows = valid()["rows"].copy()
    rows[place] = row
    return rows  # type: ignore[no-any-return]


def with_offset(place: int, offset: int) -> Array:
    offsets = valid()["offsets"].copy()
    offsets[place] = offset
    return offsets  # type: ignore[no-any-return]


IN_TAIL = int(np.argmax(valid()["rows"][:, 0] < 0))
WIDE = np.zeros((5, 8), np.float32)[:, ::2]
WRONG: dict[str, dict[str, Any]] = {
    "head of float64": {"head": np.zeros((5, 4))},
    "head of int32": {"head": np.zeros((5, 4), np.int32)},
    "head of another type than tail": {"head": np.zeros((5, 4), np.float16)},
    "head of another width": {"head": np.zeros((5, 5), np.float32)},
    "head of one dimension": {"head": np.zeros(20, np.float32)},
    "head with gaps": {"head": WIDE},
    "head by columns": {"head": np.asfortranarray(np.zeros((5, 4), np.float32))},
    "head of too few rows": {"head": np.zeros((1, 4), np.float32)},
    "no head": {"head": np.zeros((0, 4), np.float32)},
    "tail of too few rows": {"tail": np.zeros((2, 4), np.float32)},
    "tail of no float": {"head": np.zeros((5, 0), np.float32), "tail": np.zeros((7, 0), np.float32)},
    "no tail": {"tail": np.zeros((0, 4), np.float32)},
    "tail of another width": {"tail": np.zeros((7, 2), np.float32)},
    "rows of int64": {"rows": valid()["rows"].astype(np.int64)},
    "rows of one dimension": {"rows": valid()["rows"].ravel()},
    "rows of no hash": {"rows": valid()["rows"][:, :0]},
    "rows of 17 hashes": {"rows": np.zeros((len(valid()["rows"]), 17), np.int32)},
    "rows with gaps": {"rows": np.repeat(valid()["rows"], 2, axis=1)[:, ::2]},
    "a head row past the end": {"rows": with_row((0, 0), 5)},
    "a large head row": {"rows": with_row((0, 0), 2**31 - 2)},
    "a tail row past the end": {"rows": with_row((IN_TAIL, 1), ~7)},
    "the lowest row": {"rows": with_row((IN_TAIL, 1), -(2**31))},
    "a head row behind a tail row": {"rows": with_row((IN_TAIL, 1), 1)},
    "padding behind a tail row": {"rows": with_row((IN_TAIL, 1), NO_ROW)},
    "too few rows": {"rows": valid()["rows"][:-1]},
    "offsets of int32": {"offsets": valid()["offsets"].astype(np.int32)},
    "offsets from 1": {"offsets": with_offset(0, 1)},
    "offsets from -1": {"offsets": with_offset(0, -1)},
    "offsets to one too many": {"offsets": with_offset(-1, len(valid()["rows"]) + 1)},
    "offsets to one too few": {"offsets": with_offset(-1, len(valid()["rows"]) - 1)},
    "offsets that fall": {"offsets": with_offset(3, 2**40)},
    "offsets that turn": {"offsets": with_offset(3, -(2**63))},
    "no offsets": {"offsets": valid()["offsets"][:0]},
    "weights of float64": {"weights": np.zeros(len(valid()["rows"]))},
    "too few weights": {"weights": valid()["weights"][:-1]},
    "weights of a mean": {"mode": BAG_MEAN},
    "an unknown combine": {"combine": 3},
    "a negative combine": {"combine": -1},
    "an unknown mode": {"mode": 3},
    "a negative mode": {"mode": -1},
    "no thread": {"num_threads": 0},
    "fewer threads than none": {"num_threads": -1},
}
OF_GRADIENT: dict[str, dict[str, Any]] = {
    "grad of float64": {"grad": valid()["grad"].astype(float)},
    "grad of too few bags": {"grad": valid()["grad"][:-1]},
    "grad of another width": {"grad": np.zeros((12, 5), np.float32)},
    "grad with gaps": {"grad": np.zeros((24, 4), np.float32)[::2]},
}


def forward(call: dict[str, Any]) -> None:
    out = call.get("out", np.zeros((12, 4), np.float32))
    _native.forward(
        call["head"], call["tail"], call["rows"], call["offsets"], call["weights"], call["combine"], call["mode"],
        out, call.get("argmax"), call.get("num_threads", 1),
    )  # fmt: skip


def encode_and_pool(call: dict[str, Any]) -> None:
    rows = call["rows"]
    _native.encode_and_pool(
        call.get("keys", np.arange(len(rows))), call.get("dictionaries", []),
        call.get("salts", bucket_salts(2)), None, call["head"], call["tail"], call["offsets"], call["weights"],
        call["combine"], call["mode"], call.get("found", np.zeros((len(rows), 2), np.int32)),
        call.get("out", np.zeros((12, 4), np.float32)), call.get("argmax"), call.get("num_threads", 1),
    )  # fmt: skip


def gradients(call: dict[str, Any]) -> None:
    _native.gradients(
        call["head"], call["tail"], call["rows"], call["offsets"], call["weights"], call["combine"], call["mode"],
        call["grad"], call.get("argmax"), call.get("num_threads", 1),
    )  # fmt: skip


def update(call: dict[str, Any]) -> None:
    state = np.zeros(20, np.float32), np.zeros(28, np.float32)
    _native.update(
        call["head"], call["tail"], call["rows"], call["offsets"], call["weights"], call["combine"], call["mode"],
        call["grad"], call.get("argmax"), call.get("head_state", [state[0]]), call.get("tail_state", [state[1]]),
        call.get("rule", "adagrad"), call.get("numbers", NUMBERS["adagrad"]), call.get("num_threads", 1),
    )  # fmt: skip


def weight_gradient(call: dict[str, Any]) -> None:
    out = call.get("of_weights", np.zeros(len(call["rows"]), np.float32))
    _native.weight_gradient(
        call["head"], call["tail"], call["rows"], call["offsets"], call["combine"], call["grad"], out,
        call.get("num_threads", 1),
    )  # fmt: skip


@pytest.mark.parametrize("kernel", [forward, encode_and_pool, gradients, update, weight_gradient])
def test_the_call_that_wrong_ones_start_from_is_right(kernel: Any) -> None:
    kernel(valid())


@pytest.mark.parametrize("kernel", [forward, gradients, update])
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_wrong_calls_raise(kernel: Any, change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        kernel(valid() | change)


@pytest.mark.parametrize(
    "change",
    [
        *(
            change
            for name, change in WRONG.items()
            if not {"head", "rows"} & set(change) and name != "tail of too few rows"  # each is hashed into
        ),
        {"dictionaries": alone(place_keys(np.arange(3)))},  # more positions than head rows
        {"dictionaries": alone(place_keys(np.arange(3))[:-1])},
        {"keys": np.arange(2)},
        {"keys": np.arange(len(valid()["rows"])).astype(float)},
        {"salts": bucket_salts(1)},
        {"salts": []},
        {"found": np.zeros((len(valid()["rows"]), 2))},
        {"found": np.zeros((len(valid()["rows"]), 3), np.int32)},
        {"found": np.zeros((len(valid()["rows"]) - 1, 2), np.int32)},
        {"out": np.zeros((11, 4), np.float32)},
        {"argmax": np.zeros((12, 4), np.int32)},
        {"mode": BAG_MAX, "weights": None},
    ],
)
def test_wrong_calls_of_encode_and_pool_raise(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_and_pool(valid() | change)


@pytest.mark.parametrize(
    "change", [value for name, value in WRONG.items() if "weight" not in name and "mode" not in name]
)
def test_wrong_calls_of_the_weights_gradient_raise(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        weight_gradient(valid() | change)


@pytest.mark.parametrize("kernel", [gradients, update, weight_gradient])
@pytest.mark.parametrize("change", OF_GRADIENT.values(), ids=OF_GRADIENT)
def test_wrong_gradients_raise(kernel: Any, change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        kernel(valid() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"out": np.zeros((12, 4))},
        {"out": np.zeros((11, 4), np.float32)},
        {"out": np.zeros((12, 5), np.float32)},
        {"out": np.zeros((12, 8), np.float32)[:, ::2]},
        {"argmax": np.zeros((12, 4), np.int32)},
        {"mode": BAG_MAX, "weights": None},
        {"mode": BAG_MAX, "weights": None, "argmax": np.zeros((11, 4), np.int32)},
        {"mode": BAG_MAX, "weights": None, "argmax": np.zeros((12, 4), np.int64)},
    ],
)
def test_wrong_outputs_raise(change: dict[str, Any]) -> None:
    """A copy with the right type or strides would take what was written and be lost."""
    with pytest.raises((ValueError, TypeError)):
        forward(valid() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"of_weights": np.zeros(1, np.float32)},
        {"of_weights": np.zeros(len(valid()["rows"]))},
        {"of_weights": np.zeros(2 * len(valid()["rows"]), np.float32)[::2]},
    ],
)
def test_wrong_outputs_of_the_weights_gradient_raise(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        weight_gradient(valid() | change)


def frozen(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "momentum"},
        {"rule": ""},
        {"rule": 0},
        {"numbers": {}},
        {"numbers": {"lr": 0.1, "weight_decay": 0.0}},
        {"numbers": NUMBERS["adagrad"] | {"beta": 0.0}},
        {"numbers": NUMBERS["adam"]},
        {"numbers": NUMBERS["adagrad"] | {"lr": "0.1"}},
        {"numbers": list(NUMBERS["adagrad"].values())},
        {"head_state": []},
        {"tail_state": []},
        {"head_state": [np.zeros(20, np.float32)] * 2},
        {"head_state": [np.zeros(19, np.float32)]},
        {"tail_state": [np.zeros(20, np.float32)]},
        {"tail_state": [np.zeros(28)]},
        {"tail_state": [np.zeros(56, np.float32)[::2]]},
        {"tail_state": [frozen(np.zeros(28, np.float32))]},
        {"rule": "rowwise_adagrad"},
        {"rule": "adam"},
        {"head": frozen(np.zeros((5, 4), np.float32))},
        {"tail": frozen(np.zeros((7, 4), np.float32))},
        {"mode": BAG_MAX, "weights": None},
    ],
)
def test_wrong_updates_raise(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        update(valid() | change)


def test_the_numbers_of_a_rule_are_named_where_they_are_missing() -> None:
    with pytest.raises(ValueError, match="numbers: expected lr, l1, l2, beta of rule ftrl"):
        Case(1, SUM, BAG_SUM, False, 4).update("ftrl", {"lr": 0.1})


def test_an_update_of_rows_too_wide_raises() -> None:
    case = Case(1, SUM, BAG_SUM, False, _native.MAX_FUSED_DIM + 1)
    with pytest.raises(ValueError, match="no more floats in a row than MAX_FUSED_DIM"):
        case.update("sgd", NUMBERS["sgd"])


KEYS, DICTIONARY = np.arange(4), place_keys(np.arange(2))
FINGERPRINTS = place_fingerprints(np.arange(2), 12)
CODES = pack_integers(np.zeros(24, dtype=np.uint32), 3)


@pytest.mark.parametrize(
    ("place", "argument"),
    [
        (0, KEYS.astype(np.int32)),
        (0, KEYS.astype(float)),
        (0, KEYS.repeat(2)[::2]),
        (0, KEYS[:3]),
        (0, KEYS.reshape(2, 2)),
        (0, KEYS.tolist()),
        (1, None),
        (1, alone(DICTIONARY[:-1])),
        (1, alone(DICTIONARY[:1])),
        (1, alone(DICTIONARY.astype(np.uint64))),
        (1, alone(DICTIONARY.view(np.uint8))),
        (1, alone(DICTIONARY[None])),
        (1, alone(DICTIONARY.repeat(2)[::2])),
        (1, alone(DICTIONARY) * 9),
        (1, [(DICTIONARY, 64, NO_CODES, 0, 23)]),
        (1, [(DICTIONARY, 64, NO_CODES, 3, 24)]),
        (1, [(DICTIONARY, 63, NO_CODES, 0, 24)]),
        (1, [(DICTIONARY, 16, NO_CODES, 0, 24)]),
        (1, [(DICTIONARY, 64, CODES[:-1], 3, 5)]),
        (1, [(DICTIONARY, 64, CODES, 2, 5)]),
        (1, [(DICTIONARY, 64, CODES, 0, 5)]),
        (1, [(DICTIONARY, 64, CODES, 3, 0)]),
        (1, [(DICTIONARY, 64, CODES, 3, 25)]),
        (1, [(DICTIONARY, 64, CODES.view(np.int8), 3, 5)]),
        (1, [(DICTIONARY, 64, np.zeros(4 * 24, np.uint8), 32, 5)]),
        (1, [(DICTIONARY[:0], 64, NO_CODES, 0, 1)]),
        (1, [(DICTIONARY[:0], 64, CODES, 3, 1)]),
        (1, [(FINGERPRINTS[:-1], 12, NO_CODES, 0, 24)]),
        (1, [(FINGERPRINTS[:8], 12, NO_CODES, 0, 0)]),
        (1, [(FINGERPRINTS[:8], 4, NO_CODES, 0, 0)]),
        (1, [(FINGERPRINTS, 3, NO_CODES, 0, 96)]),
        (1, [(FINGERPRINTS, 33, NO_CODES, 0, 8)]),
        (1, [(FINGERPRINTS, 64, NO_CODES, 0, 24)]),
        (2, 0),
        (2, -1),
        (2, 2**31 + 1),
        (3, []),
        (3, [1] * 17),
        (3, [1]),
        (3, [-1, 1]),
        (3, [2**64, 1]),
        (4, 2**63),
        (4, 0.5),
        (5, np.zeros((4, 2), np.int64)),
        (5, np.zeros((8, 2), np.int32)[::2]),
        (5, np.zeros((3, 2), np.int32)),
        (5, frozen(np.zeros((4, 2), np.int32))),
        (6, 0),
    ],
)
def test_wrong_calls_of_encode_raise(place: int, argument: Any) -> None:
    arguments: list[Any] = [KEYS, alone(DICTIONARY), 5, [1, 2], None, np.zeros((4, 2), np.int32), 1]
    _native.encode(*arguments)
    arguments[place] = argument
    with pytest.raises((ValueError, TypeError)):
        _native.encode(*arguments)


@pytest.mark.parametrize(
    ("keys", "dictionary"),
    [
        (KEYS, np.zeros(0, np.int64)),
        (KEYS, np.zeros(1, np.int64)),
        (
            KEYS,
            np.zeros(9, np.int64),
        ),  # of one bucket, in which nothing that is looked for elsewhere can stand
        (KEYS, np.zeros(24, np.int64)),
        (np.arange(17), np.zeros(17, np.int64)),
        (KEYS, np.zeros(25, np.int32)),
        (KEYS, np.zeros(50, np.int64)[::2]),
        (KEYS, frozen(np.zeros(25, np.int64))),
        (KEYS.astype(np.int32), np.zeros(25, np.int64)),
        (KEYS.repeat(2)[::2], np.zeros(25, np.int64)),
    ],
)
def test_wrong_calls_of_place_keys_raise(keys: Array, dictionary: Array) -> None:
    with pytest.raises((ValueError, TypeError)):
        _native.place_keys(keys, dictionary)


def test_keys_that_do_not_fit_are_said_not_to() -> None:
    """Sixteen keys into two lines whose salt sends more than eight of them to one only."""
    fits = {bool(_native.place_keys(np.arange(16), np.array([0] * 16 + [salt]))) for salt in range(400)}
    assert fits == {False, True}


def test_a_salt_of_a_dictionary_that_was_placed_finds_its_keys() -> None:
    """Two buckets, the fewest there may be."""
    dictionary = np.zeros(17, np.int64)
    assert _native.place_keys(np.arange(5), dictionary)
    assert dictionary[find_positions(np.arange(5), dictionary)].tolist() == [0, 1, 2, 3, 4]
    assert (find_positions(np.arange(5, 500), dictionary) == -1).all()


def test_nothing_is_a_legal_call() -> None:
    """No bags, no keys, bags without keys."""
    head, tail = np.zeros((0, 4), np.float32), np.zeros((1, 4), np.float32)
    for num_bags in (0, 3):
        out = np.full((num_bags, 4), 7, np.float32)
        call = (head, tail, np.zeros((0, 2), np.int32), np.zeros(num_bags + 1, np.int64), None, SUM)
        _native.forward(*call, BAG_SUM, out, None, 3)
        assert not out.any()
        (head_rows, _), (tail_rows, values) = _native.gradients(*call, BAG_MEAN, out, None, 3)
        assert head_rows.size == tail_rows.size == 0
        assert values.shape == (0, 4)
        _native.update(*call, BAG_MEAN, out, None, [], [], "sgd", NUMBERS["sgd"], 3)
        _native.weight_gradient(*call[:4], SUM, out, np.zeros(0, np.float32), 3)
    _native.encode(KEYS[:0], alone(DICTIONARY), 5, [1, 2], None, np.zeros((0, 2), np.int32), 3)


def test_the_instruction_set_has_a_name() -> None:
    assert _native.isa() in ("plain", "avx2", "avx512")


RIBBON = build_ribbon(np.arange(5), np.arange(5, dtype=np.uint32), 3, 2)


@pytest.mark.parametrize(
    ("dictionary", "message"),
    [
        ((RIBBON.view(np.uint8), 2, NO_CODES, 3, 5), "places: expected int64 for a ribbon"),
        ((RIBBON[1:], 2, NO_CODES, 3, 5), "a word for each bit of 64 slots and a salt"),
        ((RIBBON[-1:], 2, NO_CODES, 3, 5), "a word for each bit of 64 slots and a salt"),
        ((RIBBON, 25, NO_CODES, 3, 5), "at most 24 check bits and 32 together"),
        ((RIBBON, -1, NO_CODES, 3, 5), "at most 24 check bits and 32 together"),
        ((RIBBON, 24, NO_CODES, 9, 5), "at most 24 check bits and 32 together"),
        ((RIBBON, 2, NO_CODES, 3, 0), "num_rows: expected 1 to the number of different codes"),
        ((RIBBON, 2, NO_CODES, 3, 9), "num_rows: expected 1 to the number of different codes"),
        ((RIBBON[:0], 2, NO_CODES, 3, 1), "num_rows: expected 1 to the number of different codes"),
    ],
)
def test_ribbons_that_are_none_are_refused(dictionary: tuple[Any, ...], message: str) -> None:
    rows = np.empty((3, 1), dtype=np.int32)
    with pytest.raises(ValueError, match=message):
        _native.encode(np.arange(3), [dictionary], 9, [1], None, rows, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value_bits": 0}, "value_bits: expected 1 to 32"),
        ({"value_bits": 33}, "value_bits: expected 1 to 32"),
        ({"words": np.empty(9, dtype=np.int64)}, "words: expected value_bits for each 64 slots"),
        ({"words": np.empty(0, dtype=np.int64)}, "words: expected value_bits for each 64 slots"),
        ({"values": np.zeros(2, dtype=np.uint32)}, "coefficients, values: expected one for each key"),
        (
            {"starts": np.array([0, 65, 1], dtype=np.uint32)},
            "starts, coefficients: expected 64 slots from each",
        ),
        (
            {"coefficients": np.array([1, 2, 3], dtype=np.uint64)},
            "starts, coefficients: expected 64 slots from each",
        ),
    ],
)
def test_equations_that_leave_their_slots_are_refused(changes: dict[str, Any], message: str) -> None:
    """The last start that two blocks have is 64."""
    good = {
        "starts": np.array([0, 64, 1], dtype=np.uint32),
        "coefficients": np.array([1, 2**64 - 1, 3], dtype=np.uint64),
        "values": np.array([1, 2, 3], dtype=np.uint32),
        "value_bits": 4,
        "words": np.empty(8, dtype=np.int64),
    }
    assert _native.solve_ribbon(**good)
    with pytest.raises(ValueError, match=message):
        _native.solve_ribbon(**{**good, **changes})


def test_equations_that_contradict_each_other_have_no_solution() -> None:
    starts, coefficients = np.zeros(2, dtype=np.uint32), np.full(2, 5, dtype=np.uint64)
    words = np.empty(4, dtype=np.int64)
    assert _native.solve_ribbon(starts, coefficients, np.array([9, 9], dtype=np.uint32), 4, words)
    assert not _native.solve_ribbon(starts, coefficients, np.array([9, 8], dtype=np.uint32), 4, words)
