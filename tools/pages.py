"""Renew the tables of docs/ that are made from the code; `make pages` runs this program.

A table is placed in its page between `<!-- made by make pages: NAME -->` and `<!-- end -->`. The tables of
requests are made by translating requests, and those of errors by letting the simulator cause the errors.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import fault_tables
import langchain_responses
import openai

from tess_openai import TessOptions, TessWarning, create_client
from tess_openai.client_options import OPTIONS
from tess_openai.core.changes import Change
from tess_openai.core.chat.parameters import TOOL_PARAMETERS, UNSUPPORTED, Parameter
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat_call import translate_request
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.jsons import JSONObject, to_object
from tess_openai.core.options import Options
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.responses.response_parameters import CHAT_NAMES, RESPONSES_UNSUPPORTED
from tess_openai.core.routes import OTHER_ENDPOINTS
from tess_openai.edge.caller_warnings import CATEGORIES
from tess_openai.identifiers import DEFAULT_BASE_URL
from tess_openai.testing import (
    SIMULATOR_API_KEY,
    SIMULATOR_WORKSPACE_ID,
    Fault,
    Profile,
    TessSimulator,
    faults,
)

DOCS: Final = Path(__file__).parents[1] / "docs"
PACKAGE: Final = Path(__file__).parents[1] / "tess_openai"
ROOMS: Final = {
    "*.py": "the factories, their options, and what users import",
    "presets/": "the frameworks, each through its own public hook",
    "edge/": "the two HTTP families, the drivers of a call, warnings at the caller's line",
    "core/": "what Tess and OpenAI mean; no I/O, no clock, no environment",
    "gateway/": "the adapter behind an ASGI application, behind an extra",
    "testing/": "the simulated Tess, which shares no rule with the adapter",
    "cli/": "the command line, behind an extra",
}
CORE_ROOMS: Final = {
    "*.py": "what all rooms share; and above the rooms the routes, which choose a flow, and the chat call",
    "schemas/": "JSON Schemas: compiled, checked, and values coerced to them",
    "chat/": "a chat request for Tess, and its answer as OpenAI would give it",
    "emulate/": "what Tess lacks, done over plain messages",
    "long_answers/": "answers fetched as streams, and one that was cut joined with what continues it",
    "completions/": "legacy completions, over chat calls",
    "responses/": "the Responses API, over chat calls, and the store of earlier responses",
}
"""A room may import the rooms above it; the shared modules that import a room are above all rooms."""
MADE: Final = re.compile(
    r"(?P<begin><!-- made by make pages: (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)
_LONGEST: Final = 90

WEATHER: Final = {"type": "function", "function": {"name": "weather"}}
TEMPERATURES: Final = (0.5, 1, "0.25", 0.7, 1.3, None)
TOOLS: Final[tuple[JSONObject, ...]] = (
    {"tools": "internet"},
    {"tools": []},
    {"tools": ["i", "n", "t", "e", "r", "n", "e", "t"]},
    {"tools": [{"type": "web_search"}]},
    {"web_search_options": {}},
    {"web_search_options": {"search_context_size": "high"}},
    {"tools": ["internet", "twitter"]},
    {"tools": [WEATHER]},
    {"tools": [WEATHER, {"type": "web_search"}]},
    {"tools": [WEATHER], "tool_choice": "none"},
    {"tools": [WEATHER], "tool_choice": "auto"},
    {"tools": [WEATHER], "tool_choice": "required"},
    {"functions": [{"name": "weather"}]},
    {"tools": "internet", "tool_choice": "required"},
    {"parallel_tool_calls": True},
)
IMAGE: Final = {"type": "image_url", "image_url": {"url": "data:..."}}
FILE: Final = {"type": "file", "file": {"file_id": "389571"}}
CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
MESSAGES: Final[tuple[list[JSONObject], ...]] = (
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    [{"role": "developer", "content": "Be brief."}],
    [{"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}],
    [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}],
    [{"role": "user", "content": [{"type": "text", "text": "Sum it up."}, FILE]}],
    [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    [{"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"}],
    [{"role": "user", "name": "ada", "content": "Hi"}],
    [{"role": "assistant", "content": "Hi", "refusal": None, "annotations": []}],
    [{"role": "assistant", "content": None, "refusal": "I would rather not."}],
    [{"role": "assistant", "content": ""}, {"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}],
)

HELLO: Final = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}
WRONG_CALLS: Final[tuple[tuple[Profile, JSONObject, JSONObject], ...]] = (
    # which Tess, arguments of the client, arguments of the call
    (Profile(), {"api_key": "1|wrong"}, {}),
    (Profile.documented(), {"api_key": "1|wrong"}, {}),
    (Profile(), {"workspace_id": None}, {}),
    (Profile(), {"workspace_id": 9}, {}),
    (Profile(), {"default_headers": {"x-workspace-id": "mine"}}, {}),
    (Profile(), {"agent_id": 999}, {}),
    (Profile(), {}, {"model": "gpt-9"}),
    (Profile.documented(), {}, {"model": "gpt-9"}),
)
FAULTS: Final[tuple[tuple[Fault, bool], ...]] = (
    # a fault, and whether it strikes a stream
    (faults.rate_limited(retry_after_seconds=30), False),
    (faults.rate_limited(retry_after_seconds=3600), False),
    (faults.no_credits(), False),
    (faults.too_large(), False),
    (faults.server_error(), False),
    (faults.bad_gateway(), False),
    (faults.gateway_timeout(), False),
    (faults.error_in_200(), False),
    (faults.login_page(), False),
    (faults.redirect(), False),
    (faults.error_event(), True),
    (faults.ends_early(), True),
    (faults.non_json_line(), True),
)


def rewritten(page: str) -> str:
    """Return a page with every table renewed.

    Raises:
        KeyError: There is no such table.
    """
    return MADE.sub(lambda mark: f"{mark['begin']}\n{TABLES[mark['name']]()}\n\n{mark['end']}", page)


def parameters() -> str:
    """List the parameters that Tess lacks."""
    return _lost(UNSUPPORTED)


def responses_parameters() -> str:
    """List the parameters of the Responses API that Tess and chat lack."""
    return _lost(RESPONSES_UNSUPPORTED)


def responses_names() -> str:
    """List the parameters of the Responses API that have another name in chat."""
    rows = ((_code(name), _code(chat)) for chat, name in sorted(CHAT_NAMES.items(), key=lambda pair: pair[1]))
    return _table(("Responses", "chat"), rows)


def completions_parameters() -> str:
    """List the parameters of legacy completions that Tess and chat lack."""
    return _lost(COMPLETIONS_UNSUPPORTED)


def _lost(table: Mapping[str, Parameter]) -> str:
    return _table(
        ("parameter", "what you do not get", "asks for nothing", "emulated on request"),
        (
            (
                _code(name),
                parameter.consequence,
                ", ".join(_code(_json(value)) for value in parameter.neutral),
                "yes" if parameter.can_emulate else "",
            )
            for name, parameter in sorted(table.items())
        ),
    )


def options() -> str:
    """List the options of the factories."""
    _, _, attributes = inspect.cleandoc(str(TessOptions.__doc__)).partition("Attributes:")
    described = re.split(r"^ {4}(\w+): ", attributes, flags=re.MULTILINE)
    meanings = dict(zip(described[1::2], described[2::2], strict=True))
    return _table(
        ("option", "default", "else", "meaning"),
        (
            (
                _code(name),
                _code(repr(option.default)),
                _code(option.variable) if option.variable else "",
                _escaped(" ".join(meanings[name].split())),
            )
            for name, option in OPTIONS.items()
        ),
    )


def rooms() -> str:
    """List what each part of the package imports, as read from its source."""
    return _rooms(PACKAGE, ROOMS)


def core_rooms() -> str:
    """List what each room of the core imports, as read from its source."""
    return _rooms(PACKAGE / "core", CORE_ROOMS)


def _rooms(folder: Path, purposes: Mapping[str, str]) -> str:
    prefix = f"{folder.relative_to(PACKAGE.parent).as_posix()}/"
    rows: list[tuple[str, str, str]] = []
    for room, purpose in purposes.items():
        files = folder.glob("*.py") if room == "*.py" else (folder / room).rglob("*.py")
        imported = {name for file in files for name in _imports(file)}
        found = sorted({_room(name, prefix, purposes) for name in imported} - {room.rstrip("/")})
        rows.append((_code(f"{prefix}{room}"), purpose, ", ".join(found) or "the standard library only"))
    return _table(("part", "purpose", "imports, besides the standard library"), rows)


def _room(module: str, prefix: str, purposes: Mapping[str, str]) -> str:
    """Return the room that a module is in, or the name of its package when it is another package's."""
    parent = prefix.replace("/", ".")
    if not f"{module}.".startswith(parent):
        return module.partition(".")[0]
    part = module.removeprefix(parent).partition(".")[0]
    return part if f"{part}/" in purposes else "*.py"


def _imports(file: Path) -> Iterable[str]:
    """Yield the modules outside the standard library that a file imports, in functions too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_for_types(node)]
    left_out = {inner for node in for_types for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if node in left_out:
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
            if node.module == "tess_openai":
                names = [f"tess_openai.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.partition(".")[0] not in sys.stdlib_module_names)


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def policy_names() -> str:
    """List the parameters that `unsupported=` may name."""
    rest = sorted(POLICY_PARAMETERS - UNSUPPORTED.keys() - TOOL_PARAMETERS)
    return (
        f"`unsupported=` may name each parameter above, the tool parameters {_listed(TOOL_PARAMETERS)}, "
        f"and {_listed(rest)}."
    )


def temperature() -> str:
    """List how temperatures are translated."""
    return _translations([{"temperature": value} for value in TEMPERATURES])


def tools() -> str:
    """List how tools are translated."""
    return _translations(TOOLS)


def messages() -> str:
    """List how messages are translated."""
    rows: list[tuple[str, str, str]] = []
    for given in MESSAGES:
        prepared = translate_request({"messages": given}, Options(), new_id=lambda: "0")
        sent = "the same" if prepared.untouched else _lines(prepared.body.pop("messages"))
        beside = {} if prepared.untouched else prepared.body
        rows.append((_lines(given), "<br>".join(filter(None, (sent, _fields(beside)))), _in_words(prepared)))
    return _table(("given", "sent", "summary"), rows)


def endpoints() -> str:
    """List the endpoints of OpenAI's that Tess does not have."""
    return ", ".join(_code(f"/{name}") for name in sorted(OTHER_ENDPOINTS)) + "."


def warning_categories() -> str:
    """List the categories of warnings."""
    categories = sorted(TessWarning.__subclasses__(), key=lambda category: category.__name__)
    summaries = (inspect.cleandoc(str(category.__doc__)).splitlines()[0] for category in categories)
    names = (_code(category.__name__) for category in categories)
    return _table(("category", "it says"), zip(names, summaries, strict=True))


def errors() -> str:
    """List the exception for each error of Tess, by causing the errors."""
    rows = [_error(profile, None, client, call) for profile, client, call in WRONG_CALLS]
    rows.extend(_error(Profile(), fault, {}, {"stream": stream}) for fault, stream in FAULTS)
    return _table(("Tess answers", "you get, its `code`", "its text", "sent again"), rows)


def _error(
    profile: Profile, fault: Fault | None, client_options: JSONObject, call_options: JSONObject
) -> tuple[str, str, str, str]:
    """Cause an error and describe it: what Tess sent, the exception, its text, whether the SDK retries."""
    options: dict[str, Any] = {
        "agent_id": 42,
        "api_key": SIMULATOR_API_KEY,
        "workspace_id": SIMULATOR_WORKSPACE_ID,
        "base_url": DEFAULT_BASE_URL,
        "max_retries": 0,
        **client_options,
    }
    with TessSimulator(profile=profile) as simulator, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if fault is not None:
            simulator.fault(fault)
        http_client = openai.DefaultHttpxClient(transport=simulator.transport())
        with create_client(**options, http_client=http_client) as client:
            try:
                create = cast("Callable[..., Iterable[object]]", client.chat.completions.create)
                list(create(**{**HELLO, **call_options}))
            except openai.APIError as error:
                return _described(error, simulator.calls[-1].status)
    raise AssertionError(f"{fault or client_options or call_options} was to fail")


def _described(error: openai.APIError, status: int | None) -> tuple[str, str, str, str]:
    body = to_object(error.body) or {}
    tess = body.get("tess")
    message = (
        "nothing more" if tess is None else _code(_short(tess if isinstance(tess, str) else _json(tess)))
    )
    where, again = "in a stream", "no"
    if isinstance(error, openai.APIStatusError):
        where = str(status)
        is_retriable = error.status_code >= 500 or error.status_code in (408, 409, 429)
        if is_retriable and error.response.headers.get("x-should-retry") != "false":
            again = "yes"
    return (
        f"{where} {message}",
        f"{_code(type(error).__name__)}<br>{_code(str(body.get('code')))}",
        _escaped(str(body.get("message"))),
        again,
    )


def _translations(bodies: Iterable[JSONObject]) -> str:
    """List how root fields are translated."""
    rows: list[tuple[str, str, str]] = []
    for given in bodies:
        prepared = translate_request(given, Options(), new_id=lambda: "0")
        rows.append((_fields(given), _fields(prepared.body) or "nothing", _in_words(prepared)))
    return _table(("given", "sent", "summary"), rows)


def _in_words(prepared: TranslatedRequest) -> str:
    return ", ".join(dict.fromkeys(_telling(change) for change in prepared.ledger.changes))


def _telling(change: Change) -> str:
    return "ledger" if change.warn is None else _code(CATEGORIES[change.warn].__name__)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    for line in lines:
        if "\n" in line:
            raise ValueError(f"a line break ends a row of a table: {line!r}")
    return "\n".join(lines)


def _fields(body: JSONObject) -> str:
    return "<br>".join(_code(f"{name}={_json(value)}") for name, value in body.items())


def _lines(items: Iterable[object]) -> str:
    return "<br>".join(_code(_json(item)) for item in items)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_code(name) for name in sorted(names))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."


TABLES: Final[dict[str, Callable[[], str]]] = {
    "options": options,
    "rooms": rooms,
    "rooms of the core": core_rooms,
    "langchain responses": langchain_responses.describe,
    "parameters": parameters,
    "policy names": policy_names,
    "responses names": responses_names,
    "responses parameters": responses_parameters,
    "completions parameters": completions_parameters,
    "temperature": temperature,
    "tools": tools,
    "messages": messages,
    "endpoints": endpoints,
    "warnings": warning_categories,
    "errors": errors,
    "lost answers": lambda: _table(fault_tables.LOST_ANSWERS_HEAD, fault_tables.lost_answers()),
    "statuses": lambda: _table(fault_tables.STATUSES_HEAD, fault_tables.statuses()),
}


def main() -> None:
    """Renew every page."""
    os.environ.pop("TESS_WORKSPACE_ID", None)  # one of the errors is a missing workspace
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        renewed = rewritten(page)
        if renewed != page:
            path.write_text(renewed, encoding="utf-8")
            print(f"renewed {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
