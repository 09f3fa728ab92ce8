"""What an answer, a title or an error may contain without harm to the terminal or to a saved file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tess_openai.cli import console
from tess_openai.cli.whole_files import write_whole

CLIPBOARD = "\x1b]52;c;aGVsbG8=\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain \t text\n", "plain \t text\n", id="text"),
        pytest.param(CLIPBOARD, "␛]52;c;aGVsbG8=␇", id="OSC 52 sets the clipboard"),
        pytest.param("\x9b31m\x7f\x00", "\\x9b31m␡␀", id="C1, DEL and NUL"),
        pytest.param("a\r\nb\rc", "a\nb␍c", id="carriage returns overwrite a line"),
        pytest.param("olá 🌍", "olá 🌍", id="every other character"),
    ],
)
def test_control_characters_are_shown(text: str, shown: str) -> None:
    """They reach a terminal as visible characters."""
    assert console.visible(text) == shown


def test_what_is_printed_holds_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """This holds for plain lines, tables and errors."""
    table = console.table("title")
    table.add_row(f"An agent {CLIPBOARD}")
    console.out().print(table)
    console.out().print(f"line {CLIPBOARD}")
    console.err().print(f"error {CLIPBOARD}", style="red")
    written = "".join(capsys.readouterr())
    assert written.count("␛") == 3
    assert "\x1b]" not in written


class TerminalStream(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_an_answer_is_changed_for_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that reads the pipe gets the answer itself."""
    for stream, expected in ((TerminalStream(), "␛"), (io.StringIO(), "\x1b")):
        monkeypatch.setattr("sys.stdout", stream)
        console.write_answer("\x1b")
        assert stream.getvalue() == expected


def test_surrogates_are_repaired() -> None:
    """Pairs are joined; a lone one, which UTF-8 cannot encode, is replaced."""
    assert console.without_surrogates("\ud83c\udf0d \ud83d x") == "🌍 \ufffd x"
    assert json.dumps(console.without_surrogates("olá")) == json.dumps("olá")


def test_a_file_is_written_completely_or_not_at_all(tmp_path: Path) -> None:
    """A text that cannot be encoded keeps the previous file, and no other one."""
    path = tmp_path / "talk.txt"
    write_whole(path, "first\n")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "second \ud83d")
    assert path.read_text(encoding="utf-8") == "first\n"
    assert list(tmp_path.iterdir()) == [path]
