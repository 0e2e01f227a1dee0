"""Against one Python integer that holds all bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.packing import pack_integers, packed_bytes, unpack_integers


@st.composite
def integers(draw: st.DrawFn) -> tuple[int, list[int]]:
    bits = draw(st.integers(1, 32))
    return bits, draw(st.lists(st.integers(0, 2**bits - 1) | st.sampled_from([0, 2**bits - 1]), max_size=40))


@given(integers())
def test_integer_i_is_the_bits_from_i_times_bits(case: tuple[int, list[int]]) -> None:
    bits, values = case
    packed = pack_integers(np.array(values, dtype=np.uint32), bits)
    together = sum(value << (i * bits) for i, value in enumerate(values))
    assert int.from_bytes(packed.tobytes(), "little") == together
    assert packed.size == packed_bytes(len(values), bits)
    assert not values or 8 * packed.size >= (len(values) - 1) * bits // 8 * 8 + (64 if bits < 32 else 32)


@given(integers(), st.data())
def test_any_integer_can_be_read(case: tuple[int, list[int]], data: st.DataObject) -> None:
    bits, values = case
    packed = pack_integers(np.array(values, dtype=np.uint32), bits)
    wanted = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20)) if values else []
    found = unpack_integers(packed, bits, np.array(wanted, dtype=np.int64))
    assert found.dtype == np.uint32
    assert found.tolist() == [values[i] for i in wanted]


@pytest.mark.parametrize("bits", [1, 3, 16, 32])
def test_more_integers_than_are_packed_at_a_time(bits: int) -> None:
    values = np.random.default_rng(0).integers(0, 2**bits, (1 << 17) + 5).astype(np.uint32)
    packed = pack_integers(values, bits)
    np.testing.assert_array_equal(unpack_integers(packed, bits, np.arange(values.size)), values)


@pytest.mark.parametrize(
    ("count", "bits", "size"), [(0, 5, 0), (1, 1, 8), (8, 1, 8), (9, 1, 9), (3, 32, 12), (2, 31, 15)]
)
def test_sizes_by_hand(count: int, bits: int, size: int) -> None:
    assert packed_bytes(count, bits) == size


@pytest.mark.parametrize("bits", [0, 33])
def test_bits_out_of_range_are_refused(bits: int) -> None:
    with pytest.raises(InvalidValueError, match=f"bits: expected 1 to 32, got {bits}"):
        pack_integers(np.zeros(1, dtype=np.uint32), bits)


def test_a_value_that_needs_more_bits_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"expected numbers below 2\*\*3, got 8"):
        pack_integers(np.array([7, 8], dtype=np.uint32), 3)
