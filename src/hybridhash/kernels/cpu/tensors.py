"""Torch's tensors as the compiled kernels take them, and the threads that they run on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd import forward_ad

from hybridhash import _native

COMBINES: Final = ("sum", "mean", "concat")
"""Ways to combine the tail rows of a key, as the kernels number them."""

MODES: Final = ("sum", "mean", "max")
"""Ways to pool the vectors of a bag, as the kernels number them."""

# The kernels run on the threads that torch's operators run on.
for _library in Path(torch.__file__).with_name("lib").glob("*torch_cpu.*"):
    _native.use_openmp_of(str(_library))


def empty_rows(
    shape: Sequence[int], dtype: torch.dtype | None = None, device: torch.device | str | int | None = None
) -> Tensor:
    """Make room for the rows of a table or their optimizer state, in huge pages where the system has them.

    Args:
        shape: The shape of the rows.
        dtype: Torch's default if not given.
        device: Torch's default if not given.

    Returns:
        A tensor of the shape, not filled.
    """
    rows = torch.empty(tuple(shape), dtype=dtype, device=device)
    if rows.device.type == "cpu" and is_plain(rows):
        _native.spread_over_huge_pages(rows)
    return rows


def from_numpy(array: npt.NDArray[Any]) -> Tensor:
    """Copy rows or keys to where the kernels read them fastest.

    The copy begins with a cache line, as numpy's memory need not, so that a row or a line of 64 bytes is not parts
    of two lines; and it lies in huge pages where the system has them.

    Args:
        array: An array of any shape.

    Returns:
        A tensor of the array's shape and dtype on the CPU.
    """
    source = torch.from_numpy(array)
    rows = torch.empty_like(source)
    if is_plain(rows):
        _native.spread_over_huge_pages(rows)
    return rows.copy_(source)


def is_plain(tensor: Tensor) -> bool:
    """Whether this is a tensor with values on the CPU, where nobody traces: no compiler, dispatch mode or transform."""
    return tensor.is_cpu and has_values(tensor)


def has_values(tensor: Tensor) -> bool:
    """Whether this is a tensor whose values can be looked at: none of a compiler, dispatch mode, transform or meta."""
    if type(tensor) is not Tensor or torch.compiler.is_compiling() or tensor.is_meta:
        return False
    modes: int = torch._C._len_torch_dispatch_stack()
    return not modes and not is_transformed()


def is_transformed() -> bool:
    """Whether a transform of ``torch.func`` is at work, such as ``grad`` or ``vmap``."""
    return torch._C._functorch.maybe_current_level() is not None


def map_by_loop(op: Any) -> None:
    """Let ``torch.vmap`` call an operator once for each of the mapped inputs."""

    def rule(info: Any, in_dims: Any, *inputs: Any) -> tuple[Any, Any]:
        def of(index: int, value: Any, dim: Any) -> Any:
            if isinstance(value, list | tuple):
                dims = dim if isinstance(dim, list | tuple) else [dim] * len(value)
                return [of(index, *pair) for pair in zip(value, dims, strict=True)]
            return value if dim is None else value.select(dim, index)

        results = [
            op(*(of(index, *pair) for pair in zip(inputs, in_dims, strict=True)))
            for index in range(info.batch_size)
        ]
        if isinstance(results[0], Tensor):
            return torch.stack(results), 0
        return tuple(map(torch.stack, zip(*results, strict=True))), (0,) * len(results[0])

    op.register_vmap(rule)


def records_gradients() -> bool:
    """Whether a function of tensors must say how it is differentiated, backward or forward."""
    return torch.is_grad_enabled() or forward_ad._current_level >= 0


def contiguous(tensor: Tensor) -> Tensor:
    """Return the tensor without its gradient, in one piece."""
    return tensor.detach().contiguous()


def memory(tensor: Tensor) -> Any:
    """Return the memory of a plain tensor as the kernels take it.

    A capsule that torch makes in C++: the kernels would call ``Tensor.__dlpack__``, which is Python and takes
    five times as long, once for each of the dozen arrays of a call.
    """
    return torch.to_dlpack(tensor)  # type: ignore[attr-defined]


def optional_floats(weights: Tensor | None) -> Any:
    """Return the memory of weights as float32 in one piece, where there are any."""
    return None if weights is None else memory(contiguous(weights.float()))


def unsigned(salts: Sequence[int]) -> list[int]:
    """Return signed words as the unsigned ones that the kernels take."""
    return [salt & 0xFFFFFFFFFFFFFFFF for salt in salts]


def num_threads() -> int:
    """Return how many threads torch's operators take."""
    return torch.get_num_threads()
