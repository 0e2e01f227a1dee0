"""What `compare` measured, as the report reads it from the results mapping.

A number that is null or NaN in the mapping is None here, and what may be missing is None or empty.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hybridhash.errors import FileFormatError

RESULTS_FORMAT: Final = "hybridhash-results/1"
REFERENCES: Final = ("full", "baseline")

_DATA_NUMBERS: Final = (
    *("rows", "train_rows", "validation_rows", "test_rows"),
    *("keys", "positives", "mean_label_test", "best_reachable_rce"),
)


@dataclass(frozen=True)
class Shares:
    """How the rows that traffic reads are shared between keys; three shares of the traffic.

    Attributes:
        exclusive: Keys that share none of their rows.
        half_shared: Keys that share some of their rows.
        fully_shared: Keys that share all of their rows.
    """

    exclusive: float
    half_shared: float
    fully_shared: float


@dataclass(frozen=True)
class Feature:
    """One feature of the training span.

    Attributes:
        name: The column's name.
        kind: Such as categorical, numeric, list.
        keys: Distinct keys.
        nulls: Rows without a value.
        singletons: Keys that occur once.
        unseen_share: Share of the later span's traffic with keys the training span does not have.
        coverage: Top K to the share of the feature's traffic on its K most frequent keys.
        curve_ranks: Ranks at which the frequency curve is known, rising.
        curve_shares: Cumulative share of the traffic of the keys up to each rank.
    """

    name: str
    kind: str
    keys: float | None
    nulls: float | None
    singletons: float | None
    unseen_share: float | None
    coverage: Mapping[int, float | None]
    curve_ranks: tuple[float, ...]
    curve_shares: tuple[float, ...]


@dataclass(frozen=True)
class Method:
    """One method, trained once per seed.

    Attributes:
        name: The method's name.
        rows: Rows of its embedding tables.
        embedding_bytes: Bytes of the embeddings with their dictionary.
        share_of_baseline: Those bytes divided by the baseline's.
        ledger: Bytes by part.
        file_bytes: Size of the exported bundle.
        rce: One per seed that gave a number.
        rce_mean: Mean over seeds, in percent.
        rce_std: Standard deviation over seeds; None with fewer than two.
        auc_mean: Mean over seeds.
        log_loss_mean: Mean over seeds, in nats.
        normalised_entropy_mean: Mean over seeds.
        calibration_mean: Mean over seeds.
        gauc_mean: Mean over seeds of the AUC within groups; None where no group was named.
        ndcg_mean: Mean over seeds of NDCG@10 within groups.
        train_steps_per_s: Training speed.
        train_s: Time of training.
        settings: Name to value, as used.
        predicted: Collisions that theory expects, or None.
        measured: Collisions that were counted, or None.
        bundle: The exported file's name, or None.
        diverged: Why training of a seed left the finite numbers; empty where none did.
    """

    name: str
    rows: float | None
    embedding_bytes: float
    share_of_baseline: float | None
    ledger: Mapping[str, float | None]
    file_bytes: float | None
    rce: tuple[float, ...]
    rce_mean: float | None
    rce_std: float | None
    auc_mean: float | None
    log_loss_mean: float | None
    normalised_entropy_mean: float | None
    calibration_mean: float | None
    gauc_mean: float | None
    ndcg_mean: float | None
    train_steps_per_s: float | None
    train_s: float | None
    settings: Mapping[str, Any]
    predicted: Shares | None
    measured: Shares | None
    bundle: str | None
    diverged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A whole run of `compare`.

    Attributes:
        version: The hybridhash that wrote it.
        command: The command line.
        created: ISO time.
        machine: Name to value: processor, cores, versions.
        data: Name to value: source, rows, keys, positives, split and more.
        best_reachable_rce: What no model can pass, where the data's truth is known.
        features: In schema order.
        budget: ``asked``, ``bytes``, ``baseline_bytes``.
        methods: In the order they were run.
        notes: What a reader should know.
    """

    version: str
    command: str
    created: str
    machine: Mapping[str, Any]
    data: Mapping[str, Any]
    best_reachable_rce: float | None
    features: tuple[Feature, ...]
    budget: Mapping[str, Any]
    methods: tuple[Method, ...]
    notes: tuple[str, ...] = ()

    def best_compressed(self) -> list[Method]:
        """Return the methods other than full and baseline that have an RCE, best first.

        Methods of equal RCE keep their order.
        """
        compressed = [m for m in self.methods if m.name not in REFERENCES and m.rce_mean is not None]
        return sorted(compressed, key=lambda method: -(method.rce_mean or 0.0))


def read_results(results: Mapping[str, Any]) -> Comparison:
    """Read the mapping that `results.json` holds.

    Args:
        results: The mapping, of format ``hybridhash-results/1``.

    Returns:
        The comparison.

    Raises:
        FileFormatError: Another format, or a part that has to be there is missing or of the wrong kind.
    """
    found = results.get("format")
    if found != RESULTS_FORMAT:
        raise FileFormatError(
            f"results: expected format {RESULTS_FORMAT!r}, got {found!r}; read it with the version "
            f"that wrote it, {results.get('version', 'unknown')}"
        )
    data = _mapping(results, "data", "results")
    methods = tuple(_method(entry, f"methods[{i}]") for i, entry in _entries(results, "methods", "results"))
    if not methods:
        raise FileFormatError("results: expected at least one method, got none; run the comparison again")
    features = _entries(data, "features", "data") if "features" in data else iter(())
    return Comparison(
        version=str(results.get("version", "")),
        command=str(results.get("command", "")),
        created=str(results.get("created", "")),
        machine=_mapping(results, "machine", "results") if "machine" in results else {},
        data={
            name: _number(value, f"data.{name}") if name in _DATA_NUMBERS else value
            for name, value in data.items()
            if name != "features"
        },
        best_reachable_rce=_number(data.get("best_reachable_rce"), "data.best_reachable_rce"),
        features=tuple(_feature(entry, f"data.features[{i}]") for i, entry in features),
        budget={
            name: value if name == "asked" else _number(value, f"budget.{name}")
            for name, value in _mapping(results, "budget", "results").items()
        },
        methods=methods,
        notes=(
            *([str(data["note"])] if data.get("note") else []),
            *map(str, results.get("notes") or ()),
            *(f"{method.name}: {reason}" for method in methods for reason in method.diverged),
        ),
    )


def _method(entry: Mapping[str, Any], where: str) -> Method:
    def number(name: str) -> float | None:
        return _number(entry.get(name), f"{where}.{name}")

    embedding_bytes = number("embedding_bytes")
    if embedding_bytes is None:
        raise FileFormatError(f"results: expected a number in {where}.embedding_bytes, got none")
    rce = _numbers(entry.get("rce") or (), f"{where}.rce")
    collisions = entry.get("collisions") or {}
    return Method(
        name=_name(entry, where),
        rows=number("rows"),
        embedding_bytes=embedding_bytes,
        share_of_baseline=number("share_of_baseline"),
        ledger={str(k): _number(v, f"{where}.ledger") for k, v in (entry.get("ledger") or {}).items()},
        file_bytes=number("file_bytes"),
        rce=rce,
        rce_mean=number("rce_mean"),
        rce_std=number("rce_std") if len(rce) > 1 else None,
        auc_mean=number("auc_mean"),
        log_loss_mean=number("log_loss_mean"),
        normalised_entropy_mean=number("normalised_entropy_mean"),
        calibration_mean=number("calibration_mean"),
        gauc_mean=number("gauc_mean"),
        ndcg_mean=number("ndcg_mean"),
        train_steps_per_s=number("train_steps_per_s"),
        train_s=number("train_s"),
        settings=entry.get("settings") or {},
        predicted=_shares(collisions.get("predicted"), f"{where}.collisions.predicted"),
        measured=_shares(collisions.get("measured"), f"{where}.collisions.measured"),
        bundle=None if entry.get("bundle") is None else str(entry["bundle"]),
        diverged=tuple(map(str, entry.get("diverged") or ())),
    )


def _feature(entry: Mapping[str, Any], where: str) -> Feature:
    def number(name: str) -> float | None:
        return _number(entry.get(name), f"{where}.{name}")

    curve = entry.get("curve") or {}
    ranks = _numbers(curve.get("rank") or (), f"{where}.curve.rank")
    shares = _numbers(curve.get("share") or (), f"{where}.curve.share")
    if len(ranks) != len(shares):
        raise FileFormatError(
            f"results: expected as many ranks as shares in {where}.curve, got {len(ranks)} and {len(shares)}"
        )
    coverage = (entry.get("coverage") or {}).items()
    return Feature(
        name=_name(entry, where),
        kind=str(entry.get("kind", "")),
        keys=number("keys"),
        nulls=number("nulls"),
        singletons=number("singletons"),
        unseen_share=number("unseen_share"),
        coverage={int(top): _number(share, f"{where}.coverage") for top, share in coverage},
        curve_ranks=ranks,
        curve_shares=shares,
    )


def _shares(entry: Mapping[str, Any] | None, where: str) -> Shares | None:
    names = ("exclusive", "half_shared", "fully_shared")
    values = _numbers([(entry or {}).get(name) for name in names], where)
    return Shares(*values) if len(values) == len(names) else None


def _mapping(parent: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise FileFormatError(f"{where}: expected a mapping under {name!r}, got {type(value).__name__}")
    return value


def _entries(parent: Mapping[str, Any], name: str, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    entries = parent.get(name)
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, Mapping) for entry in entries):
        raise FileFormatError(
            f"{where}: expected a list of mappings under {name!r}, got {type(entries).__name__}"
        )
    return enumerate(entries)


def _name(entry: Mapping[str, Any], where: str) -> str:
    if not isinstance(entry.get("name"), str):
        raise FileFormatError(f"results: expected a string in {where}.name, got {entry.get('name')!r}")
    return str(entry["name"])


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FileFormatError(f"results: expected a number or null in {where}, got {value!r}")
    return value if math.isfinite(value) else None


def _numbers(values: Any, where: str) -> tuple[float, ...]:
    return tuple(number for value in values if (number := _number(value, where)) is not None)
