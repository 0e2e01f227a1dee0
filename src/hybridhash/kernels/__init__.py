"""Lookups and bags on tensors; `reference` is the definition, `cpu` the compiled engine."""

from hybridhash.kernels import cpu, reference

__all__ = ["cpu", "reference"]
