"""How worker processes are started: quickly, and never as a copy of a process that has trained."""

import sys
from typing import TYPE_CHECKING, Final

from torch import multiprocessing as torch_processes

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

PRELOADED: Final = (
    "hybridhash.training",
    "torch._dynamo",
)  # torch imports the latter for the first optimizer


def process_context() -> "ForkServerContext | SpawnContext":
    """Return the way to start workers, whose processes have torch imported and nothing else done.

    On Linux a server process imports torch and this package once, and every worker is a copy of it, which
    takes milliseconds; elsewhere each worker is a fresh process, which takes seconds. A process that has
    trained is not copied, since the threads of torch do not survive a copy. The server starts with the first
    worker, takes the environment variables of that moment, and ends with the process that started it.
    """
    if sys.platform != "linux":
        return torch_processes.get_context("spawn")
    context = torch_processes.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context
