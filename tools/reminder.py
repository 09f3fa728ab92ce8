"""Measure from which length of a conversation on it helps to repeat a rule after its last message.

Usage: python tools/reminder.py BASE_URL [--before 0,2000,...] [--tasks N]

BASE_URL is as for `tools/wordings.py`. This program asks the tasks of that file after so many characters of
an earlier conversation, each of them twice: without the line of `Prompts.reminder` after the last message,
and with it. No answer is repaired. Every call is paid: 160 for all tasks and lengths.

The nonce is the same in all requests, so the two requests of a pair differ only in this line, and a server
that caches the beginnings of prompts reads the long conversation of a task once.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from typing import Any, Final

import httpx2
import openai
from wordings import CALL_TASKS, call_verdict, make_client, verdict

from tess_openai import Prompts
from tess_openai.core.prompts import fill

NONCE: Final = "tokibanuve"
_OPEN: Final = re.compile(r"<call:(\w+)>")
AS_WANTED: Final = ("the call, as wanted", "no call, as wanted")
EARLIER: Final = (
    (
        "Tell me something about the history of bridges.",
        """\
The first bridges were trunks that lay across a stream. Later, arches of stone carried roads and water, \
and iron and steel made it possible to span rivers that no arch could cross. Each of them needed people \
who measured the ground, the wind and the weight of what would pass over it. Many old arches are still in \
use, since stone that is only pressed and never pulled lasts for a very long time.""",
    ),
    (
        "Why is bread left to rest before it is baked?",
        """\
While the dough rests, yeast eats the sugar in the flour and gives off gas, which is caught in small \
bubbles. The gluten relaxes, so that the loaf can be shaped without tearing. A longer rest in a cold place \
also brings more taste, because acids form slowly. If you bake too early the crumb is dense; if you wait \
too long the bubbles break and the loaf falls together.""",
    ),
    (
        "I am learning to play chess. What should I practise first?",
        """\
Practise short endings first: king and pawn against king, then the mate with a rook. They show what each \
piece can do when nothing else is in the way. Then solve a few puzzles a day, slowly, and say aloud what \
your opponent threatens before you move. Openings can wait. Play games that are long enough to think, and \
look at each game that you lost once more.""",
    ),
    (
        "How do birds find their way when they fly south?",
        """\
They use several signs at once. By day many of them follow the sun, and correct for the hour with a clock \
of their own. By night they look at the stars, which turn around one point. They also feel the magnetic \
field of the earth. Close to the end of the journey coasts, rivers and even smells lead them. Young birds \
of some kinds travel alone and still arrive.""",
    ),
    (
        "What did people write on before there was paper?",
        """\
On whatever was at hand: clay, bone, bark, stone, wood with a layer of wax. In Egypt strips of a reed were \
pressed into sheets; elsewhere skins were scraped until they were thin and white. Each material shaped the \
writing on it. Signs in clay are made of wedges because a reed was pressed into it, and letters in stone \
have straight lines because curves are hard to cut.""",
    ),
    (
        "Can you explain why the sea is salty?",
        """\
Rain dissolves a little of the rock it runs over, and rivers carry it down. The water of the sea \
evaporates and falls as rain again, but the salt stays. Hot springs at the bottom add more. The sea has \
been gathering salt for so long that what arrives in a year makes no difference, and about as much is lost \
in layers of mud. Lakes without an outlet become salty in the same way.""",
    ),
    (
        "My tomato plants turn yellow. What can it be?",
        """\
If only the lowest part turns yellow, the plant is moving its food upwards, and some compost will help. If \
the yellow is between green veins, iron or magnesium is missing. Spots with dark rings are a fungus: cut \
them off and water the ground, not the plant. And if all of it hangs and is pale, look at the roots, for \
too much water does the same as too little.""",
    ),
    (
        "What makes a good title for a novel?",
        """\
A good title can be read aloud and remembered at once. It promises something of the tone of the \
book, and means more after the last page than before the first. Names work when the person is strange \
enough, places when something happens only there. Try ten of them on friends who have not read it, and ask \
a week later which one they still know.""",
    ),
)


class SameNonce(httpx2.BaseTransport):
    """A transport that sends the same nonce in every request, and adds a reminder to the last message."""

    def __init__(self, reminder: str) -> None:
        self._reminder = reminder
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request with the fixed nonce and the reminder; return the answer with its own nonce."""
        body = json.loads(request.read())
        nonce = _OPEN.findall(body["messages"][0]["content"])[0]
        if self._reminder:
            line = fill(self._reminder, open=f"<call:{NONCE}>", close=f"</call:{NONCE}>")
            body["messages"][-1]["content"] += f"\n\n{line}"
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        sent = httpx2.Request(
            request.method,
            request.url,
            headers=headers,
            content=json.dumps(body).replace(nonce, NONCE),
            extensions=request.extensions,
        )
        response = self._inner.handle_request(sent)
        text = response.read().decode().replace(NONCE, nonce)
        return httpx2.Response(
            response.status_code, headers={"content-type": "application/json"}, content=text
        )


def main() -> int:
    """Ask each task at each length without the reminder and with it, and print a row for each length."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("base_url")
    parser.add_argument("--before", default="0,2000,4000,8000,16000", help="characters before the task")
    parser.add_argument("--tasks", type=int, default=len(CALL_TASKS), help="only the first so many")
    given = parser.parse_args()
    lengths = [int(length) for length in given.before.split(",")]
    started = time.monotonic()
    clients = [_client(given.base_url, reminder) for reminder in ("", Prompts().reminder)]
    pairs: dict[int, Counter[tuple[str, str]]] = {length: Counter() for length in lengths}
    for task in CALL_TASKS[: given.tasks]:
        for length in lengths:  # in this order, so that a server can reuse what it has read
            earlier = earlier_messages(length)
            print(f" after {length} characters, without and with the reminder:", file=sys.stderr)
            without, with_it = (verdict(call_verdict, client, task, earlier) for client in clients)
            pairs[length][without, with_it] += 1
    for length, counts in pairs.items():
        print(_row(length, counts))
    print(f"{time.monotonic() - started:.0f} s")
    return 0


def _client(base_url: str, reminder: str) -> openai.OpenAI:
    http_client = httpx2.Client(transport=SameNonce(reminder), timeout=600)
    return make_client(base_url, Prompts(reminder=""), 0, [], http_client=http_client)


def earlier_messages(length: int) -> list[Any]:
    """Return a conversation of at least so many characters: questions and answers, cut after an answer."""
    messages: list[Any] = []
    while length > sum(len(message["content"]) for message in messages):
        question, answer = EARLIER[len(messages) // 2 % len(EARLIER)]
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return messages


def _row(length: int, counts: Counter[tuple[str, str]]) -> str:
    """Return the results of one length: how often each verdict was given, and which side was better alone."""
    sides = [Counter[str](), Counter[str]()]
    for verdicts, count in counts.items():
        for side, found in zip(sides, verdicts, strict=True):
            side[found] += count
    texts = [", ".join(f"{count} {found}" for found, count in sorted(side.items())) for side in sides]
    right = {pair: tuple(found in AS_WANTED for found in pair) for pair in counts}
    only_without = sum(count for pair, count in counts.items() if right[pair] == (True, False))
    only_with = sum(count for pair, count in counts.items() if right[pair] == (False, True))
    return (
        f"{length} characters: without: {texts[0]}; with: {texts[1]}; "
        f"right only without it: {only_without}, only with it: {only_with}"
    )


if __name__ == "__main__":
    sys.exit(main())
