"""The compressed table, without torch: what it is to be, what is shipped, and the file that holds it."""

from hybridhash.tables.blueprint import Blueprint

__all__ = ["Blueprint"]
