from pathlib import Path
from typing import Any

from hybridhash.trials import Diverged, FitSettings, RunStore, Silence, Trial, TrialRunner, Tuned


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
    runner = TrialRunner(None, FitSettings(), store, 1)  # type: ignore[arg-type]
    trials = [Trial(name, name, None, 1) for name in "abc"]  # type: ignore[arg-type]
    assert runner.choose(trials, Silence()) == [*choices, Diverged("too fast")]
