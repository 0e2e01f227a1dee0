"""Torch's tensors as the kernels take them, and the threads of torch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hybridhash import _native
from hybridhash.kernels import cpu


@pytest.mark.parametrize(
    "size", [7, 5_000, 1_000_000]
)  # numpy takes memory for small and large in different ways
def test_arrays_are_copied_to_the_beginning_of_a_cache_line(size: int) -> None:
    array = np.arange(size, dtype=np.int64)
    copied = cpu.from_numpy(array)
    assert copied.data_ptr() % 64 == 0
    array[0] = 1
    assert torch.equal(copied, torch.arange(size))


def test_the_kernels_run_on_the_threads_of_torch() -> None:
    libraries = Path(torch.__file__).with_name("lib").glob("*torch_cpu.*")
    assert [_native.use_openmp_of(str(library)) for library in libraries] == [True]
    assert not _native.use_openmp_of("/no/such/library.so")
