"""What the metrics as torchmetrics classes have in common: fed batch by batch, merged across processes.

Each class keeps what its function needs and calls the same code, so a stream of batches, two merged metrics and one
call of the function on all rows agree. Input is checked and clipped batch by batch as the functions do.

Calling a metric (``metric(predictions, labels)``) takes a batch in as ``update`` does and returns the value of that
batch alone. A batch may have none: AUC compares positive with negative rows, and a batch may hold one label. The value
is then NaN, and the rows are taken in all the same.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Literal, get_args

import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors

from hybridhash.errors import InvalidTypeError, InvalidValueError

Undefined = Literal["raise", "nan"]


class StreamingMetric(Metric):
    """A metric whose states add up or join, and whose earlier rows no failure touches.

    Args:
        undefined: What ``compute`` does where the rows so far have no value, such as the AUC of rows of one label:
            ``raise`` an error, or return ``nan``. A training loop that is not to end for want of a positive row, as
            in the first look at a few batches that some loops take, wants ``nan``.
        **kwargs: What ``torchmetrics.Metric`` takes, such as ``dist_sync_fn``.

    Raises:
        InvalidValueError: An unknown ``undefined``.
    """

    full_state_update = False
    is_differentiable = False

    columns: ClassVar[Mapping[str, torch.dtype]] = {}
    """Lists of tensors that hold a value for each row, with their types."""

    def __init__(self, *, undefined: Undefined = "raise", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if undefined not in get_args(Undefined):
            raise InvalidValueError(f"undefined: expected 'raise' or 'nan', got {undefined!r}")
        self.undefined: Final[Undefined] = undefined
        self._of_one_batch = False
        for name in self.columns:
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch and return its own value; NaN where it has none.

        Args:
            *args: What ``update`` takes.
            **kwargs: The same by name.

        Raises:
            HybridHashError: The batch cannot be used; it then leaves no trace.
        """
        before = dict(vars(self))
        for name in self.columns:  # torchmetrics empties the lists in place, which others may share
            setattr(self, name, list(getattr(self, name)))
        self._of_one_batch = True
        try:
            return super().forward(*args, **kwargs)
        except BaseException:
            vars(self).update(before)
            raise
        finally:
            self._of_one_batch = False

    def compute(self) -> Tensor:
        """Return the value of all rows so far as a float64 scalar.

        Raises:
            InvalidValueError: The rows have no value, or there are none, and ``undefined`` is ``raise``.
        """
        try:
            value = self.value()
        except InvalidValueError:
            if self._is_synced and self._to_sync:  # torchmetrics would go on with the rows of all processes
                self.unsync()
            if self.undefined == "raise" and not self._of_one_batch:
                raise
            value = math.nan
        return torch.tensor(value, dtype=torch.float64, device=self.device)

    @abstractmethod
    def value(self) -> float:
        """Return what ``compute`` does, or raise."""

    def merge_state(self, incoming_state: dict[str, Any] | Metric) -> None:
        """Take in the rows that another metric of this class, or its state, has seen.

        Args:
            incoming_state: A metric of the same class, or its ``metric_state``.
        """
        super().merge_state(incoming_state)
        # torchmetrics would go on returning a value that was computed before the merge.
        self._computed = None
        self._update_count += 1

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot one value, or a list of them as a line.

        Args:
            val: What ``compute`` or a call of the metric returned, or a list of such values; what ``compute`` returns
                if not given.
            ax: The matplotlib axes to draw into; new ones if not given.

        Returns:
            The figure (None with ``ax``) and the axes.
        """
        return self._plot(val, ax)

    def _keep(self, **columns: npt.NDArray[Any]) -> None:
        """Take in a value for each row of a batch, all columns or none."""
        new = {
            name: torch.from_numpy(values).to(self.device, self.columns[name])
            for name, values in columns.items()
        }
        for name, values in new.items():
            getattr(self, name).append(values)

    def _kept(self) -> list[npt.NDArray[Any]]:
        """Return the columns of all rows so far.

        Raises:
            InvalidValueError: There are no rows.
        """
        states = [getattr(self, name) for name in self.columns]
        if not len(states[0]):
            raise InvalidValueError(
                "expected at least one row, got none; update the metric before computing it"
            )
        return [dim_zero_cat(state).cpu().numpy() for state in states]

    def _sync_dist(
        self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: Any = None
    ) -> None:
        for name, dtype in self.columns.items():  # of a process without rows; torchmetrics would send float32
            if not len(getattr(self, name)):
                setattr(self, name, [torch.empty(0, dtype=dtype, device=self.device)])
        super()._sync_dist(dist_sync_fn, process_group)


def either_name(name: str, value: Any, other_name: str, other_value: Any) -> Any:
    """Return an argument that has two names, ours and torchmetrics'.

    Args:
        name: Ours.
        value: What came under it; None is nothing.
        other_name: Torchmetrics'.
        other_value: What came under it; None is nothing.

    Raises:
        InvalidTypeError: Both were given, or neither.
    """
    if (value is None) == (other_value is None):
        came = "neither" if value is None else "both"
        raise InvalidTypeError(
            f"{name}: expected {name} or, as torchmetrics has it, {other_name}; got {came}"
        )
    return other_value if value is None else value
