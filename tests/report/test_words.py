"""Words are explained where they occur, and where nothing but letters of theirs occur they are not."""

import pytest

from hybridhash.report.words import terms_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RCE 5.2 ± 0.1", ["RCE", "± and bars"]),
        ("GAUC", ["GAUC"]),  # which holds the letters of AUC
        ("a monkey has no keys", ["key"]),
        ("monkeys", []),
        ("unseen, NDCG@10", ["NDCG@10", "unseen"]),
    ],
)
def test_the_words_of_a_text_in_the_order_of_the_list(text: str, words: list[str]) -> None:
    assert [term.word for term in terms_in(text)] == words
