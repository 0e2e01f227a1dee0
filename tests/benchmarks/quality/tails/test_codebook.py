"""Bytes by hand, and that no more keys would fit."""

import pytest
from benchmarks.quality.methods import Span
from benchmarks.quality.tails.codebook import KEY_BITS, NUM_CODES, codebook_table

from hybridhash.data import TRAIN, KeyedRows
from hybridhash.hashing import num_positions
from hybridhash.planner import lay_out
from hybridhash.spec import NOT_SHIPPED
from hybridhash.trials import FitSettings, groups_of


@pytest.mark.parametrize("budget_bytes", [4000, 6000, 9000])
def test_the_head_of_hybrid_and_as_many_codes_as_fit(
    tiny: tuple[KeyedRows, FitSettings], budget_bytes: int
) -> None:
    rows, settings = tiny
    span = Span(rows, (TRAIN,), settings)
    groups = groups_of(span.schema, span.counts, settings)
    table = codebook_table(groups[0], budget_bytes, settings.options, seed=5)
    hybrid = lay_out("hybrid", groups, budget_bytes, settings.hidden).spec.deep[0].table
    own, coded, *left = table.tiers
    assert own.num_keys == hybrid.num_head if left else own.num_keys >= hybrid.num_head
    assert table.num_head == span.counts.num_keys
    assert (coded.num_codes, coded.key_bits, coded.bits) == (NUM_CODES, KEY_BITS, 32)
    assert table.seed == 5

    def num_bytes(num_coded: int) -> int:
        """Rows of 8 floats and a wide weight; keys of 8 bytes or 1; codes of 6 bits in words of 4 bytes; two salts."""
        in_head, in_codes = num_positions(own.num_keys), num_positions(num_coded)
        shared = min(NUM_CODES, in_codes)
        return 36 * (in_head + shared + 1) + 8 * in_head + in_codes + -(-in_codes * 6 // 8) + 16

    assert abs(table.embedding_bytes(wide=True) - num_bytes(coded.num_keys)) <= 8  # padding of the codes
    assert table.embedding_bytes(wide=True) <= budget_bytes
    assert table.embedding_bytes(wide=True) > budget_bytes - 8 * (36 + 8) - 8, "short of a bucket of the head"
    assert [tier.bits for tier in left] == [NOT_SHIPPED] * len(left)
    if left:
        assert num_bytes(coded.num_keys + 8) > budget_bytes - 8
