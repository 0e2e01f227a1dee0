"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from typing import Any

import torch


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, threads and versions, for results files."""
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }
