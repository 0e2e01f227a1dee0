"""The composition from torch operators against a loop over keys."""

import numpy as np
import torch
from benchmarks.ids import Setting, draw_batches, vocabulary_of
from benchmarks.peers import LEARNING_RATE, ComposedHybrid, trained_by_torch

SETTING = Setting(
    num_ids=60, num_bags=5, bag_length=4, dim=8, num_head=10, num_buckets=16, num_full_rows=32, num_batches=1
)


def test_head_keys_read_their_row_and_tail_keys_two() -> None:
    vocabulary = vocabulary_of(10)
    module = ComposedHybrid(vocabulary, SETTING)
    torch.nn.init.normal_(module.weight, generator=torch.Generator().manual_seed(0))
    (batch,) = draw_batches(SETTING)
    weight = module.weight.detach().numpy().astype(np.float64)
    head = sorted(vocabulary.keys.tolist())
    expected = np.zeros((5, 8))
    word = (1 << 64) - 1
    for place, key in enumerate(batch.keys.tolist()):
        if key in head:
            expected[place // 4] += weight[head.index(key)]
            continue
        for factor in (-7046029254386353131, -4417276706812531889):
            bucket = ((key * factor & word) >> 24) % 16
            expected[place // 4] += weight[10 + bucket]
    np.testing.assert_allclose(module(batch).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_without_a_head_every_key_reads_two_buckets() -> None:
    module = ComposedHybrid(vocabulary_of(0), SETTING)
    torch.nn.init.constant_(module.weight, 1.0)
    (batch,) = draw_batches(SETTING)
    assert torch.equal(module(batch), torch.full((5, 8), 8.0))


def test_a_training_step_moves_the_rows_of_the_batch() -> None:
    (batch,) = draw_batches(SETTING)
    module = ComposedHybrid(vocabulary_of(0), SETTING)
    trained_by_torch(module, module, "sgd")(batch)
    # From zero, a step leaves minus the learning rate times the gradients, each read by two rows of a key.
    total = -LEARNING_RATE * 2 * 4 * batch.grad.sum(dim=0)
    torch.testing.assert_close(module.weight.detach().sum(dim=0), total, rtol=1e-4, atol=1e-8)
