"""Serve the gateway with uvicorn: one process or several, until it is stopped."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from tess_openai.edge.response_stores import SQLiteResponseStore
from tess_openai.exceptions import TessWarning
from tess_openai.gateway.asgi_app import create_app
from tess_openai.gateway.bounded_http import BoundedHttpProtocol
from tess_openai.gateway.config import GatewayConfig
from tess_openai.testing.stop_signals import stop_on_signals

_BACKLOG: Final = 2048
_OPEN_FILES: Final = 65_536
_WORKER_SECONDS: Final = 60
"""After this time without an answer a worker is replaced. On a busy machine its imports alone take longer
than uvicorn's default of five seconds."""
_LOGGING: Final[Mapping[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "tess_openai": {"handlers": ["stderr"], "level": "INFO"},
        "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING"},
    },
}


@dataclass(frozen=True, slots=True)
class AppFactory:
    """Makes the application in each process."""

    agent_id: int | str | None
    options: Mapping[str, Any] = field(repr=False)

    def __call__(self) -> Starlette:
        """Make the application, without the warnings that the command has already shown."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TessWarning)
            return create_app(self.agent_id, **self.options)


def serve(config: GatewayConfig, announce: Callable[[str], None], *, log_level: str = "INFO") -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        config: A configuration without problems.
        announce: Called with the URL once the gateway listens.
        log_level: The lowest level that is logged: `"INFO"` logs each call.

    Raises:
        OSError: The address cannot be listened on.
    """
    _allow_open_files()
    server = config.server
    with stop_on_signals(), _listener(server.host, server.port) as listener:
        port = listener.getsockname()[1]
        shown = f"[{server.host}]" if ":" in server.host else server.host
        announce(f"http://{shown}:{port}/v1")
        if server.workers == 1:
            uvicorn.Server(_uvicorn_config(config, config.options, log_level)).run([listener])
            return
        with tempfile.TemporaryDirectory(prefix="tess-openai-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            options = shared_by_workers(config.options, Path(folder))
            Multiprocess(_uvicorn_config(config, options, log_level), [listener]).run()


def _uvicorn_config(config: GatewayConfig, options: Mapping[str, Any], log_level: str) -> uvicorn.Config:
    loggers = {**_LOGGING["loggers"], "tess_openai": {"handlers": ["stderr"], "level": log_level}}
    return uvicorn.Config(
        AppFactory(config.agent_id, options),
        factory=True,
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="on",
        workers=config.server.workers,
        log_config={**_LOGGING, "loggers": loggers},
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_worker_healthcheck=_WORKER_SECONDS,
        timeout_graceful_shutdown=max(1, round(config.server.shutdown_seconds)),
    )


def shared_by_workers(options: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the options for several processes, with a store of responses and a pacing store they share."""
    shared: dict[str, Any] = {"responses_store": SQLiteResponseStore(folder / "responses.sqlite")}
    if options.get("requests_per_second") is not None and not os.environ.get("TESS_PACING", "").strip():
        shared["pacing"] = f"sqlite:///{folder / 'line.sqlite'}"
    return {**shared, **{name: value for name, value in options.items() if value is not None}}


@contextmanager
def _listener(host: str, port: int) -> Generator[socket.socket]:
    """Open the socket to accept connections on.

    Raises:
        OSError: The address cannot be listened on.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as listener:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.set_inheritable(True)
        yield listener


def _allow_open_files() -> None:
    """Raise the limit of open files as far as the system allows: a stream needs two."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
