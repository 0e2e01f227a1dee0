import json

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.training import TrainSettings


@pytest.mark.parametrize("name", ["batch_size", "epochs", "patience", "workers"])
def test_refuses_counts_below_one(name: str) -> None:
    TrainSettings(**{name: 1})
    with pytest.raises(InvalidValueError, match=f"{name}: expected 1 or more, got 0"):
        TrainSettings(**{name: 0})


def test_refuses_a_negative_seed() -> None:
    TrainSettings(seed=0)
    with pytest.raises(InvalidValueError, match="seed: expected 0 or more, got -1"):
        TrainSettings(seed=-1)


def test_round_trip_through_json() -> None:
    settings = TrainSettings("sgd", 0.001, 128, 3, 2, 9)
    assert TrainSettings(**json.loads(json.dumps(settings.as_dict()))) == settings
