"""Identifiers are unique over threads and forks."""

from __future__ import annotations

import os
import random
import select
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tess_openai.edge import random_ids
from tess_openai.edge.random_ids import new_random_id


def test_no_two_are_the_same() -> None:
    """Identifiers differ across threads that ask at once, and across several reads of randomness."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_random_id(), range(1000)))
    assert len(set(made)) == 1000
    assert all(len(each) == 24 and int(each, 16) >= 0 for each in made)


def test_no_two_share_their_randomness(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is known gives no part of another one; all bytes of a read are used."""
    monkeypatch.setattr(random_ids, "_pool", [])
    reads: list[bytes] = []

    def urandom(size: int) -> bytes:
        reads.append(random.Random(7).randbytes(size))  # noqa: S311 - a test that repeats itself
        return reads[-1]

    monkeypatch.setattr(os, "urandom", urandom)
    made = [new_random_id() for _ in range(64)]
    (read,) = reads
    assert sorted(made) == sorted(read[start : start + 12].hex() for start in range(0, len(read), 12))


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
