"""Warnings through frameworks: libraries that call the SDK, move the warning filters, start threads."""

from __future__ import annotations

import functools
import sysconfig
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tess_openai import TessRequestWarning, create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

FRAMEWORK = """
import warnings

def ask(client):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
    return client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": "x"}], seed=3)
"""
PLACE = str(Path(sysconfig.get_path("purelib")) / "a_framework.py")


@pytest.fixture
def ask(tess_simulator: TessSimulator) -> Callable[[], None]:
    """An installed framework's call of a client."""
    client = create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=tess_simulator.base_url,
    )
    names: dict[str, Any] = {"__name__": "a_framework"}
    exec(compile(FRAMEWORK, PLACE, "exec"), names)  # noqa: S102 - so that its lines are a library's
    return functools.partial(names["ask"], client)


def test_a_loop_is_warned_once_though_filters_move_in_each_turn(ask: Callable[[], None]) -> None:
    """Python itself forgets what it has shown as soon as any filter moves."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            ask()
    assert [each.filename for each in caught] == [__file__]


def test_filters_that_want_every_warning_get_every_one(ask: Callable[[], None]) -> None:
    """Nothing is held back from `always`, nor from filters of the program's own that are new."""
    for action, reported in (("always", 2), ("default", 1), ("default", 1), ("ignore", 0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)  # type: ignore[arg-type] # a str, where the actions are literals
            for _ in range(2):
                ask()
        assert len(caught) == reported


def test_a_call_from_a_thread_of_the_frameworks_points_at_the_framework(ask: Callable[[], None]) -> None:
    """No line of the program's is on that stack; those of the SDK and its http client would tell nothing."""
    thread = threading.Thread(target=ask)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread.start()
        thread.join()
    assert [(each.filename, each.category) for each in caught] == [(PLACE, TessRequestWarning)]
