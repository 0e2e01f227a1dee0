"""The face of the kinds of dictionary, with the kind that docs/howto/add-a-dictionary.md adds from outside."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import hybridhash as hh
from hybridhash.embeddings import EmbeddingBag, PackedEmbeddingBag
from hybridhash.errors import FileFormatError, InvalidValueError
from hybridhash.hashing import (
    DICTIONARIES,
    EXACT,
    Dictionary,
    ExactKeys,
    Fingerprints,
    register_dictionary,
    remove_dictionary,
)
from hybridhash.kernels import reference
from hybridhash.optim import SGD
from hybridhash.planner import read_plan, write_plan
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-dictionary.md"
KEYS = np.random.default_rng(0).integers(-(2**63), 2**63, 400)
STRANGERS = np.random.default_rng(1).integers(-(2**63), 2**63, 400)


@pytest.fixture
def kind() -> Iterator[type[Dictionary]]:
    """The class of the page, registered."""
    names: dict[str, Any] = {"__name__": "page"}
    code = re.search(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert code is not None
    exec(compile(code[1], PAGE.name, "exec"), names)
    yield names["SortedKeys"]
    remove_dictionary("sorted")


def table_of(kind: Dictionary, num_codes: int = 0) -> hh.ShippedTable:
    """Pack rows that hold the number of their key, or of their code, with a kind of dictionary in the second tier."""
    tiers = (Tier(100, 32), Tier(300, 32, num_codes, kind))
    spec = TableSpec(400, 20, 8, 2, "sum", tiers=tiers)
    torch.manual_seed(0)
    bag = EmbeddingBag(Blueprint(spec, hh.Vocabulary(KEYS)), init_std=1.0)
    numbers = np.arange(400) % (num_codes or 400)
    rows = torch.from_numpy(np.repeat(numbers, 8).reshape(400, 8))
    with torch.no_grad():
        bag.head[torch.from_numpy(bag.encoder.key_index().head_rows(KEYS))] = rows.float()
        bag.tail.fill_(-1.0)
    return hh.pack(bag)


def test_a_key_is_where_the_order_has_it(kind: type[Dictionary]) -> None:
    made = kind()
    array = made.build(KEYS)
    assert (array.size, array.dtype) == (made.length(400, 0), made.dtype)
    assert made.find(KEYS, array).tolist() == [sorted(KEYS.tolist()).index(key) for key in KEYS.tolist()]
    assert (made.find(STRANGERS, array) == -1).all()
    assert made.find(KEYS, made.build(KEYS[:0])).tolist() == [-1] * 400
    with pytest.raises(InvalidValueError, match="keys: expected distinct keys"):
        made.build(KEYS[[0, 1, 0]])


@pytest.mark.parametrize("num_codes", [0, 7])
def test_a_table_reads_the_rows_of_exact_keys_in_fewer_bytes(
    kind: type[Dictionary], num_codes: int, tmp_path: Path
) -> None:
    """The rows go from the positions of training to those of the kind."""
    mine, exact = table_of(kind(), num_codes), table_of(EXACT, num_codes)
    both = np.concatenate([KEYS, STRANGERS])
    np.testing.assert_array_equal(mine.vectors(both), exact.vectors(both))
    assert mine.vectors(KEYS)[:, 3].tolist() == (np.arange(400) % (num_codes or 400)).tolist()
    assert mine.ledger().dictionary == exact.ledger().dictionary - 8 * (Tier(300).num_positions + 1 - 300)
    mine.save(tmp_path / "table.hh")
    loaded = hh.load(tmp_path / "table.hh")
    assert loaded.spec == mine.spec
    np.testing.assert_array_equal(loaded.vectors(both), mine.vectors(both))
    pooled = mine.pool(both, [0, 300, 800], mode="max")
    np.testing.assert_array_equal(pooled, exact.pool(both, [0, 300, 800], mode="max"))
    assert mine.rows(both) is None  # no compiled look-up reads it
    assert exact.rows(both) is not None


def test_torch_reads_it_where_the_reference_engine_has_a_finder(
    kind: type[Dictionary], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(kind())
    bag = PackedEmbeddingBag(table)
    keys, offsets = torch.from_numpy(KEYS[:90]), torch.arange(0, 90, 3)
    with pytest.raises(InvalidValueError, match="engine: expected rows that one of reference, cpu can run"):
        bag(keys, offsets)

    def find(keys: torch.Tensor, one: reference.Dictionary) -> torch.Tensor:
        return torch.from_numpy(kind().find(keys.numpy(), one.places.numpy()))

    monkeypatch.setitem(reference.FINDERS, "sorted", find)
    expected = table.vectors(KEYS[:90]).reshape(30, 3, 8).mean(axis=1)
    np.testing.assert_allclose(bag(keys, offsets).numpy(), expected, rtol=1e-6)


def test_a_kind_with_a_finder_trains_itself_and_ships_as_it_is(
    kind: type[Dictionary], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trained(kind):  # type: ignore[misc, valid-type]
        in_training = property(lambda self: self)

    def find(keys: torch.Tensor, one: reference.Dictionary) -> torch.Tensor:
        return torch.from_numpy(Trained().find(keys.numpy(), one.places.numpy()))

    monkeypatch.setitem(reference.FINDERS, "sorted", find)
    spec = TableSpec(300, 20, 8, 2, "sum", tiers=(Tier(300, 32, 0, Trained()),))
    bag = EmbeddingBag(Blueprint(spec, hh.Vocabulary(KEYS[:300])), optimizer=SGD(0.1), init_std=1.0)
    assert bag.head.shape == (300, 8)
    bag(torch.from_numpy(KEYS), torch.arange(0, 400, 2)).sum().backward()
    expected = bag.dense_equivalent(torch.from_numpy(KEYS)).detach().numpy()
    np.testing.assert_allclose(hh.pack(bag).vectors(KEYS), expected, rtol=1e-6)


def test_a_file_of_a_kind_that_nobody_registered(kind: type[Dictionary], tmp_path: Path) -> None:
    table_of(kind()).save(tmp_path / "table.hh")
    remove_dictionary("sorted")
    with pytest.raises(FileFormatError, match="expected one of exact, fingerprints, ribbon, got 'sorted'"):
        hh.load(tmp_path / "table.hh")


def test_a_plan_writes_and_reads_it(kind: type[Dictionary]) -> None:
    tiers = (Tier(22, 8, 0, Fingerprints(16)), Tier(900, 4, 128, kind()))
    lines = write_plan({"deep:joint": tiers})
    assert lines == ("deep:joint = 22/8/16 900/4x128/sorted64",)
    assert read_plan(lines) == {"deep:joint": tiers}
    assert kind().known_by == "behind sorted keys"
    with pytest.raises(InvalidValueError, match="key_bits: expected 64 of sorted keys, got 32"):
        read_plan(["deep:joint = 22/8/sorted32"])


@pytest.mark.parametrize("name", ["exact", "ribbon", "", "Sorted", "b tree", "sorted2"])
def test_names_that_no_kind_can_take(name: str) -> None:
    class Misnamed(ExactKeys):
        pass

    Misnamed.name = name
    for refused in (lambda: register_dictionary(Misnamed), lambda: remove_dictionary(name)):
        with pytest.raises(InvalidValueError, match="name of small letters other than exact, fingerprints"):
            refused()
    assert list(DICTIONARIES) == ["exact", "fingerprints", "ribbon"]
