import subprocess
import sys

import pytest

from hybridhash import experiments


def test_public_names_are_there() -> None:
    for name in experiments.__all__:
        assert getattr(experiments, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        experiments.absent  # noqa: B018


def test_reading_settings_does_not_load_torch() -> None:
    """Parsing a command line and refusing a flag must not take seconds."""
    code = "import sys; from hybridhash.experiments import CompareSettings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
