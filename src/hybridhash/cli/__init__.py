"""The ``hybridhash`` command."""

from hybridhash.cli.entry import main

__all__ = ["main"]
