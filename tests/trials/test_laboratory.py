from pathlib import Path
from typing import Any

from hybridhash.experiments import CompareSettings, Silence
from hybridhash.trials.laboratory import Laboratory, Trial
from hybridhash.trials.runoff import Tuned
from hybridhash.trials.runs import RunStore


class Forgetful(RunStore):
    """Finds each run once: someone has removed the files."""

    def get(self, name: str) -> dict[str, Any] | None:
        found = super().get(name)
        self.path(name).unlink(missing_ok=True)
        return found


def test_every_trial_has_its_choice(tmp_path: Path) -> None:
    store = Forgetful(tmp_path)
    choices = [Tuned(0.1, 1, 2.0), Tuned(0.2, 3, 4.0)]
    for name, choice in zip("ab", choices, strict=True):
        store.keep(f"{name}-tuned", choice.as_dict())
    store.keep("c-tuned", {"diverged": "too fast"})
    settings = CompareSettings(label="clicked", categorical=("user_id",))
    laboratory = Laboratory(None, settings, store, 1)  # type: ignore[arg-type]
    trials = [Trial(name, name, ()) for name in "abc"]
    assert laboratory.choose(trials, Silence()) == [*choices, "too fast"]
