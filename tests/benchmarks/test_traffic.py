"""Bytes counted by hand."""

import torch
from benchmarks.traffic import Reads, step_bytes

POOLED = torch.empty(2, 8)
READS = [Reads(torch.tensor([3, 3, 5]), 8), Reads(torch.tensor([1]), 4)]


def test_forward_counts_keys_rows_and_vectors() -> None:
    got = step_bytes(4, POOLED, READS, num_lines=0, num_states=None)
    assert got == 4 * 8 + 2 * 8 * 4 + 3 * 32 + 1 * 16


def test_lines_of_the_dictionary_are_counted() -> None:
    without = step_bytes(4, POOLED, READS, num_lines=0, num_states=None)
    assert step_bytes(4, POOLED, READS, num_lines=5, num_states=None) - without == 5 * 64


def test_a_step_reads_and_writes_each_distinct_row_and_its_state() -> None:
    forward = step_bytes(4, POOLED, READS, num_lines=0, num_states=None)
    sgd = step_bytes(4, POOLED, READS, num_lines=0, num_states=0)
    adagrad = step_bytes(4, POOLED, READS, num_lines=0, num_states=1)
    distinct = 2 * 32 + 1 * 16
    assert sgd - forward == 2 * 8 * 4 + 2 * distinct
    assert adagrad - sgd == 2 * distinct
