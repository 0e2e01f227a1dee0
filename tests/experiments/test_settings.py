from pathlib import Path
from typing import Any

import pytest

from hybridhash.errors import BudgetError, InvalidValueError
from hybridhash.experiments import (
    CompareSettings,
    ProfileSettings,
    SingleSettings,
    merge_settings,
    read_experiment,
)
from hybridhash.planner import METHODS


def experiment(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "experiment.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_names_of_flags_in_both_spellings(tmp_path: Path) -> None:
    path = experiment(
        tmp_path, 'data = ["a.csv", "b.csv"]\nlabel = "y"\nlearning-rate = [0.1, 0.2]\nbatch_size = 7\n'
    )
    file = read_experiment(path)
    assert file == {
        "data": ["a.csv", "b.csv"],
        "label": "y",
        "learning_rate": [0.1, 0.2],
        "batch_size": 7,
    }


def test_one_file_of_data_needs_no_list(tmp_path: Path) -> None:
    assert read_experiment(experiment(tmp_path, 'data = "a.csv"'))["data"] == ["a.csv"]
    assert read_experiment(experiment(tmp_path, "data = 2020-01-01"))["data"] == ["2020-01-01"]


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = read_experiment(experiment(tmp_path, 'label = "y"\ndim = 8\nepochs = 2\n'))
    settings = merge_settings(CompareSettings, file, {"dim": 3})
    assert (settings.label, settings.dim, settings.epochs) == ("y", 3, 2)
    assert settings.hidden == CompareSettings().hidden


def test_names_of_other_commands_are_no_error(tmp_path: Path) -> None:
    file = read_experiment(experiment(tmp_path, "seeds = 5\nseed = 3\nlearning_rate = 0.5\n"))
    assert merge_settings(ProfileSettings, file, {}) == ProfileSettings()
    assert merge_settings(SingleSettings, file, {}).seed == 3
    assert merge_settings(CompareSettings, file, {}).seeds == 5


def test_an_unknown_name_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"got 'learning_rat'; did you mean 'learning_rate'\?"):
        read_experiment(experiment(tmp_path, "learning-rat = 0.1"))
    with pytest.raises(InvalidValueError, match="expected names of flags, got 'compare'"):
        read_experiment(experiment(tmp_path, "[compare]\ndim = 3"))


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="cannot read it"):
        read_experiment(tmp_path / "absent.toml")
    with pytest.raises(InvalidValueError, match="expected TOML"):
        read_experiment(experiment(tmp_path, "label = "))
    (tmp_path / "latin.toml").write_bytes('label = "größe"'.encode("latin-1"))
    with pytest.raises(InvalidValueError, match="expected TOML"):
        read_experiment(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a,b", ("a", "b")),
        (" a , b ,", (" a ", " b ")),  # which spaces are of the name, the columns say
        ('"a, b",c', ("a, b", "c")),
        (["a", "b,c"], ("a", "b,c")),
        (("a",), ("a",)),
        ("", ()),
    ],
)
def test_lists_are_separated_by_commas(given: Any, expected: tuple[str, ...]) -> None:
    assert merge_settings(CompareSettings, {}, {"categorical": given}).categorical == expected


def test_a_budget_without_quotes(tmp_path: Path) -> None:
    file = read_experiment(experiment(tmp_path, "budget = 400_000"))
    assert merge_settings(CompareSettings, file, {}).budget == "400000"
    file = read_experiment(experiment(tmp_path, "budget = 0.1"))
    with pytest.raises(BudgetError, match="did you mean '10%'"):
        merge_settings(CompareSettings, file, {})


def test_lists_of_numbers() -> None:
    settings = merge_settings(CompareSettings, {"hidden": "8,4", "learning_rate": 0.5}, {})
    assert (settings.hidden, settings.learning_rate) == ((8, 4), (0.5,))
    assert merge_settings(CompareSettings, {}, {"learning_rate": "0.1,1e-2"}).learning_rate == (0.1, 0.01)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dim", 0, "--dim: input should be greater than or equal to 1, got 0"),
        ("hidden", "8,0", "--hidden: .* got '0'"),
        ("learning_rate", "0", "--learning-rate: .* greater than 0, got '0'"),
        ("learning_rate", "inf", "--learning-rate: "),
        ("learning_rate", "", "--learning-rate: .* at least 1 item"),
        ("batch_size", 0, "--batch-size: "),
        ("batch_size", "many", "--batch-size: .* got 'many'"),
        ("epochs", 0, "--epochs: "),
        ("patience", 0, "--patience: "),
        ("seeds", 0, "--seeds: "),
        ("num_bins", 1, "--num-bins: "),
        ("num_bins", 65537, "--num-bins: "),
        ("num_hashes", 0, "--num-hashes: "),
        ("validation_share", 1.0, "--validation-share: "),
        ("validation_share", 0, "--validation-share: "),
        ("head_share", 1, "--head-share: "),
        ("head_share", -0.1, "--head-share: "),
        ("init_std", -1, "--init-std: "),
        ("init_std", float("inf"), "--init-std: "),
        ("model", "transformer", "--model: .*'wide-deep' or 'mlp', got 'transformer'"),
        ("tables", "two", "--tables: "),
        ("combine", "max", "--combine: "),
        ("optimizer", "ftrl", "--optimizer: "),
        ("format", "parquet", "--format: "),
        ("on_error", "ignore", "--on-error: "),
        ("categorical", 2020, "--categorical: "),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message) as caught:
        merge_settings(CompareSettings, {}, {name: value})
    assert "\n" not in str(caught.value)


def test_an_unknown_method_is_named() -> None:
    for kind, value in ((CompareSettings, "hybrid,hybird"), (SingleSettings, "hybird")):
        with pytest.raises(InvalidValueError, match=r"--method: expected one of full, .* got 'hybird'"):
            merge_settings(kind, {}, {"method": value})


def test_every_setting_has_its_help() -> None:
    for kind in (CompareSettings, SingleSettings, ProfileSettings):
        for name, field in kind.model_fields.items():
            assert field.description, name


def test_compares_all_methods_by_default() -> None:
    assert CompareSettings().method == tuple(METHODS)
    assert SingleSettings().method in METHODS
