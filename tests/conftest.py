"""Fixtures for every room."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

# The tests run in several processes, whose threads would wait for each other. Tests of threads ask for their own.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts what runs in its background with Ctrl-C ignored, and so would be the Ctrl-C of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets, which are not part of the repository."""
    named = os.environ.get("HYBRIDHASH_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder; name it in HYBRIDHASH_DATA")
    return folder


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file of 1,200 clicks: ids, text with nulls, numbers with nulls and NaN, lists, time."""
    from hybridhash.data import SyntheticStream, stream_preset

    path = tmp_path_factory.mktemp("clicks") / "clicks.parquet"
    settings = replace(stream_preset("demo", scale=0.01), num_rows=1200)
    SyntheticStream(settings).write_parquet(path)
    return path
