"""The file of a gateway, in TOML, that `tess-openai serve --config gateway.toml` reads.

    agent_id = 8794
    emulate = true

    [agents]
    support = 8795

    [gateway]
    key_file = "keys"

The names at the root are options of the adapter, the names below `[gateway]` are options of the gateway.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from tess_openai.client_options import OPTIONS
from tess_openai.core.changes import quoted
from tess_openai.core.jsons import to_object
from tess_openai.core.prompts import Prompts
from tess_openai.edge.response_stores import SQLiteResponseStore
from tess_openai.exceptions import TessConfigurationError, TessWarning
from tess_openai.gateway.gateway_options import (
    GATEWAY_OPTIONS,
    GatewayOptions,
    check_gateway_option,
    check_gateway_options,
)
from tess_openai.gateway.keys import admission_of
from tess_openai.gateway.server_options import SERVER_OPTIONS, ServerOptions, check_exposure
from tess_openai.gateway.upstream import resolve_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AGENT_ID: Final = "agent_id"
GATEWAY: Final = "gateway"
_IN_ENVIRONMENT: Final = "the key of Tess is read from TESS_API_KEY only, so that it is in no file"
_NOT_IN_A_FILE: Final = {
    "api_key": _IN_ENVIRONMENT,
    "on_change": "it is a function, for create_app() only",
    "others": "it holds clients, for create_app() only",
}
_SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The configuration of a gateway, from a file or from the command line.

    Attributes:
        agent_id: As for `create_app`.
        options: The other arguments of `create_app`.
        server: Where and how it is served.
        problems: One sentence for each wrong value; the other attributes do not contain these values.
    """

    agent_id: int | str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    server: ServerOptions = field(default_factory=ServerOptions)
    problems: tuple[str, ...] = ()

    @property
    def app_options(self) -> GatewayOptions:
        """The keywords of `create_app`."""
        return cast("GatewayOptions", dict(self.options))


def read_config(path: Path) -> GatewayConfig:
    """Read a file; the mistakes in its content are in `problems`.

    Raises:
        TessConfigurationError: It cannot be read, or is not TOML.
    """
    try:
        fields = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TessConfigurationError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TessConfigurationError(f"{str(path)!r} is not TOML: {error}") from None
    return parse_config(fields, folder=path.parent)


def parse_config(fields: Mapping[str, Any], *, folder: Path) -> GatewayConfig:
    """Check the fields of a file one by one.

    Args:
        fields: The parsed TOML.
        folder: The folder to which relative paths refer.
    """
    problems: list[str] = []
    options: dict[str, Any] = {}
    server: dict[str, Any] = {}
    agent_id = fields.get(AGENT_ID)
    if agent_id is not None and not isinstance(agent_id, int | str):
        problems.append(f"{AGENT_ID} is {quoted(agent_id)}; it must be the number of an agent, or its slug")
        agent_id = None
    for name, value in fields.items():
        if name not in (AGENT_ID, GATEWAY):
            _parse_option(name, value, options, problems, folder)
    own = to_object(fields.get(GATEWAY, {}))
    if own is None:
        problems.append("gateway is not a table; write [gateway] before its options")
    for name, value in (own or {}).items():
        if name in GATEWAY_OPTIONS:
            given = folder / str(value) if name == "key_file" else value
            _check(name, given, options, problems, partial(check_gateway_option, name))
        elif name in SERVER_OPTIONS:
            _check(name, value, server, problems, SERVER_OPTIONS[name])
        else:
            problems.append(_unknown(f"{GATEWAY}.{name}", name, [*GATEWAY_OPTIONS, *SERVER_OPTIONS]))
    return GatewayConfig(agent_id, options, ServerOptions(**server), tuple(problems))


def find_problems(config: GatewayConfig) -> list[str]:
    """Return one sentence for each mistake in a configuration and its environment."""
    return [*config.problems, *_try(config)[0]]


def find_warnings(config: GatewayConfig) -> list[str]:
    """Return one sentence for each setting that works but is probably a mistake."""
    return _try(config)[1]


def _try(config: GatewayConfig) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of making a gateway from a configuration."""
    problems: list[str] = []
    own = {name: value for name, value in config.options.items() if name in GATEWAY_OPTIONS}
    adapters: Any = {name: value for name, value in config.options.items() if name in OPTIONS}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TessWarning)
        try:
            settings = check_gateway_options(own)
            check_exposure(config.server.host, settings)
            resolved = resolve_settings(config.agent_id, adapters, pass_through=settings.pass_through)
            admission_of(settings, resolved.api_key)
        except TessConfigurationError as error:
            problems.append(str(error))
    warned = [str(each.message) for each in caught if issubclass(each.category, TessWarning)]
    return problems, list(dict.fromkeys(warned))


def _parse_option(
    name: str, value: object, options: dict[str, Any], problems: list[str], folder: Path
) -> None:
    """Check one of the adapter's options; add it to `options`, or what is wrong with it to `problems`."""
    if name in _NOT_IN_A_FILE:
        problems.append(f"{name} does not belong into the file: {_NOT_IN_A_FILE[name]}")
    elif name in OPTIONS:
        try:
            given = _from_toml(name, value, folder)
        except (TypeError, ValueError) as error:
            problems.append(f"{name} is wrong: {error}")
            return
        _check(name, given, options, problems, OPTIONS[name].check)
    else:
        problems.append(_unknown(name, name, [AGENT_ID, *OPTIONS, GATEWAY]))


def _check(
    name: str,
    given: object,
    options: dict[str, Any],
    problems: list[str],
    check: Callable[[Any], object],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TessWarning)  # shown by `find_problems`, and when the gateway is made
        try:
            check(given)
        except TessConfigurationError as error:
            problems.append(str(error))
        except ValueError as error:
            problems.append(f"{name} is {quoted(given)}; {error}")
        else:
            options[name] = given


def _from_toml(name: str, value: Any, folder: Path) -> object:
    """Return the value that the option has in Python.

    TOML has no null, so an empty string in `models` means the model of the agent.
    """
    table = to_object(value)
    if name == "models" and table is not None:
        return {alias: model or None for alias, model in table.items()}
    if name == "prompts":
        if table is None:
            raise ValueError("it must be a table: write [prompts] before its texts")
        return Prompts(**table)
    if name == "responses_store":
        if not isinstance(value, str) or not value.startswith(_SQLITE):
            raise ValueError(f'it must be a file of SQLite, "{_SQLITE}responses.sqlite"')
        return SQLiteResponseStore(folder / value.removeprefix(_SQLITE))
    if name == "pacing" and isinstance(value, str) and value.startswith(_SQLITE):
        return f"{_SQLITE}{(folder / value.removeprefix(_SQLITE)).absolute()}"
    if name == "profile" and isinstance(value, str):
        return folder / value
    return value


def _unknown(shown: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f". There are {', '.join(known)}."
    return f"there is no option {shown}{hint}"
