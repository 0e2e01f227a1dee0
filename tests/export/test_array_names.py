import dataclasses

import pytest

from hybridhash.errors import FileFormatError
from hybridhash.export.array_names import ledger_entry, rows_prefix
from hybridhash.spec import Ledger
from hybridhash.tables import SCALES, codes_name, dictionary_name, head_name, tail_name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (head_name(0, rows_prefix("deep", 0)), "head_rows"),
        (head_name(7, rows_prefix("deep", 10)), "head_rows"),
        (head_name(1, rows_prefix("deep", 0)) + SCALES, "scales"),
        (tail_name(rows_prefix("deep", 12)), "tail_rows"),
        (tail_name(rows_prefix("deep", 0)) + SCALES, "scales"),
        (head_name(2, rows_prefix("wide", 0)), "wide_weights"),
        (head_name(2, rows_prefix("wide", 0)) + SCALES, "wide_weights"),
        (tail_name(rows_prefix("wide", 3)), "wide_weights"),
        (tail_name(rows_prefix("wide", 3)) + SCALES, "wide_weights"),
        (dictionary_name(0, "deep:joint"), "dictionary"),
        (dictionary_name(3, "deep:a\nb.scales"), "dictionary"),
        (codes_name(1, "deep:joint"), "codes"),
        ("dense.0.weight", "dense_layers"),
        ("dense.1.bias", "dense_layers"),
        ("discretiser.price", "discretiser"),
    ],
)
def test_every_tensor_has_a_part_of_the_ledger(name: str, part: str) -> None:
    assert ledger_entry(name) == part
    assert part in {field.name for field in dataclasses.fields(Ledger)}


@pytest.mark.parametrize(
    "name", ["other", "deeper.0.head.0", "deep.0.other", "head", "deep.0.head", "codes.0", "dense.0.scales"]
)
def test_a_foreign_tensor_has_none(name: str) -> None:
    with pytest.raises(FileFormatError, match="name of an array of a bundle"):
        ledger_entry(name)
