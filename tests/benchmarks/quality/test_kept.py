"""Rows outlive their process, and hold the settings that name them."""

from pathlib import Path

from benchmarks.quality.kept import Kept


def test_a_row_is_found_by_its_settings_and_only_by_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    kept = Kept(path)
    assert kept.get({"method": "a", "seed": 0}) is None
    row = kept.add({"method": "a", "seed": 0}, {"rce": 1.5})
    kept.add({"method": "a", "seed": 1}, {"rce": 2.5})
    assert (row["method"], row["seed"], row["rce"]) == ("a", 0, 1.5)
    for reader in (kept, Kept(path)):
        assert reader.get({"seed": 0, "method": "a"}) == row
        assert reader.get({"method": "a"}) is None


def test_two_writers_of_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first, second = Kept(path), Kept(path)
    first.add({"seed": 0}, {"rce": 1.0})
    second.add({"seed": 1}, {"rce": 2.0})
    first.add({"seed": 0}, {"rce": 3.0})
    again = Kept(path)
    assert [again.get({"seed": seed})["rce"] for seed in (0, 1)] == [3.0, 2.0]  # type: ignore[index]
