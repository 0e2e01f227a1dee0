"""One line on what each word of the report means."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Term:
    """A word of the report.

    Attributes:
        word: The word as the list of words has it.
        meaning: One line.
        sign: A pattern that is found where the report uses it; the word itself if empty.
    """

    word: str
    meaning: str
    sign: str = ""


TERMS: Final = (
    Term(
        "RCE",
        "by how many percent the log loss is below that of predicting the mean label; higher is better, 0 is no skill",
    ),
    Term("± and bars", "one sample standard deviation over the seeds", "±"),
    Term(
        "AUC",
        "the chance that a positive row is ranked above a negative one; higher is better, 0.5 is no skill",
    ),
    Term(
        "GAUC",
        "AUC within each group, such as a user, averaged by the groups' rows; groups of one label are left out",
    ),
    Term(
        "NDCG@10",
        "how near the positive rows of a group are to the top of its ranking; 1 has all of them on top",
    ),
    Term("log loss", "mean cross entropy in nats; lower is better"),
    Term("normalised entropy", "log loss as a share of that of predicting the mean label; lower is better"),
    Term("calibration", "mean prediction over mean label; 1 is right, above 1 predicts too much"),
    Term("best reachable", "the RCE of the process that made the labels, where the data is synthetic"),
    Term(
        "embeddings", "all bytes that ship to turn keys into vectors, dictionary included; 1 MB is 10^6 bytes"
    ),
    Term(
        "trained rows",
        "rows of the tables while the model is trained; a plan rounds, shares and leaves out rows when the model ships",
    ),
    Term(
        "steps/s",
        "training steps a second on this machine, as busy as it was; methods were not trained side by side",
    ),
    Term(
        "exclusive, partly, fully shared",
        "traffic whose key shares none, some or all of its rows",
        "exclusive",
    ),
    Term("key", "one value of one feature", r"\bkeys?\b"),
    Term("top 1k", "the share of the feature's traffic on its 1000 most frequent keys"),
    Term("singletons", "keys that occur once in the training span"),
    Term("unseen", "the share of the test span's traffic with keys that the training span does not have"),
)


def terms_in(text: str) -> list[Term]:
    """Return the words that occur in a text, in the order of the list.

    Args:
        text: What the report shows.
    """
    return [term for term in TERMS if re.search(term.sign or rf"(?<!\w){re.escape(term.word)}(?!\w)", text)]
