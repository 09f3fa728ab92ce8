"""A read that waits for Tess is interrupted by the deadline of its call, or by closing its stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from tess_openai.core.calls import READ, READ_REST, LimitAnswer, Step
from tess_openai.edge.families import Family
from tests.edge.call_drivers import DONE, Inner, Pieces, carrying_out, streaming


def test_a_read_that_breaks_because_the_stream_was_closed_is_its_end(family: Family) -> None:
    """The thread that reads did nothing wrong."""
    driver, flow, body = streaming(family)

    def close_meanwhile() -> Generator[bytes, None, None]:
        yield from ()
        driver.stop()
        raise family.ReadError("shut down")

    driver.pieces = close_meanwhile()
    assert driver.next_piece() == b""
    assert (flow.is_closed, body.is_closed) == (True, True)


class Connection:
    """A connection that delivers nothing until it is shut down."""

    def __init__(self, family: Family) -> None:
        self.is_shut_down = threading.Event()
        self.stream = family.derive(Pieces, family.SyncByteStream)()
        self.response = family.Response(200, stream=self.stream, extensions={"network_stream": self})
        self.error = family.ReadError("shut down")

    def get_extra_info(self, name: str) -> Connection:
        """Return the socket, which is this object too."""
        del name
        return self

    def shutdown(self, how: int) -> None:
        """End the read."""
        del how
        self.is_shut_down.set()

    def pieces(self) -> Generator[bytes, None, None]:
        """Wait, and fail."""
        yield from ()
        self.is_shut_down.wait(10)
        raise self.error


@pytest.mark.parametrize("step", [READ, READ_REST], ids=["a deadline", "the rest"])
def test_a_read_is_interrupted_when_its_time_is_over(family: Family, step: Step) -> None:
    """The deadline of a call is an error; the rest of a complete answer is not needed."""
    connection = Connection(family)
    driver, _ = carrying_out(family, Inner(), LimitAnswer(0.1), step, DONE)
    driver.set_response(driver.request, connection.response)
    driver.pieces = connection.pieces()
    if step is READ:
        with pytest.raises(family.ReadTimeout, match="max_answer_seconds is over"):
            driver.run()
    else:
        assert driver.run().status_code == 200
    assert connection.is_shut_down.is_set()
    assert connection.stream.is_closed


def test_a_stream_that_another_thread_reads_is_ended_by_its_connection(family: Family) -> None:
    """The thread wakes up, finds that the stream was closed, and closes the call."""
    connection = Connection(family)
    driver, flow, _ = streaming(family)
    driver.set_response(driver.request, connection.response)
    driver.pieces = connection.pieces()
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(driver.next_piece()))
    reader.start()
    while not driver.flow_lock.locked():
        time.sleep(0.001)
    driver.stop()
    reader.join(5)
    assert (read, flow.is_closed, connection.stream.is_closed) == ([b""], True, True)
