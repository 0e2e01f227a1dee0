"""What became of a trial: which seeds count, and what is kept of them."""

import json

from hybridhash.spec import Ledger
from hybridhash.trials import Diverged, Run, Trained
from hybridhash.trials.quality import Quality
from hybridhash.trials.runoff import Tuned
from hybridhash.trials.trial import Speed

RUN = Run(
    Quality(**dict.fromkeys(Quality.__dataclass_fields__, 0.5)),
    Speed(epochs=2, steps=10, steps_per_s=5.0, train_s=2.0),
    Ledger(head_rows=8, metadata=3),
)
LOST = Diverged("at step 3 the loss was no number")


def test_what_is_kept_is_read_again_from_json() -> None:
    for run in (RUN, LOST):
        assert Run.of(json.loads(json.dumps(run.as_dict()))) == run


def test_seeds_that_diverged_are_named_by_their_numbers_and_the_others_count() -> None:
    tuned = Tuned(0.1, 2, None)
    found = Trained(tuned, (RUN, LOST, RUN, LOST))
    assert found.finished == (RUN, RUN)
    assert found.diverged == (f"seed 1: {LOST.reason}", f"seed 3: {LOST.reason}")
    assert found.ledger == Ledger(head_rows=8, metadata=3)
    assert Trained(tuned, (LOST, RUN)).ledger is None, "seed 0 alone is exported"
    assert Trained(LOST).diverged == (LOST.reason,)
