from pathlib import Path

from paper.rows import Rows, row_key


def test_rows_are_there_again_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    first, second = row_key(seed=0, method="hybrid"), row_key(seed=1, method="hybrid")
    rows = Rows(path)
    assert rows.get(first) is None
    rows.keep(first, {"rce": 1.5})
    rows.keep(second, {"rce": 2.5})
    again = Rows(path)
    assert again.get(first) == {"key": first, "rce": 1.5}
    assert again.only([second]) == [{"key": second, "rce": 2.5}]
    assert len(path.read_text().splitlines()) == 1


def test_two_writers_of_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first, second = Rows(path), Rows(path)
    first.keep("a", {"rce": 1.0})
    second.keep("b", {"rce": 2.0})
    first.keep("a", {"rce": 3.0})
    again = Rows(path)
    assert [again.get(key) for key in "ab"] == [{"key": "a", "rce": 3.0}, {"key": "b", "rce": 2.0}]


def test_a_key_depends_on_every_setting_and_not_on_their_order() -> None:
    assert row_key(a=1, b=2) == row_key(b=2, a=1)
    assert len({row_key(a=1, b=2), row_key(a=1, b=3), row_key(a=1), row_key(a=1, c=2)}) == 4
