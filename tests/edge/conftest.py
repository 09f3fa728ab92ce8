"""Each HTTP family, each kind of store for pacing, with a real Redis, and time that a test moves."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from redis_server import running_redis

from tess_openai.edge.families import FAMILY_NAMES, Family, FamilyName, load_family
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.pacing import Pacer
from tess_openai.edge.pacing_urls import path_of
from tess_openai.edge.redis_pacing import RedisPacingStore
from tess_openai.edge.shared_pacing import PacingStore, SharedPacing
from tess_openai.edge.sqlite_pacing import SQLitePacingStore
from tess_openai.edge.sync_driver import SyncDriver
from tests.edge.call_drivers import driver_of
from tests.edge.paced_callers import Clock


@pytest.fixture(params=[name for name in FAMILY_NAMES if importlib.util.find_spec(name)])
def family(request: pytest.FixtureRequest) -> Family:
    """Load each installed HTTP family."""
    name: FamilyName = request.param
    return load_family(name)


@pytest.fixture
def new_driver(family: Family) -> Callable[..., SyncDriver]:
    """Return what makes the driver of a call."""
    return partial(driver_of, family)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Redis for these tests."""
    pytest.importorskip("redis", reason="this lane does not install redis")
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name each kind of store, new and unused."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/line.sqlite"
    redis_url: str = request.getfixturevalue("redis_url")
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture
def store(url: str) -> PacingStore:
    """Open the store."""
    return new_store(url)


@pytest.fixture
def make_pacer() -> Callable[..., Pacer]:
    """Make pacers as other processes would have them: each with a connection, and queues, of its own."""

    def make(url: str, interval: float = 0.05) -> Pacer:
        return Pacer(interval, 60.0, KeyQueues(), shared=SharedPacing(url, new_store(url)))

    return make


def new_store(url: str) -> PacingStore:
    """Open a store as the package does."""
    return SQLitePacingStore(path_of(url)) if url.startswith("sqlite") else RedisPacingStore(url)


@pytest.fixture
def clock() -> Clock:
    """A clock that does not move."""
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> KeyQueues:
    """Turns of their own, not the process's."""
    return KeyQueues(clock)
