"""The embedding bag that all methods are: a head of rows of their own and a tail of shared rows."""

import math
from typing import Final, get_args

import torch
from torch import Tensor, nn

from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import reference
from hybridhash.kernels.reference import Mode, Rows
from hybridhash.spec import TableSpec

MODES: Final = get_args(Mode)


class KeyEmbeddingBag(nn.Module):
    """Embeds bags of int64 keys, with the contract of ``nn.EmbeddingBag``.

    Any key is legal: a key outside the vocabulary reads tail rows. If every key of a batch is in the
    head, outputs and gradients equal those of ``nn.EmbeddingBag`` exactly.

    Args:
        spec: The table.
        encoder: Says which rows a key reads; pass the same one to bags that share rows.
        mode: How the vectors of a bag become one: ``sum``, ``mean`` or ``max``.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing: not summed, not counted, never trained.
        sparse: Whether gradients are sparse tensors (not with ``max``).
        init_std: Standard deviation of each float of a key's initial vector; it holds for head and tail
            vectors alike and does not depend on the number of rows.
        generator: Source of the initial values; torch's default if not given.

    Raises:
        InvalidValueError: An unknown mode, ``sparse`` with ``max``, or a negative ``init_std``.

    Shape:
        keys int64[N] with offsets int64[B] (or [B + 1]), or keys int64[B, L]; returns float[B, D].
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: RowEncoder,
        *,
        mode: Mode = "sum",
        include_last_offset: bool = False,
        padding_key: int | None = None,
        sparse: bool = False,
        init_std: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        """Make the head and tail parameters and fill them."""
        super().__init__()
        if mode not in MODES:
            raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
        if sparse and mode == "max":
            raise InvalidValueError("sparse: expected False with mode 'max', which has dense gradients only")
        if not init_std >= 0:
            raise InvalidValueError(f"init_std: expected 0 or more, got {init_std}")
        self.spec: Final = spec
        self.encoder = encoder
        self.mode: Final[Mode] = mode
        self.include_last_offset: Final = include_last_offset
        self.padding_key: Final = padding_key
        self.sparse: Final = sparse
        self.head = nn.Parameter(torch.empty(spec.num_head, spec.dim))
        self.tail = nn.Parameter(torch.empty(spec.num_buckets, spec.bucket_dim))
        self.reset_parameters(init_std, generator)

    def reset_parameters(self, init_std: float, generator: torch.Generator | None = None) -> None:
        """Draw all rows anew from normal distributions with mean 0.

        A tail of a single row starts at zero: it stands for every unseen key and so says nothing of any.

        Args:
            init_std: Standard deviation of each float of a key's vector; a tail row is scaled so that the
                combined vector has it.
            generator: Source of the values; torch's default if not given.
        """
        per_row = {
            "sum": 1 / math.sqrt(self.spec.num_hashes),
            "mean": math.sqrt(self.spec.num_hashes),
            "concat": 1,
        }
        with torch.no_grad():
            self.head.normal_(mean=0.0, std=init_std, generator=generator)
            self.tail.normal_(mean=0.0, std=init_std * per_row[self.spec.combine], generator=generator)
            if self.spec.num_buckets == 1:
                self.tail.zero_()

    def forward(
        self,
        keys: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
        *,
        rows: Rows | None = None,
    ) -> Tensor:
        """Pool the vectors of each bag.

        Args:
            keys: int64[N] with ``offsets``, or int64[B, L] without.
            offsets: int64[B], where each bag begins (int64[B + 1] with ``include_last_offset``).
            per_sample_weights: float, the shape of ``keys``; with mode ``sum`` only.
            rows: What ``encoder(keys.flatten(), padding_key)`` returned, where it is known already.

        Returns:
            float[B, D]; zeros for an empty bag.

        Raises:
            InvalidTypeError: Keys or offsets are not int64, or weights are not floating point.
            InvalidValueError: Shapes that do not fit, weights with another mode than ``sum``, or offsets
                that do not begin at 0, decrease, or pass the end.
        """
        flat, bounds, weights = self._check(keys, offsets, per_sample_weights)
        return reference.embedding_bag(
            self.head,
            self.tail,
            self.encoder(flat, self.padding_key) if rows is None else rows,
            bounds,
            combine=self.spec.combine,
            mode=self.mode,
            per_sample_weights=weights,
            sparse=self.sparse,
        )

    def dense_equivalent(self, keys: Tensor) -> Tensor:
        """Return the vector of each key, its tail rows combined.

        Args:
            keys: int64[N].

        Returns:
            float[N, D]; zeros for the padding key.
        """
        return reference.key_vectors(
            self.head, self.tail, self.encoder(keys, self.padding_key), self.spec.combine
        )

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        spec = self.spec
        return (
            f"num_head={spec.num_head}, num_buckets={spec.num_buckets}, dim={spec.dim}, "
            f"num_hashes={spec.num_hashes}, combine={spec.combine!r}, mode={self.mode!r}"
        )

    def _check(
        self, keys: Tensor, offsets: Tensor | None, weights: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Refuse what nn.EmbeddingBag refuses; return flat keys, B + 1 offsets, flat weights."""
        if keys.dtype != torch.int64:
            raise InvalidTypeError(f"keys: expected int64 (from hash_keys), got {keys.dtype}")
        if weights is not None:
            if self.mode != "sum":
                raise InvalidValueError(f"per_sample_weights: expected mode 'sum', got mode {self.mode!r}")
            if weights.shape != keys.shape:
                raise InvalidValueError(
                    f"per_sample_weights: expected the shape of keys {tuple(keys.shape)}, got {tuple(weights.shape)}"
                )
            if not weights.is_floating_point():
                raise InvalidTypeError(f"per_sample_weights: expected floating point, got {weights.dtype}")
            weights = weights.flatten()
        if keys.dim() == 2:
            if offsets is not None:
                raise InvalidValueError("offsets: expected none with 2-D keys, whose rows are the bags")
            num_bags, length = keys.shape
            return keys.flatten(), torch.arange(num_bags + 1, device=keys.device) * length, weights
        if keys.dim() != 1:
            raise InvalidValueError(f"keys: expected 1-D or 2-D, got {keys.dim()}-D")
        if offsets is None:
            raise InvalidValueError("offsets: expected int64 offsets with 1-D keys, got none")
        if offsets.dtype != torch.int64:
            raise InvalidTypeError(f"offsets: expected int64, got {offsets.dtype}")
        if offsets.dim() != 1:
            raise InvalidValueError(f"offsets: expected 1-D, got {offsets.dim()}-D")
        if self.include_last_offset:
            if not offsets.numel():
                raise InvalidValueError(
                    "offsets: expected at least the number of keys with include_last_offset"
                )
        else:
            offsets = torch.cat([offsets, offsets.new_full((1,), keys.numel())])
        if not torch.compiler.is_compiling():
            _check_bounds(offsets, keys.numel())
        return keys, offsets, weights


def _check_bounds(offsets: Tensor, num_keys: int) -> None:
    if num_keys and offsets.numel() == 1:
        raise InvalidValueError(f"offsets: expected a bag for every key, got no bag for {num_keys} keys")
    if int(offsets[0]) != 0:
        raise InvalidValueError(f"offsets: expected to begin at 0, got {int(offsets[0])}")
    if bool((offsets.diff() < 0).any()):
        raise InvalidValueError(f"offsets: expected to increase up to the number of keys, {num_keys}")
    if int(offsets[-1]) != num_keys:
        raise InvalidValueError(
            f"offsets: expected to end at the number of keys {num_keys}, got {int(offsets[-1])}"
        )
