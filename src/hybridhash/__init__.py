"""Embedding tables of a recommender at a tenth of their size.

Parts that need torch or the data stack load when they are first asked for; without them
``pip install hybridhash`` can hash, plan and serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hybridhash import metrics, theory
from hybridhash.errors import HybridHashError, MissingDependencyError
from hybridhash.export import Predictor, load
from hybridhash.hashing import hash_keys
from hybridhash.planner import Plan, plan
from hybridhash.tables import Blueprint, ShippedTable
from hybridhash.vocabulary import Counts, Vocabulary, count

if TYPE_CHECKING:
    from hybridhash import optim
    from hybridhash.embeddings import (
        DoubleHashEmbeddingBag,
        EmbeddingBag,
        FrequencyEmbeddingBag,
        FullEmbeddingBag,
        HashEmbeddingBag,
        HybridEmbeddingBag,
        measure_sensitivity,
        pack,
    )
    from hybridhash.metrics import RelativeCrossEntropy

__version__ = "0.1.0"

_LAZY: Final = {
    "DoubleHashEmbeddingBag": "embeddings",
    "EmbeddingBag": "embeddings",
    "FrequencyEmbeddingBag": "embeddings",
    "FullEmbeddingBag": "embeddings",
    "HashEmbeddingBag": "embeddings",
    "HybridEmbeddingBag": "embeddings",
    "RelativeCrossEntropy": "metrics",
    "measure_sensitivity": "embeddings",
    "optim": "",
    "pack": "embeddings",
}

__all__ = [
    "Blueprint",
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
    "__version__",
    "count",
    "hash_keys",
    "load",
    "measure_sensitivity",
    "metrics",
    "optim",
    "pack",
    "plan",
    "theory",
]


def __getattr__(name: str) -> Any:
    """Load what needs torch when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        if not _LAZY[name]:
            return import_module(f"hybridhash.{name}")
        return getattr(import_module(f"hybridhash.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name}: expected {error.name} to be installed; run pip install 'hybridhash[train]'"
        ) from error
