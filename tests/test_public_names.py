"""The names that `import hybridhash as hh` promises."""

import importlib
import pkgutil

import pytest

import hybridhash as hh

PROMISED = {
    "Counts",
    "DoubleHashEmbeddingBag",
    "EmbeddingBag",
    "FrequencyEmbeddingBag",
    "FullEmbeddingBag",
    "HashEmbeddingBag",
    "HybridEmbeddingBag",
    "HybridHashError",
    "Plan",
    "Predictor",
    "RelativeCrossEntropy",
    "ShippedTable",
    "Vocabulary",
    "count",
    "hash_keys",
    "load",
    "pack",
    "metrics",
    "plan",
    "theory",
}
ROOMS = [info.name for info in pkgutil.iter_modules(hh.__path__) if info.ispkg]


def test_every_promised_name_is_public() -> None:
    assert set(hh.__all__) >= PROMISED


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_public_name_resolves(room: str) -> None:
    """Those that are imported when they are asked for, too."""
    module = importlib.import_module(f"hybridhash.{room}".rstrip("."))
    assert not [name for name in module.__all__ if not hasattr(module, name)]


def test_the_promised_attributes() -> None:
    for name in ("birthday_probability", "expected_collisions", "collision_rate", "double_collision_rate"):
        assert callable(getattr(hh.theory, name))
    assert callable(hh.theory.hybrid_collision_rate)
    assert callable(hh.metrics.relative_cross_entropy)
    assert callable(hh.Counts.top)
    for name in ("lookup", "save", "load"):
        assert callable(getattr(hh.Vocabulary, name))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'hybridhash' has no attribute 'Embedding'"):
        hh.Embedding  # noqa: B018
