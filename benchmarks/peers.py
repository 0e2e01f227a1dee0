"""The uncompressed tables and the remap of other libraries, and hybrid hashing composed from torch operators."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.ids import Batch, Setting
from hybridhash import Vocabulary

Optimizer = Literal["sgd", "adagrad"]
Step = Callable[[Batch], object]

FOLDER: Final = Path(__file__).parents[1] / "build" / "peers"
LEARNING_RATE: Final = 0.01


def find_peers() -> None:
    """Make what ``make bench`` installed importable, behind what is installed already."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))


def torch_optimizer(name: Optimizer, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return torch's optimizer for sparse gradients."""
    torch.sparse.check_sparse_tensor_invariants.disable()
    kinds: dict[Optimizer, type[Any]] = {"sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad}
    return cast(torch.optim.Optimizer, kinds[name](parameters, lr=LEARNING_RATE))


def trained_by_torch(module: nn.Module, forward: Callable[[Batch], Tensor], optimizer: Optimizer) -> Step:
    """Return a training step of a module whose gradients torch's optimizer applies."""
    stepper = torch_optimizer(optimizer, list(module.parameters()))

    def step(batch: Batch) -> None:
        stepper.zero_grad(set_to_none=True)
        forward(batch).backward(batch.grad)
        stepper.step()

    return step


def forward_only(forward: Callable[[Batch], Tensor]) -> Step:
    """Return a step without gradients."""

    def step(batch: Batch) -> None:
        with torch.inference_mode():
            forward(batch)

    return step


def embedding_bag(setting: Setting, optimizer: Optimizer | None) -> Step:
    """Return a step of ``nn.EmbeddingBag(sparse=True)`` on the uncompressed table."""
    weight = torch.zeros(setting.num_full_rows, setting.dim)
    bag = nn.EmbeddingBag.from_pretrained(
        weight, freeze=False, mode="sum", sparse=True, include_last_offset=True
    )

    def forward(batch: Batch) -> Tensor:
        return cast(Tensor, bag(batch.rows, batch.offsets))

    return forward_only(forward) if optimizer is None else trained_by_torch(bag, forward, optimizer)


def fbgemm(setting: Setting, optimizer: Optimizer | None) -> Step:
    """Return a step of FBGEMM's CPU table batched embedding with its fused optimizer.

    Raises:
        ImportError: FBGEMM is not installed.
    """
    find_peers()
    from fbgemm_gpu.split_embedding_configs import EmbOptimType, SparseType
    from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation, PoolingMode
    from fbgemm_gpu.split_table_batched_embeddings_ops_training import (
        ComputeDevice,
        SplitTableBatchedEmbeddingBagsCodegen,
    )

    bag = SplitTableBatchedEmbeddingBagsCodegen(
        [(setting.num_full_rows, setting.dim, EmbeddingLocation.HOST, ComputeDevice.CPU)],
        optimizer=EmbOptimType.EXACT_ADAGRAD if optimizer == "adagrad" else EmbOptimType.EXACT_SGD,
        learning_rate=LEARNING_RATE,
        weights_precision=SparseType.FP32,
        output_dtype=SparseType.FP32,
        pooling_mode=PoolingMode.SUM,
    )
    for weight in bag.split_embedding_weights():
        weight.zero_()

    def forward(batch: Batch) -> Tensor:
        return cast(Tensor, bag(batch.rows, batch.offsets))

    def step(batch: Batch) -> None:
        forward(batch).backward(batch.grad)

    # Its operator exists under autograd only, so forward only is timed with gradients on, without backward.
    return forward if optimizer is None else step


class ComposedHybrid(nn.Module):
    """Hybrid hashing from torch operators: searchsorted, where, stack and one ``F.embedding_bag``.

    A head key reads its row and a padding row; a tail key reads two rows. The two hashes are one multiplication
    and a shift each, which is less work than ours does.

    Args:
        vocabulary: Head keys.
        setting: Sizes; ``num_buckets`` is a power of two.
    """

    def __init__(self, vocabulary: Vocabulary, setting: Setting) -> None:
        """Hold one table for head, tail and padding row."""
        super().__init__()
        self.sorted_keys = torch.tensor(vocabulary.keys).sort().values
        self.num_head, self.num_buckets = len(vocabulary), setting.num_buckets
        self.padding_row = self.num_head + self.num_buckets
        self.weight = nn.Parameter(torch.zeros(self.padding_row + 1, setting.dim))

    def forward(self, batch: Batch) -> Tensor:
        """Return the pooled vectors float[B, D]."""
        keys = batch.keys
        mask = self.num_buckets - 1
        first = (((keys * -7046029254386353131) >> 24) & mask) + self.num_head
        second = (((keys * -4417276706812531889) >> 24) & mask) + self.num_head
        if self.num_head:
            place = torch.searchsorted(self.sorted_keys, keys).clamp_max(self.num_head - 1)
            found = self.sorted_keys[place] == keys
            first = torch.where(found, place, first)
            second = torch.where(found, self.padding_row, second)
        return F.embedding_bag(
            torch.stack([first, second], dim=1).flatten(),
            self.weight,
            batch.offsets * 2,
            mode="sum",
            sparse=True,
            include_last_offset=True,
            padding_idx=self.padding_row,
        )


def composed(vocabulary: Vocabulary, setting: Setting, optimizer: Optimizer | None) -> Step:
    """Return a step of `ComposedHybrid`."""
    module = ComposedHybrid(vocabulary, setting)
    return forward_only(module) if optimizer is None else trained_by_torch(module, module, optimizer)


def managed_collision_remap(vocabulary: Vocabulary) -> Callable[[Tensor], object]:
    """Return TorchRec's remap of keys to slots, with the head keys in its slots, in evaluation mode.

    Raises:
        ImportError: TorchRec is not installed.
    """
    find_peers()
    from torchrec import JaggedTensor
    from torchrec.modules.mc_modules import LFU_EvictionPolicy, MCHManagedCollisionModule

    num_slots = len(vocabulary) + 1
    module = MCHManagedCollisionModule(
        zch_size=num_slots,
        device=torch.device("cpu"),
        eviction_policy=LFU_EvictionPolicy(),
        eviction_interval=1,
    ).eval()
    module._mch_sorted_raw_ids[:-1] = torch.tensor(vocabulary.keys).sort().values

    def remap(keys: Tensor) -> object:
        return module.remap({"id": JaggedTensor(values=keys, lengths=torch.ones_like(keys))})

    return remap


def deepctr() -> ModuleType:
    """Import DeepCTR-Torch, whose import would otherwise ask the network for its newest version.

    Raises:
        ImportError: It is not installed.
    """
    find_peers()
    answer = SimpleNamespace(status_code=0)
    silent = SimpleNamespace(get=lambda _: answer, codes=SimpleNamespace(ok=200))
    sys.modules.setdefault("requests", cast(ModuleType, silent))
    import deepctr_torch.inputs
    import deepctr_torch.models

    return cast(ModuleType, deepctr_torch)
