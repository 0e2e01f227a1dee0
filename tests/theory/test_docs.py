"""docs/theory.md names what exists, and its figures are the functions'."""

import re
from pathlib import Path

from hybridhash import theory

PAGE = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")


def test_every_public_function_is_named_and_every_name_exists() -> None:
    named = set(re.findall(r"`(\w+)\(", PAGE)) - {"C"}
    functions = {name for name in theory.__all__ if name.islower()}
    assert functions <= named
    assert {name for name in named if not hasattr(theory, name)} == set()


def test_the_figures() -> None:
    shares = theory.key_shares(3_895_000, 0, 2**20)
    assert round(1e6 * shares.fully_shared) == 7
    assert 1 < 3_895_000 * shares.exclusive < 2
    assert f"{2**44 * theory.hybrid_collision_rate(4_000_000, 105_000, 2**22):.1f}" == "0.4"
    assert f"{theory.collision_rate(10**6, 2**64):.3g}" == "1.47e-27"
    assert f"{theory.false_positive_rate(16, 0.95):.5f} with 16 bits" in PAGE
    assert f"{theory.false_positive_rate(8, 0.95):.3f} with 8" in PAGE
