"""A conversation at the terminal: history, input of several lines, commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tess_openai.cli import console
from tess_openai.cli.chat.chat_turn import Wishes, ask, show_account
from tess_openai.cli.chat.prompt_input import PromptInput
from tess_openai.cli.error_messages import to_problem
from tess_openai.cli.whole_files import write_whole

if TYPE_CHECKING:
    import openai

NOTHING: Final = "-"
HELP: Final = """\
/model NAME        ask for a model; - means the agent's default
/tools WORD        ask for a tool of the agent's; - means the agent's default
/temperature N     ask for a temperature; - means the agent's default
/system TEXT       set the system message; - removes it
/new               forget the conversation
/history           show the conversation
/save FILE         save the conversation: as JSON when the name ends in .json, else as text
/quit              end, as Ctrl-D does
A line that ends in a backslash continues in the next one; \"\"\" begins and ends a text of many lines.
A pasted text of several lines is one message, and never a command.
Ctrl-C stops an answer."""


class Conversation:
    """The messages so far, and the settings of the next calls."""

    def __init__(self, client: openai.OpenAI, wishes: Wishes, system: str | None) -> None:
        self.client = client
        self.wishes = wishes
        self.system = system
        self.messages: list[dict[str, str]] = []
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _: _say(HELP),
            "model": lambda text: self._wish("model", text),
            "tools": lambda text: self._wish("tools", text),
            "temperature": lambda text: self._wish("temperature", text),
            "system": self._set_system,
            "new": self._forget,
            "history": lambda _: _say(self._as_text() or "the conversation is empty"),
            "save": self._save,
        }

    def run(self) -> None:
        """Read prompts and answer them until the user ends the conversation."""
        prompts = PromptInput()
        _say("Ctrl-D ends the conversation, /help lists the commands.")
        while True:
            try:
                text = prompts.read()
            except EOFError:
                _say("")
                return
            except KeyboardInterrupt:
                _say("")
                continue
            is_command = text.startswith("/") and "\n" not in text
            if is_command and text.strip() in ("/quit", "/exit"):
                prompts.discard_rest()
                return
            if is_command:
                self._command(text.strip())
            elif text.strip():
                self._ask(text)

    def _ask(self, text: str) -> None:
        question = {"role": "user", "content": text}
        try:
            answer = ask(
                self.client, [*self._head(), *self.messages, question], self.wishes, console.write_answer
            )
        except Exception as error:
            problem = to_problem(error)
            if problem is None:
                raise
            console.err().print(f"{problem}", style="red", soft_wrap=True)
            return
        console.write_answer("\n")
        show_account(answer)
        if answer.text:
            self.messages += [question, {"role": "assistant", "content": answer.text}]

    # --- commands ---

    def _command(self, text: str) -> None:
        name, _, rest = text[1:].partition(" ")
        command = self._commands.get(name)
        if command is None:
            _say(f"there is no /{name}; /help lists the commands")
        else:
            command(rest.strip())

    def _wish(self, name: str, text: str) -> None:
        if text:
            setattr(self.wishes, name, None if text == NOTHING else text)
        value: str | None = getattr(self.wishes, name)
        default = "the agent's default"
        _say(f"{name}: {default if value is None else value}")

    def _set_system(self, text: str) -> None:
        if text:
            self.system = None if text == NOTHING else text
        _say(f"system: {self.system or 'none'}")

    def _forget(self, _: str) -> None:
        self.messages.clear()
        _say("forgotten")

    def _save(self, text: str) -> None:
        if not text:
            _say("name the file: /save FILE")
            return
        message = (
            json.dumps(self._all(), ensure_ascii=False, indent=2)
            if text.endswith(".json")
            else self._as_text()
        )
        if Path(text).expanduser().exists():
            _say(f"{text} exists; choose another name")
            return
        try:
            write_whole(Path(text).expanduser(), message + "\n")
        except OSError as error:
            _say(f"not saved: {error.strerror}")
            return
        _say(f"saved to {text}")

    def _as_text(self) -> str:
        return "\n\n".join(f"{message['role']}: {message['content']}" for message in self._all())

    def _all(self) -> list[dict[str, str]]:
        """Return the messages with the system message first; empty for an empty conversation."""
        return [*self._head(), *self.messages] if self.messages else []

    def _head(self) -> list[dict[str, str]]:
        return [{"role": "system", "content": self.system}] if self.system else []


def _say(text: str) -> None:
    console.err().print(text, style="dim", soft_wrap=True)
