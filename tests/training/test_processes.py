"""What a new worker finds; the function stands here, where another process can import it."""

import os
import sys
from multiprocessing.connection import Connection

import pytest

from hybridhash.training import process_context
from hybridhash.training.processes import PRELOADED


def tell(channel: Connection) -> None:
    channel.send((os.getppid(), [name for name in PRELOADED if name in sys.modules]))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems start each worker afresh")
def test_workers_are_copies_of_one_server_that_has_torch_and_has_not_trained() -> None:
    said = []
    for _ in range(2):
        ours, theirs = process_context().Pipe()
        process = process_context().Process(target=tell, args=(theirs,))
        process.start()
        said.append(ours.recv())
        process.join()
    (server, loaded), second = said
    assert second == (server, loaded)
    assert server != os.getpid()
    assert loaded == list(PRELOADED)
