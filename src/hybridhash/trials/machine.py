"""What the figures were measured on."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import torch

from hybridhash.results import Machine


def describe_machine() -> Machine:
    """Return processor, cores, threads and versions."""
    return Machine(
        cpu=processor_name(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=version("torch"),
    )


def processor_name() -> str:
    """Return the processor's name, with family and model where the system tells them."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        text = info.read_text()
        if name := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
            family, model = (
                re.search(rf"^{key}\s*:\s*(\d+)$", text, re.MULTILINE) for key in ("cpu family", "model")
            )
            return f"{name[1]} (family {family[1]}, model {model[1]})" if family and model else name[1]
    return platform.processor() or platform.machine()
