"""Fixtures for every room."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets, which are not part of the repository."""
    named = os.environ.get("HYBRIDHASH_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder; name it in HYBRIDHASH_DATA")
    return folder
