import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridhash.data import Columns, Label, open_source
from hybridhash.errors import InvalidValueError
from hybridhash.experiments import DataSettings, Silence
from hybridhash.trials.prepare import prepare_rows, resolve_columns, work_folder


class Notes(Silence):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """Twenty rows of both labels in both spans; one has a label that cannot be used, one a broken number."""
    rows = [f"{index % 5},{index % 2},{index}" for index in range(20)]
    rows[3] = "1,7,3"
    rows[6] = "1,0,x"
    path = tmp_path / "rows.csv"
    path.write_text("u,y,price\n" + "\n".join(rows) + "\n")
    return path


def settings(**changes: Any) -> DataSettings:
    return DataSettings(**{"label": "y", "categorical": ("u",), "numeric": ("price",), **changes})


def test_counts_the_keys_of_the_training_span(clicks: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(clicks).sort_by("ts").to_pydict()
    chosen = DataSettings(label="clicked", categorical=("user_id", "site"), time="ts", split="time:0.5")
    prepared = prepare_rows([str(clicks)], chosen, tmp_path / "work", Silence())
    num_train = prepared.dataset.split.num_train + prepared.dataset.split.num_validation
    users, sites = (set(table[name][:num_train]) for name in ("user_id", "site"))
    assert prepared.counts.num_keys == len(users) + len(sites)
    assert prepared.counts.num_rows == num_train
    assert prepared.count_test().num_rows == 1200 - num_train
    assert prepared.source == str(clicks)
    assert prepared.files == (str(clicks),)


def test_the_settings_name_the_validation(csv: Path, tmp_path: Path) -> None:
    lines = csv.read_text().replace("1,7,3", "3,1,3").replace("1,0,x", "1,0,6")
    csv.write_text(lines)
    chosen = settings(split="column:u=4", validation="column:u=3")
    dataset = prepare_rows([str(csv)], chosen, tmp_path / "work", Silence()).dataset
    users = [int(line.partition(",")[0]) for line in lines.splitlines()[1:]]
    assert dataset.rows.part.tolist() == [{4: 2, 3: 1}.get(user, 0) for user in users]
    with pytest.raises(InvalidValueError, match="validation: expected none with split time"):
        prepare_rows([str(csv)], settings(validation="column:u=3"), tmp_path / "work", Silence())


def test_says_what_was_skipped(csv: Path, tmp_path: Path) -> None:
    heard = Notes()
    prepared = prepare_rows([str(csv)], settings(on_error="skip"), tmp_path / "work", heard)
    assert prepared.dataset.num_rows == 18
    assert sum(prepared.dataset.skipped.values()) == 2
    assert heard.notes[0] == "no time column: split by the order of the rows in the file"
    assert heard.notes[1].startswith("skipped rows: 1 (column ")
    assert "'y'" in heard.notes[1]
    assert "'price'" in heard.notes[1]


def test_refuses_no_data(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="data: expected one or more files, got none"):
        prepare_rows([], settings(), tmp_path, Silence())


def test_columns_come_from_the_settings(csv: Path) -> None:
    columns = resolve_columns(open_source(str(csv)), settings(label="y>=1", list=("tags",)))
    assert columns == Columns(Label("y", ">=", 1.0), ("u",), ("price",), ("tags",))


def test_settings_win_over_the_formats_columns(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::2::9::100\n2::3::4::200\n")
    (tmp_path / "movies.dat").write_text("2::Alien (1979)::Horror|Sci-Fi\n3::Heat (1995)::Crime\n")
    source = open_source(str(tmp_path), "movietweetings")
    known = resolve_columns(source, DataSettings())
    assert (str(known.label), known.categorical, known.lists) == (
        "rating>=8",
        ("user", "movie", "year"),
        ("genres",),
    )
    mine = resolve_columns(source, DataSettings(label="rating>=5", categorical=("user",)))
    assert (str(mine.label), mine.categorical, mine.lists) == ("rating>=5", ("user",), ("genres",))


def test_refuses_no_label_and_no_features(csv: Path) -> None:
    with pytest.raises(InvalidValueError, match="--label: expected what to predict"):
        resolve_columns(open_source(str(csv)), settings(label=None))
    with pytest.raises(InvalidValueError, match="at least one feature"):
        resolve_columns(open_source(str(csv)), DataSettings(label="y"))


def test_the_work_folder_is_gone_afterwards(tmp_path: Path) -> None:
    with work_folder(DataSettings(work_dir=tmp_path)) as folder:
        assert folder.parent == tmp_path
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_is_gone_too(tmp_path: Path) -> None:
    code = "import sys, time; from hybridhash.trials.prepare import *; from hybridhash.trials.settings import *\n"
    code += "with work_folder(DataSettings(work_dir=sys.argv[1])) as folder:\n"
    code += "    (folder / 'x').touch(); print(flush=True); time.sleep(99)"
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        with work_folder(DataSettings(work_dir=tmp_path)):
            assert len(list(tmp_path.iterdir())) == 2
        process.kill()
    with work_folder(DataSettings(work_dir=tmp_path)) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_refuses_a_work_folder_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidValueError, match="--work-dir: expected a folder that can be written to"),
        work_folder(DataSettings(work_dir=tmp_path / "absent")),
    ):
        pass
