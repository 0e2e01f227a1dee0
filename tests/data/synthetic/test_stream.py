"""A stream is the same rows however it is cut, and has exactly the rows it should have."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from hybridhash.data.synthetic.stream import SyntheticStream
from hybridhash.errors import InvalidValueError

from .conftest import SETTINGS, whole


def test_blocks_are_the_same_in_any_order_and_stream() -> None:
    first, second = (SyntheticStream(SETTINGS, block_rows=3000) for _ in range(2))
    forward = [first.block(index) for index in range(first.num_blocks)]
    backward = [second.block(index) for index in reversed(range(second.num_blocks))][::-1]
    assert all(a.serialize() == b.serialize() for a, b in zip(forward, backward, strict=True))


def test_rows_do_not_depend_on_the_size_of_the_blocks() -> None:
    tables = [whole(SyntheticStream(SETTINGS, block_rows)) for block_rows in (1 << 15, 777)]
    for name in tables[0].column_names:
        if name not in ("probability", "price", "age"):  # a wider loop may round a logarithm differently
            assert tables[0][name].equals(tables[1][name])
    np.testing.assert_allclose(tables[0]["probability"], tables[1]["probability"], rtol=1e-12)


def test_another_seed_gives_another_stream() -> None:
    first, second = (SyntheticStream(replace(SETTINGS, seed=seed)).block(0) for seed in (0, 1))
    assert first["ts"].equals(second["ts"])
    for name in set(first.schema.names) - {"ts"}:
        assert not first[name].equals(second[name]), name


@pytest.mark.parametrize(
    ("num_rows", "sizes"), [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (3000, [1000] * 3)]
)
def test_the_number_of_rows_is_exact(num_rows: int, sizes: list[int]) -> None:
    stream = SyntheticStream(replace(SETTINGS, num_rows=num_rows), block_rows=1000)
    assert stream.num_rows == num_rows
    assert stream.num_blocks == len(sizes)
    assert [batch.num_rows for batch in stream] == sizes


def test_time_never_decreases_and_covers_the_duration() -> None:
    stream = SyntheticStream(SETTINGS, block_rows=3000)
    times = whole(stream)["ts"].to_numpy()
    assert (np.diff(times) >= 0).all()
    assert times[0] == SETTINGS.start_s
    assert SETTINGS.start_s + SETTINGS.duration_s - 60 < times[-1] < SETTINGS.start_s + SETTINGS.duration_s


def test_columns_are_the_schema() -> None:
    stream = SyntheticStream(SETTINGS)
    columns = stream.columns
    inputs = (*columns.categorical, *columns.numeric, *columns.lists)
    assert stream.schema.names == [columns.time, *inputs, columns.label, columns.probability]
    assert stream.block(0).schema == stream.schema


def test_the_last_block_of_a_huge_stream_is_made_at_once() -> None:
    stream = SyntheticStream(replace(SETTINGS, num_rows=1 << 40))
    tracemalloc.start()
    batch = stream.block(stream.num_blocks - 1)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert batch.num_rows == stream.block_rows
    assert batch["ts"][-1].as_py() == SETTINGS.start_s + SETTINGS.duration_s - 1
    assert peak_bytes < 32 << 20


@pytest.mark.parametrize("index", [-1, 7])
def test_a_block_that_does_not_exist_is_refused(index: int) -> None:
    stream = SyntheticStream(SETTINGS, block_rows=3000)
    stream.block(6)
    with pytest.raises(InvalidValueError, match=rf"index in \[0, 7\), got {index}"):
        stream.block(index)


@pytest.mark.parametrize("block_rows", [0, (1 << 20) + 1])
def test_a_block_size_out_of_range_is_refused(block_rows: int) -> None:
    with pytest.raises(InvalidValueError, match="block_rows"):
        SyntheticStream(SETTINGS, block_rows)
