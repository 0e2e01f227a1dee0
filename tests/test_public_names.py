"""The names that `import hybridhash as hh` promises."""

import importlib
import pkgutil

import pytest

import hybridhash as hh

PROMISED = {
    "Counts",
    "DoubleHashEmbeddingBag",
    "FrequencyEmbeddingBag",
    "FullEmbeddingBag",
    "HashEmbeddingBag",
    "HybridEmbeddingBag",
    "HybridHashError",
    "Plan",
    "Predictor",
    "RelativeCrossEntropy",
    "Vocabulary",
    "count",
    "hash_keys",
    "load",
    "metrics",
    "plan",
    "theory",
}
ROOMS = [info.name for info in pkgutil.iter_modules(hh.__path__) if info.ispkg]


def test_every_promised_name_is_public() -> None:
    assert set(hh.__all__) >= PROMISED


@pytest.mark.parametrize("name", hh.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(hh, name) is not None


def test_they_stand_in_order() -> None:
    assert hh.__all__ == sorted(hh.__all__)


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_resolves(room: str) -> None:
    module = importlib.import_module(f"hybridhash.{room}")
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_promised_attributes() -> None:
    for name in ("birthday_probability", "expected_collisions", "collision_rate", "double_collision_rate"):
        assert callable(getattr(hh.theory, name))
    assert callable(hh.theory.hybrid_collision_rate)
    assert callable(hh.metrics.relative_cross_entropy)
    assert callable(hh.Counts.top)
    for name in ("lookup", "save", "load"):
        assert callable(getattr(hh.Vocabulary, name))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'hybridhash' has no attribute 'EmbeddingBag'"):
        hh.EmbeddingBag  # noqa: B018
