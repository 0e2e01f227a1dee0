"""The bundle: one file that holds all that serving needs, and its torch-free reader."""

from typing import TYPE_CHECKING, Any

from hybridhash.errors import MissingDependencyError
from hybridhash.export.reader import Predictor, load, load_model

if TYPE_CHECKING:
    from hybridhash.export.bundle import model_spec, model_tensors, save_bundle

__all__ = ["Predictor", "load", "load_model", "model_spec", "model_tensors", "save_bundle"]


def __getattr__(name: str) -> Any:
    if name not in ("model_spec", "model_tensors", "save_bundle"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from hybridhash.export import bundle
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name}: expected {error.name} to be installed; run pip install 'hybridhash[train]'"
        ) from error
    return getattr(bundle, name)
