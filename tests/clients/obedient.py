"""A model that does what the last prompt says, to be played by the simulated agent for any client.

A prompt says `CALL name {"argument": 1} ENDCALL`, once for each call that is to be made, and, with the answer
after them, `SAY text ENDSAY`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_CALL: Final = re.compile(r"CALL (\w+) (\{.*?\}) ENDCALL", re.DOTALL)
_SAY: Final = re.compile(r"SAY (.+?) ENDSAY", re.DOTALL)
_MARK: Final = re.compile(r"<call:(\w+)>")
_RESULT: Final = re.compile(r"</result:\w+>")


def obey(body: dict[str, Any]) -> str:
    """Return what the model answers to a request."""
    messages: list[dict[str, str]] = body["messages"]
    prompted = [index for index, each in enumerate(messages) if _SAY.search(each["content"])]
    if not prompted:
        return "A title"  # some programs ask for one beside the conversation
    last = prompted[-1]
    prompt = messages[last]["content"]
    mark = _MARK.search(messages[0]["content"])
    wanted = _CALL.findall(prompt)
    made = sum(len(_RESULT.findall(each["content"])) for each in messages[last + 1 :])
    if mark is not None and made < len(wanted):
        name, arguments = wanted[made]
        plain = arguments.replace('\\"', '"')  # opencode quotes its arguments again
        call = json.dumps({"name": name, "arguments": json.loads(plain)})
        return f"<call:{mark[1]}>\n{call}\n</call:{mark[1]}>"
    return str(_SAY.findall(prompt)[-1])
