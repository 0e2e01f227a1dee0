"""The parts of a ledger add up."""

from dataclasses import fields

from hybridhash.spec import Ledger

# Powers of two: every subset has a sum of its own.
PARTS = {field.name: 1 << place for place, field in enumerate(fields(Ledger))}


def test_the_parts_are_those_of_the_design_page() -> None:
    assert list(PARTS) == [
        "head_rows",
        "tail_rows",
        "scales",
        "dictionary",
        "codes",
        "wide_weights",
        "dense_layers",
        "discretiser",
        "metadata",
    ]


def test_total_is_all_parts() -> None:
    assert Ledger(**PARTS).total_bytes == 0b111111111


def test_embedding_bytes_are_what_a_budget_speaks_of() -> None:
    of_embeddings = ("head_rows", "tail_rows", "scales", "dictionary", "codes", "wide_weights")
    assert Ledger(**PARTS).embedding_bytes == sum(PARTS[name] for name in of_embeddings)


def test_addition_is_part_by_part() -> None:
    other = Ledger(**{name: 1000 * (place + 1) for place, name in enumerate(PARTS)})
    total = Ledger(**PARTS) + other
    assert total.as_dict() == {name: PARTS[name] + 1000 * (place + 1) for place, name in enumerate(PARTS)}


def test_an_empty_ledger_changes_nothing() -> None:
    assert Ledger() + Ledger(**PARTS) == Ledger(**PARTS)
    assert Ledger().total_bytes == 0


def test_as_dict_is_what_the_constructor_takes() -> None:
    assert Ledger(**Ledger(**PARTS).as_dict()) == Ledger(**PARTS)
