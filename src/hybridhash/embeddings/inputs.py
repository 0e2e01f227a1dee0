"""What a bag takes, checked and brought to one form: keys, offsets and weights, as ``nn.EmbeddingBag`` takes them."""

from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from hybridhash.errors import InvalidTypeError, InvalidValueError

_INTEGERS: Final = (torch.int64, torch.int32)


class BagInput(NamedTuple):
    """N keys in B bags.

    Attributes:
        keys: int64[N].
        offsets: int64[B + 1], bag b is the keys ``offsets[b]:offsets[b + 1]``; its values are not checked yet.
        weights: float[N], or None.
    """

    keys: Tensor
    offsets: Tensor
    weights: Tensor | None


def bag_input(
    keys: Tensor,
    offsets: Tensor | None,
    weights: Tensor | None,
    *,
    mode: str,
    dtype: torch.dtype,
    include_last_offset: bool,
) -> BagInput:
    """Bring the input of a bag to one form, and refuse what ``nn.EmbeddingBag`` refuses.

    Args:
        keys: Integers [N] with ``offsets``, or [B, L] without.
        offsets: Integers [B], or [B + 1] with ``include_last_offset``.
        weights: float, the shape of ``keys``.
        mode: The mode of the bag.
        dtype: The type of the rows.
        include_last_offset: Whether the offsets of the bag end with the number of keys.

    Raises:
        InvalidTypeError: Keys or offsets are not of int64 or int32, or weights are not of the rows' type.
        InvalidValueError: Shapes that do not fit, or weights with another mode than ``sum``.
    """
    keys = as_int64("keys", keys)
    if weights is not None:
        if mode != "sum":
            raise InvalidValueError(f"per_sample_weights: expected mode 'sum', got mode {mode!r}")
        if weights.shape != keys.shape:
            raise InvalidValueError(
                f"per_sample_weights: expected the shape of keys {tuple(keys.shape)}, got {tuple(weights.shape)}"
            )
        if weights.dtype != dtype:
            raise InvalidTypeError(
                f"per_sample_weights: expected {dtype}, as the rows are, got {weights.dtype}"
            )
        weights = weights.flatten()
    if keys.dim() == 2:
        if offsets is not None:
            raise InvalidValueError("offsets: expected none with 2-D keys, whose rows are the bags")
        num_bags, length = keys.shape
        return BagInput(keys.flatten(), torch.arange(num_bags + 1, device=keys.device) * length, weights)
    if keys.dim() != 1:
        raise InvalidValueError(
            f"keys: expected 1-D or 2-D, got {keys.dim()}-D; for a vector of each key, flatten the keys, take each as "
            "a bag of its own with keys.reshape(-1, 1), and give the result their shape again"
        )
    if offsets is None:
        raise InvalidValueError(
            "offsets: expected int64 offsets with 1-D keys, got none; for a vector of each key, take each as a bag "
            "of its own with keys.reshape(-1, 1)"
        )
    offsets = as_int64("offsets", offsets)
    if offsets.dim() != 1:
        raise InvalidValueError(f"offsets: expected 1-D, got {offsets.dim()}-D")
    if not include_last_offset:
        offsets = torch.cat([offsets, offsets.new_full((1,), keys.numel())])
    elif not offsets.numel():
        raise InvalidValueError("offsets: expected at least the number of keys with include_last_offset")
    return BagInput(keys, offsets, weights)


def as_keys(keys: Any) -> Tensor:
    """Return keys as int64[N].

    Raises:
        InvalidTypeError: The keys are not a tensor of int64 or int32.
        InvalidValueError: They are not 1-D.
    """
    found = as_int64("keys", keys)
    if found.dim() != 1:
        raise InvalidValueError(f"keys: expected 1-D, got {found.dim()}-D; flatten them first")
    return found


def as_int64(name: str, tensor: Any) -> Tensor:
    """Return integers as int64.

    Args:
        name: What the caller calls the tensor.
        tensor: What came.

    Raises:
        InvalidTypeError: It is not a tensor of int64 or int32.
    """
    if not isinstance(tensor, Tensor):
        raise InvalidTypeError(
            f"{name}: expected a torch.Tensor of int64, got {type(tensor).__name__}; use torch.from_numpy for "
            "an array"
        )
    if tensor.dtype not in _INTEGERS:
        raise InvalidTypeError(
            f"{name}: expected int64 or int32, got {tensor.dtype}; hash_keys makes int64 keys"
        )
    return tensor.long()


def check_offsets(offsets: Tensor, num_keys: int) -> None:
    """Refuse offsets that are not those of bags that hold all keys.

    ``nn.EmbeddingBag`` ignores keys behind a last offset that is too small, and keys without a bag; here both are
    refused, for they are a mistake in whatever made the offsets. No bags for no keys are fine.

    Args:
        offsets: int64[B + 1].
        num_keys: N.

    Raises:
        InvalidValueError: The offsets do not begin at 0, they decrease, or they do not end at N.
    """
    if num_keys and offsets.numel() == 1:
        raise InvalidValueError(f"offsets: expected a bag for every key, got no bag for {num_keys} keys")
    if int(offsets[0]) != 0:
        raise InvalidValueError(f"offsets: expected to begin at 0, got {int(offsets[0])}")
    if int(offsets[-1]) != num_keys:
        raise InvalidValueError(
            f"offsets: expected to end at the number of keys, {num_keys}, got {int(offsets[-1])}"
        )
    lengths = offsets.diff()
    if bool((lengths < 0).any()):
        bag = int(lengths.argmin())
        raise InvalidValueError(
            f"offsets: expected to rise, or stay for an empty bag, up to the number of keys, {num_keys}, got "
            f"{int(offsets[bag])} and then {int(offsets[bag + 1])}"
        )


def check_offsets_at_run_time(offsets: Tensor, num_keys: int) -> None:
    """Put the checks of `check_offsets` into a compiled program, where they raise a RuntimeError when it runs.

    Args:
        offsets: int64[B + 1].
        num_keys: N.
    """
    torch._assert_async(
        (offsets[0] == 0) & (offsets[-1] == num_keys) & (offsets.diff() >= 0).all(),
        "offsets: expected to begin at 0, to rise or stay, and to end at the number of keys",
    )
