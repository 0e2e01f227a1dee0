"""``hybridhash profile`` on good input."""

import re
from pathlib import Path

from .conftest import COLUMNS, Run


def test_profile_prints_a_row_for_every_feature(run: Run, clicks: Path) -> None:
    ended = run("profile", clicks, *COLUMNS)
    assert ended.err == ""
    for name in ("user_id", "ad_id", "site", "price", "age", "tags"):
        assert re.search(rf"│ {name} ", ended.out)
    assert "1,200 rows" in ended.out
    assert "…" not in ended.out, "a table that is no terminal's is not cut"
