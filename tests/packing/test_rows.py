"""Against the format read by a loop, and the best of all scales found by trying each."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.packing import (
    FLOAT_BITS,
    ROW_BITS,
    SCALE_BLOCK,
    PackedRows,
    pack_rows,
    packed_bytes,
    scale_bytes,
    unpack_rows,
)

FEW = [bits for bits in ROW_BITS if bits != FLOAT_BITS]
Floats = npt.NDArray[np.float32]


def random_rows(num_rows: int, width: int, seed: int = 0) -> Floats:
    """Rows of very different sizes, some of them zero."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(num_rows, width)) * np.exp(generator.normal(size=(num_rows, 1)))
    rows[generator.random(num_rows) < 0.2] = 0
    return rows.astype(np.float32)


def read(packed: PackedRows, index: int) -> float:
    """Read float ``index`` of the table as the format says, in Python's numbers."""
    codes = int.from_bytes(packed.codes.tobytes(), "little")
    code = (codes >> (index * packed.bits)) & (2**packed.bits - 1)
    scales = int.from_bytes(packed.scales[4:].tobytes(), "little")
    scale = (scales >> (index // SCALE_BLOCK * 4)) & 15
    top = float(np.frombuffer(packed.scales[:4].tobytes(), "<f4")[0])
    return (code + 0.5 - 2 ** (packed.bits - 1)) * (0.0 if scale == 15 else top * 2 ** (-scale / 2))


@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 16), (5, 24), (2, 100)])
def test_rows_are_what_the_format_says(bits: int, shape: tuple[int, int]) -> None:
    packed = pack_rows(random_rows(*shape), bits)
    expected = [read(packed, index) for index in range(math.prod(shape))]
    np.testing.assert_allclose(unpack_rows(packed).ravel(), expected, rtol=1e-6)
    assert packed.codes.size == packed_bytes(math.prod(shape), bits)
    assert packed.scales.size == scale_bytes(math.prod(shape), bits)


@pytest.mark.parametrize("bits", FEW)
def test_no_scale_is_better(bits: int) -> None:
    """Every scale and every code of a block are tried."""
    values = random_rows(12, 16, seed=1)
    packed = pack_rows(values, bits)
    top = np.frombuffer(packed.scales[:4].tobytes(), "<f4")[0]
    levels = np.arange(2**bits) + 0.5 - 2 ** (bits - 1)
    errors = [(values.astype(float) ** 2).sum(1)]  # of a block of zeros
    for scale in range(15):
        distances = np.abs(values[:, :, None] - levels * (top * 2 ** (-scale / 2)))
        errors.append((distances.min(2) ** 2).sum(1))
    found = ((unpack_rows(packed) - values.astype(float)) ** 2).sum(1)
    np.testing.assert_allclose(found, np.min(errors, axis=0), rtol=1e-4, atol=1e-10)


@pytest.mark.parametrize("bits", FEW)
def test_the_largest_float_keeps_its_value(bits: int) -> None:
    """The steps begin where the largest float is the last level."""
    values = np.zeros((1, 16), dtype=np.float32)
    values[0, 3] = 1.75
    packed = pack_rows(values, bits)
    top = Fraction(float(np.frombuffer(packed.scales[:4].tobytes(), "<f4")[0]))
    assert float(top * (2 ** (bits - 1) - Fraction(1, 2))) == pytest.approx(1.75, rel=1e-6)


@pytest.mark.parametrize("bits", ROW_BITS)
def test_rows_in_any_order(bits: int) -> None:
    packed = pack_rows(random_rows(9, 7), bits)
    wanted = np.array([[8, 0, 3], [3, 3, 1]])
    np.testing.assert_array_equal(unpack_rows(packed, wanted), unpack_rows(packed)[wanted])


def test_more_blocks_than_are_rounded_at_a_time() -> None:
    values = random_rows((1 << 14) + 3, 16)
    whole, part = pack_rows(values, 2), slice((1 << 14) - 2, None)
    top = whole.scales[:4].view("<f4")[0]
    error = np.abs(unpack_rows(whole)[part] - values[part])
    assert (error <= np.abs(values[part]) + top).all()
    assert np.linalg.norm(error) < 0.6 * np.linalg.norm(values[part])


def test_floats_are_kept_as_they_are() -> None:
    values = random_rows(3, 5)
    packed = pack_rows(values, FLOAT_BITS)
    np.testing.assert_array_equal(unpack_rows(packed), values)
    assert packed.scales.size == 0


@pytest.mark.parametrize("bits", ROW_BITS)
@pytest.mark.parametrize("shape", [(0, 5), (3, 16)])
def test_no_rows_and_rows_of_zeros(bits: int, shape: tuple[int, int]) -> None:
    packed = pack_rows(np.zeros(shape, dtype=np.float32), bits)
    np.testing.assert_array_equal(unpack_rows(packed), np.zeros(shape))


@pytest.mark.parametrize(
    ("values", "bits", "message"),
    [
        (np.zeros((2, 2), dtype=np.float32), 1, "bits: expected one of"),
        (np.zeros((2, 2), dtype=np.float32), 5, "bits: expected one of"),
        (np.zeros(4, dtype=np.float32), 4, "expected rows, 2-D, got 1-D"),
        (np.array([[np.nan]], dtype=np.float32), 4, "expected finite numbers"),
        (np.array([[np.inf]], dtype=np.float32), 32, "expected finite numbers"),
    ],
)
def test_what_cannot_be_packed_is_refused(values: Floats, bits: int, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        pack_rows(values, bits)
