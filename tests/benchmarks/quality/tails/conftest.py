"""Keys of the tail for the tests of the tails."""

import numpy as np
import pytest
from benchmarks.quality.need import Int64s
from benchmarks.quality.tails.counted import Counted


@pytest.fixture
def rare() -> Counted:
    """300 keys, a third of them seen once, among them those of `some_keys` that are small."""
    keys: Int64s = np.arange(1, 301, dtype=np.int64)
    return Counted(keys, np.maximum(200 // keys, 1).astype(np.int64))
