import pytest

from hybridhash.errors import BudgetError
from hybridhash.planner import Budget

BASELINE = 1_000_000_000_000
FULL = 800_000_000_000


def in_bytes(text: str) -> int:
    return Budget.parse(text).in_bytes(BASELINE, FULL)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("10%", 10**11),
        ("2.5%", 25 * 10**9),
        ("100%", 10**12),
        ("10%-of-baseline", 10**11),
        ("10%-of-full", 8 * 10**10),
        ("2.5% of full", 2 * 10**10),
        ("100%-OF-FULL", 8 * 10**11),
        ("12345", 12345),
        ("12345B", 12345),
        ("1kB", 1000),
        ("40MB", 40 * 10**6),
        ("40 mb", 40 * 10**6),
        (" 3GB ", 3 * 10**9),
        ("1KiB", 1024),
        ("2MiB", 2 * 1024**2),
        ("1.5GiB", 3 * 1024**3 // 2),
        ("0.1kB", 100),
    ],
)
def test_reads_shares_and_sizes(text: str, budget: int) -> None:
    assert in_bytes(text) == budget


def test_a_share_is_exact() -> None:
    """In floating point 29 / 100 * 100 is 28.999999999999996."""
    assert [Budget.parse(f"{share}%").in_bytes(100, 100) for share in range(1, 101)] == list(range(1, 101))


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "",
        "%",
        "10 %%",
        "-5%",
        "1e6",
        "10TB",
        "10XB",
        "1.MB",
        "nan%",
        "MB",
        "10%full",
        "10%-of-mine",
        "10-of-full",
    ],
)
def test_refuses_what_says_no_size(text: str) -> None:
    with pytest.raises(
        BudgetError, match="expected a share such as '10%' or '10%-of-full', or a size such as"
    ):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("10", "10%"), ("2.5", "2.5%"), ("100", "100%"), ("0.1", "10%"), ("0.025", "2.5%"), ("1", "1%")],
)
def test_a_number_without_a_unit_that_can_only_be_a_share(text: str, meant: str) -> None:
    with pytest.raises(BudgetError, match=rf"got '{text}', which is .* bytes; did you mean '{meant}'\?"):
        Budget.parse(text)
    assert in_bytes(meant) > in_bytes("101") == 101


@pytest.mark.parametrize("text", ["1000000000001", "1001GB", "9" * 400])
def test_refuses_more_than_the_baseline(text: str) -> None:
    asked = Budget.parse(text)  # more than this baseline, but perhaps not than another
    with pytest.raises(BudgetError, match="at most 100% of the baseline's 1000000000000 bytes"):
        asked.in_bytes(BASELINE, FULL)


@pytest.mark.parametrize("text", ["101%", "100.0001%"])
def test_refuses_more_than_all_of_it(text: str) -> None:
    with pytest.raises(BudgetError, match="at most 100% of the baseline, got"):
        Budget.parse(text)
    with pytest.raises(BudgetError, match="at most 100% of the full table, got"):
        Budget.parse(f"{text}-of-full")


@pytest.mark.parametrize("text", ["0%", "0", "0MB", "0.0"])
def test_refuses_nothing(text: str) -> None:
    with pytest.raises(BudgetError, match="at least one byte"):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0.00000000001%", "0.5B"])
def test_refuses_less_than_a_byte(text: str) -> None:
    asked = Budget.parse(text)
    with pytest.raises(BudgetError, match=r"at least one byte, got .* which is less"):
        asked.in_bytes(BASELINE, FULL)


def test_a_share_of_a_full_table_that_is_larger_than_the_baseline() -> None:
    """Its dictionary has bytes too: all of it may be more than what regular hashing takes."""
    assert Budget.parse("50%-of-full").in_bytes(100, 160) == 80
    with pytest.raises(BudgetError, match="at most 100% of the baseline's 100 bytes, got 70%-of-full"):
        Budget.parse("70%-of-full").in_bytes(100, 160)
