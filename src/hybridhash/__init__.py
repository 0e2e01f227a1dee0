"""Embedding tables of a recommender at a tenth of their size."""
