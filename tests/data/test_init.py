import subprocess
import sys

import pytest

import hybridhash.data

LIGHT = "from hybridhash.data import batch, discretiser, encode, schema"


def in_a_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_what_a_reader_of_bundles_needs_loads_numpy_only() -> None:
    heavy = ["duckdb", "pyarrow", "torch", "pydantic", "pandas", "polars"]
    assert (
        in_a_fresh_process(f"{LIGHT}; import sys; print([m for m in {heavy} if m in sys.modules])") == "[]\n"
    )


def test_missing_duckdb_is_named_by_its_install_line() -> None:
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        f"{LIGHT}\n"
        "from hybridhash.data.database import connect\n"
        "from hybridhash.errors import MissingDependencyError\n"
        "try: connect()\n"
        "except MissingDependencyError as error: print(error)"
    )
    assert "pip install 'hybridhash[cli]'" in in_a_fresh_process(code)


@pytest.mark.parametrize("name", hybridhash.data.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(hybridhash.data, name) is not None


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = hybridhash.data.nothing
