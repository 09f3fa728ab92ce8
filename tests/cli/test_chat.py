"""`tess-openai chat`: one prompt, a pipe, and a conversation at a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import COMMAND, Program, Terminal, environment

from tess_openai.testing import Fault, TessSimulator, faults


def test_the_answer_alone_is_on_stdout(tess_openai: Program, tess_simulator: TessSimulator) -> None:
    """Its account is on stderr: time to the first token, tokens, model, changes."""
    tess_simulator.script("Good day.")
    ended = tess_openai("chat", "Hello", "--temperature", "0.7", "--tools", "internet", "--model", "tess-5")
    assert ended.stdout == "Good day.\n"
    assert "first token" in ended.stderr
    assert "temperature=0.7 was changed to 0.75" in ended.stderr
    (call,) = tess_simulator.calls
    assert call.json == {
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "model": "tess-5",
        "temperature": "0.75",
        "tools": "internet",
    }


def test_quiet_is_quiet(tess_openai: Program) -> None:
    """`--quiet` prints the answer and nothing else."""
    assert tess_openai("chat", "Hello", "-q", "--temperature", "0.7").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "piped", "sent"),
    [
        (["Summarise:"], "A text.\n", "Summarise:\n\nA text."),
        ([], "Only a pipe.\n", "Only a pipe."),
        (["Only a prompt."], "", "Only a prompt."),
    ],
)
def test_a_pipe(
    arguments: list[str], piped: str, sent: str, tess_openai: Program, tess_simulator: TessSimulator
) -> None:
    """What is piped in follows the prompt, or is the prompt."""
    assert tess_openai("chat", *arguments, stdin=piped).returncode == 0
    (call,) = tess_simulator.calls
    assert isinstance(call.json, dict)
    assert call.json["messages"] == [{"role": "user", "content": sent}]


def test_json_is_for_programs(tess_openai: Program, tess_simulator: TessSimulator) -> None:
    """One object with the ledger is printed on stdout, and nothing on stderr."""
    tess_simulator.script("Good day.")
    ended = tess_openai("chat", "Hello", "--json", "--temperature", "0.3", "--system", "Be brief.")
    answer = json.loads(ended.stdout)
    assert (answer["text"], answer["finish_reason"], ended.stderr) == ("Good day.", "stop", "")
    assert answer["usage"]["estimated"] is True
    assert 0 < answer["seconds_to_first_token"] <= answer["seconds"]
    assert [change["param"] for change in answer["changes"]] == ["temperature"]


def run_bytes(
    arguments: list[str | bytes], variables: dict[str, str], stdin: bytes = b""
) -> tuple[int, bytes]:
    """Run the command with bytes on the streams, and return its status and its stdout."""
    ended = subprocess.run(
        [*COMMAND, *arguments], env=environment(variables), input=stdin, capture_output=True, check=False
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_a_pipe_is_read_as_utf_8(
    encoding: str, simulated: dict[str, str], tess_simulator: TessSimulator
) -> None:
    """The terminal's encoding does not matter; bytes that are not UTF-8 become U+FFFD."""
    variables = {**simulated, "PYTHONIOENCODING": encoding}
    assert run_bytes(["chat"], variables, b"\xef\xbb\xbfcaf\xc3\xa9 \xe9\r\nbar\n")[0] == 0
    (call,) = tess_simulator.calls
    assert isinstance(call.json, dict)
    assert call.json["messages"][0]["content"] == "caf\u00e9 \ufffd\nbar"


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are bytes on Unix only")
def test_arguments_that_are_no_utf_8_are_sent_with_a_mark(
    simulated: dict[str, str], tess_simulator: TessSimulator
) -> None:
    """The bytes become U+FFFD instead of ending the program."""
    assert run_bytes(["chat", b"caf\xe9", "--system", b"\xe9"], simulated)[0] == 0
    (call,) = tess_simulator.calls
    assert isinstance(call.json, dict)
    assert [each["content"] for each in call.json["messages"]] == ["\ufffd", "caf\ufffd"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], b"smile ? \xe9\n"), (["--json"], "smile \U0001f600 \u00e9".encode())],
    ids=["text", "JSON is UTF-8"],
)
def test_an_answer_that_the_terminal_cannot_show_is_shown_as_far_as_it_can(
    options: list[str], expected: bytes, simulated: dict[str, str], tess_simulator: TessSimulator
) -> None:
    """The answer is paid for, so an encoding error must not hide it."""
    tess_simulator.script("smile \U0001f600 \u00e9")
    status, shown = run_bytes(["chat", "Hello", *options], {**simulated, "PYTHONIOENCODING": "cp1252"})
    assert status == 0
    assert expected in shown


def test_nothing_to_ask_is_a_mistake(tess_openai: Program) -> None:
    """The program does not wait for input that cannot come."""
    ended = tess_openai("chat")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "nothing to ask" in ended.stderr


@pytest.mark.parametrize(
    ("variables", "options", "status", "words"),
    [
        ({"TESS_API_KEY": None}, [], 2, "no API key"),
        ({"TESS_AGENT_ID": None}, [], 2, "no agent: name it with --agent 8794, or set TESS_AGENT_ID"),
        ({"TESS_API_KEY": "9|" + "x" * 48}, [], 3, "Unauthenticated"),
        ({}, ["--agent", "99"], 3, "Agent not found"),
        ({}, ["--agent", "48"], 3, "give it with --field audience=..."),
        ({}, ["--model", "nonsense"], 3, "The selected model is invalid"),
        ({"TESS_BASE_URL": "http://127.0.0.1:9"}, [], 3, "cannot be reached"),
    ],
)
def test_an_error_is_one_line(
    variables: dict[str, str | None], options: list[str], status: int, words: str, tess_openai: Program
) -> None:
    """It has Tess's reason, and scripts get an exit status; only `--debug` shows the traceback."""
    ended = tess_openai("chat", "Hello", *options, **variables)
    assert ended.returncode == status
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert "Traceback" in tess_openai("--debug", "chat", "Hello", *options, **variables).stderr


def test_an_agent_with_fields_of_its_own(tess_openai: Program, tess_simulator: TessSimulator) -> None:
    """It receives them at the root of the body."""
    ended = tess_openai("chat", "Hello", "--agent", "48", "--field", "audience=all", "--tools", "internet")
    assert ended.returncode == 0, ended.stderr
    (call,) = tess_simulator.calls
    assert isinstance(call.json, dict)
    assert (call.json["audience"], call.json["tools"]) == ("all", "internet")


def test_an_answer_that_breaks_off_is_not_glued_to_its_error(
    tess_openai: Program, tess_simulator: TessSimulator
) -> None:
    """The part that was received is on a line of its own, and the error reports that it is incomplete."""
    tess_simulator.script("Never ending story")
    tess_simulator.fault(faults.breaks_off())
    ended = tess_openai("chat", "Hello")
    assert ended.returncode == 3
    assert ended.stdout.startswith("Never")
    assert ended.stdout.endswith("\n")
    assert ended.stderr.startswith("tess-openai: the answer broke off: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("fault", [faults.rate_limited(retry_after_seconds=90), faults.gateway_timeout()])
def test_hints_are_in_words_of_the_command_line(
    fault: Fault, tess_openai: Program, tess_simulator: TessSimulator
) -> None:
    """There are no arguments of Python's here."""
    tess_simulator.fault(fault, times=5)
    shown = tess_openai("chat", "Hello").stderr
    assert shown.startswith("tess-openai: ")
    assert "requests_per_second" not in shown
    assert "stream=" not in shown


def test_a_key_that_looks_wrong_is_reported_in_a_line(tess_openai: Program) -> None:
    """The library's warnings are shown in the output, and not as Python warnings."""
    ended = tess_openai("chat", "Hello", TESS_WORKSPACE_ID=None)
    assert ended.stderr.startswith("tess-openai: No workspace is named")
    assert "UserWarning" not in ended.stderr


@pytest.fixture
def terminal(open_terminal: Callable[..., Terminal]) -> Terminal:
    """Begin a conversation."""
    opened = open_terminal("chat")
    opened.wait_for("> ")
    return opened


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
class TestConversation:
    """Without a prompt, at a terminal."""

    def test_it_remembers(self, terminal: Terminal, tess_simulator: TessSimulator) -> None:
        """Each question goes with the whole conversation."""
        tess_simulator.script("First answer.", "Second answer.")
        terminal.type("One")
        terminal.wait_for("First answer.")
        terminal.wait_for("first token")
        terminal.wait_for("> ")
        terminal.type("Two")
        terminal.wait_for("Second answer.")
        body = tess_simulator.calls[1].json
        assert isinstance(body, dict)
        assert [message["content"] for message in body["messages"]] == ["One", "First answer.", "Two"]

    def test_a_text_of_many_lines(self, terminal: Terminal, tess_simulator: TessSimulator) -> None:
        """A prompt may continue after a backslash, or be between lines of three quotes."""
        for line in ("One\\", "two", '"""', "three", "", "four", '"""'):
            terminal.type(line)
        terminal.wait_for("received: three")
        sent = [
            call.json["messages"][-1]["content"]
            for call in tess_simulator.calls
            if isinstance(call.json, dict)
        ]
        assert sent == ["One\ntwo", "three\n\nfour"]

    def test_its_commands(self, terminal: Terminal, tess_simulator: TessSimulator, tmp_path: Path) -> None:
        """What a command sets holds for later prompts; the conversation can be shown, saved and forgotten."""
        tess_simulator.script("Yes.")
        for line in ("/model tess-5", "/tools internet", "/temperature 0.7", "/system Be brief.", "Really?"):
            terminal.type(line)
        terminal.wait_for("Yes.")
        terminal.wait_for("temperature=0.7 was changed to 0.75")
        (call,) = tess_simulator.calls
        assert isinstance(call.json, dict)
        assert (call.json["model"], call.json["tools"], call.json["temperature"]) == (
            "tess-5",
            "internet",
            "0.75",
        )
        assert call.json["messages"][0] == {"role": "system", "content": "Be brief."}
        terminal.type("/save talk.json")
        terminal.wait_for("saved to talk.json")
        saved = json.loads((tmp_path / "talk.json").read_text())
        assert [each["content"] for each in saved] == ["Be brief.", "Really?", "Yes."]
        terminal.type("/save talk.json")
        terminal.wait_for("talk.json exists; choose another name")
        terminal.type("/history")
        terminal.wait_for("system: Be brief.")
        terminal.wait_for("assistant: Yes.")
        terminal.type("/model")
        terminal.wait_for("model: tess-5")
        terminal.type("/new")
        terminal.wait_for("forgotten")
        terminal.type("/history")
        terminal.wait_for("the conversation is empty")
        terminal.type("/nonsense")
        terminal.wait_for("there is no /nonsense")
        terminal.type("/help")
        terminal.wait_for("Ctrl-C stops an answer")

    def test_a_text_of_many_lines_is_never_a_command(
        self, terminal: Terminal, tess_simulator: TessSimulator
    ) -> None:
        """It is sent even if it begins like a command; white space after a command is ignored."""
        for line in ('"""', "/new paths", "are read", '"""'):
            terminal.type(line)
        terminal.wait_for("received: /new paths")
        (call,) = tess_simulator.calls
        assert isinstance(call.json, dict)
        assert call.json["messages"][-1]["content"] == "/new paths\nare read"
        terminal.wait_for("first token")
        terminal.wait_for("> ")
        terminal.type("/quit ")
        assert terminal.program.wait(30) == 0

    @pytest.mark.parametrize("text", ["One\n/quit\ntouch gone", "/quit\nexit 7", "/new\n"])
    def test_a_pasted_text_is_one_message(
        self, text: str, terminal: Terminal, tess_simulator: TessSimulator
    ) -> None:
        """No line of it is a message of its own, which is paid, or a command, or left for the shell."""
        terminal.paste(text)
        terminal.type("")
        terminal.wait_for("first token")
        (call,) = tess_simulator.calls
        assert isinstance(call.json, dict)
        assert call.json["messages"][-1]["content"] == text
        terminal.wait_for("> ")
        terminal.type("/quit")
        assert terminal.program.wait(30) == 0

    @pytest.mark.parametrize("option", ["--json", "--quiet"])
    def test_options_of_one_answer_need_a_prompt(
        self, option: str, open_terminal: Callable[..., Terminal]
    ) -> None:
        """They are refused without one instead of being ignored."""
        opened = open_terminal("chat", option)
        opened.wait_for("--json and --quiet are for one answer")
        assert opened.program.wait(30) == 2

    def test_an_error_does_not_end_it(self, terminal: Terminal, tess_simulator: TessSimulator) -> None:
        """The question is not remembered; the next is answered."""
        tess_simulator.fault(faults.no_credits())
        tess_simulator.script("Yes.")
        terminal.type("One")
        terminal.wait_for("no credits")
        terminal.type("Two")
        terminal.wait_for("Yes.")
        body = tess_simulator.calls[-1].json
        assert isinstance(body, dict)
        assert [message["content"] for message in body["messages"]] == ["Two"]

    def test_ctrl_c_stops_an_answer_and_ctrl_d_ends_it(
        self, terminal: Terminal, tess_simulator: TessSimulator
    ) -> None:
        """Tess's connection is closed, the conversation continues, the program ends without an error."""
        tess_simulator.fault(faults.stalls(after_events=3))
        tess_simulator.script("Never ending story")
        terminal.type("One")
        terminal.wait_for("Never ending")
        terminal.interrupt("stopped")
        terminal.wait_for("> ")
        (call,) = tess_simulator.calls
        assert call.over.wait(5)
        assert call.closed_early
        terminal.press("D")
        assert terminal.program.wait(30) == 0

    def test_lines_are_remembered(self, terminal: Terminal) -> None:
        """Ctrl-P brings the last one back."""
        terminal.type("/new")
        terminal.wait_for("forgotten")
        terminal.wait_for("> ")
        terminal.press("P")
        terminal.type("")
        terminal.wait_for("forgotten")
