"""Look-ups and bags on tensors, behind one door: `engine_for` gives the engine that runs a request.

`reference` is the definition in plain torch, `cpu` the compiled engine.
"""

from hybridhash.kernels import cpu, reference
from hybridhash.kernels.cpu.engine import CpuEngine
from hybridhash.kernels.cpu.tensors import empty_rows, from_numpy, has_values, is_transformed
from hybridhash.kernels.engine import (
    AUTO,
    Engine,
    Index,
    Request,
    check_engine,
    engine_for,
    engine_names,
    register_engine,
    remove_engine,
)
from hybridhash.kernels.reference.engine import ReferenceEngine

register_engine(ReferenceEngine())
register_engine(CpuEngine())

__all__ = [
    "AUTO",
    "Engine",
    "Index",
    "Request",
    "check_engine",
    "cpu",
    "empty_rows",
    "engine_for",
    "engine_names",
    "from_numpy",
    "has_values",
    "is_transformed",
    "reference",
    "register_engine",
    "remove_engine",
]
