"""Lookups and bags on tensors; `reference` is the definition."""

from hybridhash.kernels import reference

__all__ = ["reference"]
