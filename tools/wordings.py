"""Measure how well a model follows the wordings of emulation, for the table in `docs/emulation.md`.

Usage: python tools/wordings.py BASE_URL [--wordings default,placeholder,...] [--repairs N] [--json]
       [--prompts FILE.py] [--tasks N]

BASE_URL is Tess, or a server that speaks as Tess does and answers from a model of your own; the key and the
workspace come from TESS_API_KEY and TESS_WORKSPACE_ID. Every task is one call, and each repair one more: all
are paid. FILE.py sets `prompts = Prompts(...)`, a wording of your own. `tools/reminder.py` asks the same
tasks after conversations of several lengths.

The tasks are short, and a model that answers at temperature 0 gives one result for each: a difference of one
or two tasks may be chance.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import openai

from tess_openai import Prompts, create_client
from tess_openai.core.changes import Change

Wanted: TypeAlias = list[tuple[str, dict[str, Any]]]
"""The calls that a task wants: the function, and the arguments it must have; texts may be longer."""

TEXT: Final = {"type": "string"}
NUMBER: Final = {"type": "number"}
WHOLE: Final = {"type": "integer"}
YES_NO: Final = {"type": "boolean"}
CURRENCY: Final = {"type": "string", "enum": ["USD", "EUR", "GBP", "BRL"]}
ROOM: Final = {"type": "string", "enum": ["kitchen", "bedroom", "living_room"]}
OPERATION: Final = {"type": "string", "enum": ["add", "subtract", "multiply", "divide"]}


def _function(description: str, required: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - a schema
    parameters = {"type": "object", "properties": properties, "required": required.split()}
    return {"description": description, "parameters": parameters}


FUNCTIONS: Final = {
    "weather": _function("Tell the current weather in a city.", "city", city=TEXT),
    "calculate": _function(
        "Do one arithmetic operation.", "a b operation", a=NUMBER, b=NUMBER, operation=OPERATION
    ),
    "add_event": _function(
        "Put an event into the calendar.",
        "title date",
        title=TEXT,
        date={**TEXT, "description": "YYYY-MM-DD"},
        duration_minutes=WHOLE,
    ),
    "set_light": _function("Switch a light on or off.", "room on", room=ROOM, on=YES_NO, brightness=WHOLE),
    "search_shop": _function("Search the shop.", "query", query=TEXT, max_price=NUMBER),
    "send_mail": _function("Send a mail.", "to subject body", to=TEXT, subject=TEXT, body=TEXT),
    "stock_price": _function(
        "Tell the price of a stock.", "symbol", symbol={**TEXT, "description": "ticker"}
    ),
    "convert": _function(
        "Convert money.", "amount source target", amount=NUMBER, source=CURRENCY, target=CURRENCY
    ),
    "book_table": _function(
        "Book a table.", "restaurant people time", restaurant=TEXT, people=WHOLE, time=TEXT
    ),
    "current_time": _function("Tell the current time.", ""),
}
CALL_TASKS: Final[list[tuple[str, str, Wanted]]] = [
    ("weather", "What is the weather in Porto?", [("weather", {"city": "porto"})]),
    ("weather", "Do I need a coat in Oslo today?", [("weather", {"city": "oslo"})]),
    ("calculate", "Divide 77.5 by 5.", [("calculate", {"a": 77.5, "b": 5, "operation": "divide"})]),
    (
        "add_event",
        "Add a 30 minute event called Haircut on 2026-12-03.",
        [("add_event", {"title": "haircut", "date": "2026-12-03", "duration_minutes": 30})],
    ),
    ("set_light", "Turn the bedroom light off.", [("set_light", {"room": "bedroom", "on": False})]),
    (
        "search_shop",
        "Find running shoes below 90 dollars.",
        [("search_shop", {"query": "shoes", "max_price": 90})],
    ),
    ("current_time", "How late is it?", [("current_time", {})]),
    ("weather stock_price", "What does a share of Tesla (TSLA) cost?", [("stock_price", {"symbol": "TSLA"})]),
    (
        "set_light weather current_time",
        "Light on in the kitchen, please.",
        [("set_light", {"room": "kitchen", "on": True})],
    ),
    (
        "book_table add_event calculate weather",
        "Book a table for 4 at Luigi at 19:30.",
        [("book_table", {"restaurant": "luigi", "people": 4, "time": "19:30"})],
    ),
    (
        "weather stock_price convert current_time calculate",
        "How many euros are 250 US dollars?",
        [("convert", {"amount": 250, "source": "USD", "target": "EUR"})],
    ),
    (
        "weather calculate",
        "What is the weather in Cairo and in Lima?",
        [("weather", {"city": "cairo"}), ("weather", {"city": "lima"})],
    ),
    (
        "add_event send_mail set_light",
        "Mail ana@example.com, subject Lunch, text: Noon is fine.",
        [("send_mail", {"to": "ana@example.com", "subject": "lunch", "body": "noon is fine"})],
    ),
    ("weather", "What is the capital of Spain?", []),
    ("stock_price weather", "Good morning! How are you?", []),
    ("search_shop book_table send_mail", "Who painted the Mona Lisa?", []),
]
PRODUCT: Final = {"name": TEXT, "price": NUMBER, "in_stock": YES_NO}
TICKET: Final = {
    "title": TEXT,
    "priority": {"type": "string", "enum": ["low", "medium", "high"]},
    "category": {"type": "string", "enum": ["bug", "feature", "question"]},
}
JSON_TASKS: Final[list[tuple[dict[str, Any], str, dict[str, Any]]]] = [
    (
        PRODUCT,
        "The Rapid Kettle costs 45 euros and is sold out.",
        {"name": "Rapid Kettle", "price": 45, "in_stock": False},
    ),
    (
        PRODUCT,
        'The 10" pan is available for 12.5 dollars.',
        {"name": '10" pan', "price": 12.5, "in_stock": True},
    ),
    (
        TICKET,
        "Title: Crash at start. It is a bug of high priority.",
        {"title": "Crash at start", "priority": "high", "category": "bug"},
    ),
    (
        TICKET,
        "Feature request titled Print view, low priority.",
        {"title": "Print view", "priority": "low", "category": "feature"},
    ),
]
_DEFAULT: Final = Prompts()
_BEFORE, _CALL = _DEFAULT.functions.split("\n\n")
_LINES, _RULES = _BEFORE.split("\n{rules}")
WORDINGS: Final[dict[str, Prompts]] = {
    "default": _DEFAULT,
    "placeholder": Prompts(
        functions=_DEFAULT.functions.replace(
            "{example}", '{"name": "function", "arguments": {"key": "value"}}'
        )
    ),
    "result not mentioned": Prompts(
        functions=_DEFAULT.functions.replace(": the result comes in the next message.", ".")
    ),
    "tools tags": Prompts(
        functions=_DEFAULT.functions.replace("{functions}", "<tools>\n{functions}\n</tools>")
    ),
    "rules first": Prompts(
        functions="{rules}\n" + _DEFAULT.functions.replace("\n{rules}", ""),
    ),
    "rules last": Prompts(functions=f"{_LINES}\n\n{_CALL}\n{{rules}}{_RULES}"),
    "sections": Prompts(
        functions="# Functions\n{functions}\n\n# How to call\n{open}\n{example}\n{close}\n\n# Rules\n{rules}"
    ),
}


def main() -> int:
    """Measure the chosen wordings, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("base_url")
    parser.add_argument("--wordings", default="default", help="of: " + ", ".join(WORDINGS))
    parser.add_argument("--prompts", help="a file that sets `prompts`")
    parser.add_argument("--repairs", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=len(CALL_TASKS), help="only the first so many")
    parser.add_argument("--json", action="store_true", help="the tasks that want JSON")
    given = parser.parse_args()
    wordings = {name: WORDINGS[name] for name in given.wordings.split(",")}
    if given.prompts:
        wordings = {given.prompts: runpy.run_path(given.prompts)["prompts"]}
    for name, prompts in wordings.items():
        repaired: list[str] = []
        client = make_client(given.base_url, prompts, given.repairs, repaired)
        started = time.monotonic()
        tasks = JSON_TASKS if given.json else CALL_TASKS[: given.tasks]
        ask = _json_verdict if given.json else call_verdict
        verdicts = Counter(verdict(ask, client, task) for task in tasks)
        counts = ", ".join(f"{count} {each}" for each, count in sorted(verdicts.items()))
        print(f"{name}: {counts}; {len(repaired)} repairs; {time.monotonic() - started:.0f} s", flush=True)
    return 0


def make_client(
    base_url: str,
    prompts: Prompts,
    repairs: int,
    repaired: list[str],
    http_client: Any = None,  # noqa: ANN401 - of either HTTP family
) -> openai.OpenAI:
    """Return a client for a model; `repaired` gets an entry for each time that it is asked again."""

    def count(change: Change) -> None:
        if change.action == "asked again":
            repaired.append(change.param)

    return create_client(
        os.environ.get("TESS_AGENT_ID", "1"),
        base_url=base_url,
        emulate=True,
        prompts=prompts,
        max_repairs=repairs,
        on_change=count,
        timeout=600,
        max_retries=0,
        http_client=http_client,
    )


def verdict(
    ask: Callable[[openai.OpenAI, list[Any], Any], str],
    client: openai.OpenAI,
    task: Any,  # noqa: ANN401 - a task of this file, for a call or for JSON
    earlier: Sequence[Any] = (),
) -> str:
    """Ask a task after the messages of an earlier conversation; return and print the verdict."""
    try:
        found = ask(client, [*earlier, {"role": "user", "content": task[1]}], task)
    except openai.APIError as error:
        found = type(error).__name__
    print(f"  {found:24} {task[1]}", file=sys.stderr, flush=True)
    return found


def call_verdict(client: openai.OpenAI, messages: list[Any], task: tuple[str, str, Wanted]) -> str:
    """Return a verdict in words: whether the model made the calls that a task wants."""
    offered, _, wanted = task
    tools: list[Any] = [
        {"type": "function", "function": {"name": name, **FUNCTIONS[name]}} for name in offered.split()
    ]
    answer = client.chat.completions.create(model="tess-6", temperature=0, messages=messages, tools=tools)
    message = answer.choices[0].message
    left = [
        (call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or []
        if call.type == "function"
    ]
    if not left:
        if '"arguments"' in (message.content or ""):
            return "a call shown as text"
        return "no call" if wanted else "no call, as wanted"
    for name, arguments in wanted:
        for call in left:
            if call[0] == name and all(_fits(value, call[1].get(key)) for key, value in arguments.items()):
                left.remove(call)
                break
        else:
            return "another call"
    return "another call" if left else "the call, as wanted"


def _json_verdict(
    client: openai.OpenAI, messages: list[Any], task: tuple[dict[str, Any], str, dict[str, Any]]
) -> str:
    properties, _, wanted = task
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    response_format: Any = {"type": "json_schema", "json_schema": {"name": "data", "schema": schema}}
    system: Any = {"role": "system", "content": "Extract the data from the user's text."}
    answer = client.chat.completions.create(
        model="tess-6",
        temperature=0,
        messages=[system, *messages],
        response_format=response_format,
    )
    try:
        return "right" if json.loads(answer.choices[0].message.content or "") == wanted else "not right"
    except ValueError:
        return "no JSON"


def _fits(wanted: object, given: object) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        return wanted.lower() in given.lower()
    return wanted == given


if __name__ == "__main__":
    sys.exit(main())
