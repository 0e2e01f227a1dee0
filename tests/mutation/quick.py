"""A pytest plugin: hypothesis draws the same examples on every mutant, and does not look for smaller ones."""

from hypothesis import Phase, settings

settings.register_profile(
    "mutants", derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("mutants")
