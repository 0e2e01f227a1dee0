"""Benchmarks: programs on the public API that measure against peers; ``python -m benchmarks`` runs them."""
