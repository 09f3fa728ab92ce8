"""Identifiers are unique over threads and forks."""

from __future__ import annotations

import os
import select
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tess_openai.edge.random_ids import new_random_id


def test_no_two_are_the_same() -> None:
    """Identifiers differ across threads that ask at once, and across several reads of randomness."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_random_id(), range(1000)))
    assert len(set(made)) == 1000
    assert all(len(each) == 24 and int(each, 16) >= 0 for each in made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_fork_does_not_repeat_its_parent() -> None:
    """What the parent has read is not used by the child."""
    new_random_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_random_id().encode())
        os._exit(0)
    try:
        assert select.select([reader], [], [], 20)[0], "the child hangs"
        assert os.read(reader, 24).decode() not in [new_random_id() for _ in range(128)]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
