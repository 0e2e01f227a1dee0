import math
import re
from typing import Any

import pytest

from hybridhash.errors import FileFormatError
from hybridhash.report import Shares, read_results


def test_the_values_are_read(results: dict[str, Any]) -> None:
    comparison = read_results(results)
    assert [method.name for method in comparison.methods] == [
        "full", "baseline", "hashed", "double", "frequency", "hybrid"
    ]  # fmt: skip
    hybrid = comparison.methods[-1]
    assert hybrid.embedding_bytes == 444_800
    assert hybrid.rce == (17.4, 17.7, 17.5)
    assert hybrid.predicted == Shares(0.62, 0.33, 0.05)
    assert hybrid.measured == Shares(0.61, 0.34, 0.05)
    assert comparison.methods[0].predicted is None
    assert comparison.best_reachable_rce == 19.25
    assert comparison.features[0].coverage == {1000: 0.8, 10_000: 0.95, 100_000: 1.0}
    assert comparison.budget["asked"] == "10%"


def test_the_best_compressed_methods_come_first_and_references_do_not_count(results: dict[str, Any]) -> None:
    results["methods"][2]["rce_mean"] = math.nan
    ranked = [method.name for method in read_results(results).best_compressed()]
    assert ranked == ["hybrid", "frequency", "double"]


def test_nan_and_null_are_none(results: dict[str, Any]) -> None:
    hybrid = results["methods"][-1]
    hybrid.update(rce=[17.0, None, math.nan], auc_mean=math.nan, log_loss_mean=None, collisions=None)
    del hybrid["calibration_mean"]
    results["data"].update(best_reachable_rce=None, positives=math.inf)
    comparison = read_results(results)
    method = comparison.methods[-1]
    assert method.rce == (17.0,)
    assert (method.auc_mean, method.log_loss_mean, method.calibration_mean) == (None, None, None)
    assert method.rce_std is None  # one seed has no spread, whatever the mapping says
    assert comparison.best_reachable_rce is None
    assert comparison.data["positives"] is None


def test_features_and_machine_may_be_missing(results: dict[str, Any]) -> None:
    del results["data"]["features"], results["machine"]
    comparison = read_results(results)
    assert comparison.features == ()
    assert comparison.machine == {}


def test_another_format_is_refused_by_name(results: dict[str, Any]) -> None:
    results.update(format="hybridhash-results/2", version="9.9.9")
    with pytest.raises(
        FileFormatError,
        match=re.escape("got 'hybridhash-results/2'; read it with the version that wrote it, 9.9.9"),
    ):
        read_results(results)
    with pytest.raises(FileFormatError, match="got None"):
        read_results({})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("data",), None, "expected a mapping under 'data', got NoneType"),
        (("budget",), [], "expected a mapping under 'budget', got list"),
        (("methods",), {}, "expected a list of mappings under 'methods', got dict"),
        (("methods",), [1], "expected a list of mappings under 'methods', got list"),
        (("methods",), [], "expected at least one method, got none"),
        (("methods", 0, "name"), None, "expected a string in methods[0].name, got None"),
        (
            ("methods", 1, "embedding_bytes"),
            math.nan,
            "expected a number in methods[1].embedding_bytes, got none",
        ),
        (("methods", 1, "auc_mean"), "0.7", "expected a number or null in methods[1].auc_mean, got '0.7'"),
        (("methods", 1, "rows"), True, "expected a number or null in methods[1].rows, got True"),
        (("data", "rows"), "many", "expected a number or null in data.rows, got 'many'"),
        (("budget", "bytes"), "many", "expected a number or null in budget.bytes, got 'many'"),
        (
            ("data", "features", 2, "curve", "rank"),
            [1],
            "expected as many ranks as shares in data.features[2].curve",
        ),
    ],
)
def test_a_broken_part_is_named(
    results: dict[str, Any], path: tuple[Any, ...], value: Any, message: str
) -> None:
    part: Any = results
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(FileFormatError, match=re.escape(message)):
        read_results(results)
