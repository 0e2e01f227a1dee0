"""What hybridhash raises when a caller or the data is at fault.

Every class is also the built-in exception a Python programmer would expect, so that
``except ValueError`` keeps working. A message says what was expected, what came, and what to do.
"""


class HybridHashError(Exception):
    """The base of everything hybridhash raises on purpose."""


class InvalidValueError(HybridHashError, ValueError):
    """An argument has the right type and a value that cannot be used."""


class InvalidTypeError(HybridHashError, TypeError):
    """An argument has a type that cannot be used."""


class DataError(HybridHashError, ValueError):
    """The data cannot be used; the message names the file, column and row where it is known."""


class FileFormatError(HybridHashError, ValueError):
    """A file of ours is cut short, altered, foreign, or of a newer version."""


class FileAccessError(HybridHashError, OSError):
    """A file cannot be opened, read or written where it was asked for."""


class BudgetError(HybridHashError, ValueError):
    """A byte budget cannot be met; the message says the smallest that can."""


class MissingDependencyError(HybridHashError, ImportError):
    """An optional package is not installed; the message says the line that installs it."""


class DivergedError(HybridHashError, ArithmeticError):
    """Training left the finite numbers; the message says at which step and what to change."""


class WorkerError(HybridHashError, RuntimeError):
    """A worker process failed or was killed; the message has its own error."""
