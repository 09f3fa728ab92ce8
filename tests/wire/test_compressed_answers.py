"""What a compressed answer holds is not decompressed beyond the limit of an answer."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import openai
import pytest
import raw_faults
from fault_server import JSON_BODY, TEXT, Connection, Fault, serving

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

MAX_ANSWER_BYTES = 1_000_000
MAX_PEAK_BYTES = 64_000_000


@pytest.mark.parametrize(
    "fault",
    [
        raw_faults.gzip_bomb,
        raw_faults.twice_compressed,
        pytest.param(raw_faults.brotli_bomb, marks=pytest.mark.needs("brotli")),
    ],
)
def test_a_bomb_is_not_decompressed(driver: Driver, family: str, fault: Fault) -> None:
    """The memory stays bounded at any compression ratio, and the call is not repeated."""
    with serving(fault) as server, driver.users_client(family) as own:
        client = driver.client(
            base_url=server.url,
            http_client=own,
            timeout=60,
            max_retries=1,
            max_answer_bytes=MAX_ANSWER_BYTES,
        )
        tracemalloc.start()
        try:
            with pytest.raises(openai.APIConnectionError):
                driver.ask(client)
            assert tracemalloc.get_traced_memory()[1] < MAX_PEAK_BYTES
        finally:
            tracemalloc.stop()
        assert server.posts == 1


def test_an_answer_of_many_compressed_parts_is_whole(driver: Driver, family: str) -> None:
    """No byte is lost between the parts in which it is decompressed."""
    body = gzip.compress(JSON_BODY[:-1] + b" " * 100_000 + JSON_BODY[-1:], compresslevel=0)

    def answers(connection: Connection) -> None:
        connection.answer(200, body, "content-encoding: gzip")

    with serving(answers) as server, driver.users_client(family) as own:
        assert driver.text(driver.client(base_url=server.url, http_client=own)) == TEXT
