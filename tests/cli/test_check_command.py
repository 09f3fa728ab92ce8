"""`tess-openai check`: its formats, its policy, its exit status, its honesty, its speed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import COMMAND, Program, environment

from tess_openai.cli.check.arguments import Argument
from tess_openai.cli.check.check_command import check_paths
from tess_openai.cli.check.effects import CallReader
from tess_openai.cli.check.redaction import shown_lines
from tess_openai.cli.check.report import to_json, to_text
from tess_openai.cli.check.sarif import to_sarif
from tess_openai.core.chat.parameters import CHAT_PARAMETERS, UNSUPPORTED
from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options
from tess_openai.core.policy import PolicyAction
from tess_openai.core.policy_parameters import resolve_policy

CORPUS = Path(__file__).parent / "corpus"
PROGRAM = """from openai import OpenAI
client = OpenAI(api_key="sk-secret-0123456789")
client.chat.completions.create(model="auto", messages=[{"role":"user", "content":"x"}], seed=1,temperature=.7)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A small program that uses OpenAI."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


def test_text_names_file_line_column_and_source(program: Path, tess_openai: Program) -> None:
    """Editors can jump to such a place."""
    shown = tess_openai("check", "program.py").stdout
    assert "program.py:3:1  left out  chat.completions.create" in shown
    assert "client.chat.completions.create(model=" in shown
    assert "stripped  seed: Tess does not have it" in shown
    assert "temperature -> 0.75" in shown


def test_a_key_in_the_source_is_not_shown(program: Path, tess_openai: Program) -> None:
    """This holds for each format of the report."""
    for format_ in ("text", "json", "sarif"):
        shown = tess_openai("check", ".", "--format", format_).stdout
        assert "sk-secret" not in shown
        assert shown


SECRET = "Secret9f86d0Secret"
KEYS_IN_SOURCE = (
    f'AzureOpenAI(api_key="{SECRET}")',
    f'OpenAI(api_key=SecretStr("{SECRET}"), base_url="https://x")',
    f'OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "{SECRET}"))',
    f'OpenAI(api_key="{SECRET}" if True else f"{SECRET}-{{1}}", admin_api_key="{SECRET}")',
    f'AzureOpenAI(azure_ad_token="{SECRET}", webhook_secret=b"{SECRET}")',
    f'OpenAI(**{{"api_key": "{SECRET}", **given}})',
    f'ChatOpenAI(openai_api_key="{SECRET}")',
    f'OpenAI(default_headers={{"Authorization": "Basic {SECRET}"}})',
    f'openai.api_key = "{SECRET}"',
    f'os.environ["OPENAI_API_KEY"] = "{SECRET}"',
    f'os.environ.setdefault("OPENAI_API_KEY", "{SECRET}")',
    f'MY_TOKEN, client = "{SECRET}", OpenAI()',
    f'MY_KEY: str = "{SECRET}" or OpenAI()',
    f'(lambda api_key="{SECRET}": OpenAI(api_key=api_key))()',
    f'print(OpenAI() if token == "{SECRET}" else 1)',
    f"OpenAI(timeout=3, default_headers={{'x': 'Bearer {SECRET}'}})",
    "OpenAI()  # 9f86d081884c7d659a2feaa0c55ad015",
    f'OpenAI(organization="\u00e9\u00e9", api_key="""{SECRET}\n{SECRET}""").embeddings.create(input="x")',
)


@pytest.mark.parametrize("line", KEYS_IN_SOURCE)
def test_no_literal_under_the_name_of_a_key_is_shown(line: str, tmp_path: Path) -> None:
    """The report goes to build logs and code scanning, so the name alone decides."""
    file = tmp_path / "a.py"
    imports = "import os, openai\nfrom openai import AzureOpenAI, OpenAI\n"
    file.write_text(f"{imports}from langchain_openai import ChatOpenAI\n{line}\n", encoding="utf-8")
    report = check_paths([file], resolve_policy("warn"))
    assert report.sites
    shown = f"{to_text(report, everything=True)}{to_json(report)}{to_sarif(report)}"
    assert SECRET not in shown
    assert "9f86d0" not in shown
    assert "<key>" in shown


@pytest.mark.parametrize("read", ['os.environ["OPENAI_API_KEY"]', 'os.getenv("OPENAI_API_KEY")'])
def test_the_names_of_variables_are_shown(read: str) -> None:
    """They show what to change, and are not secret."""
    line = f'client = OpenAI(api_key={read}, timeout="x")'
    assert shown_lines(ast.parse(line), [line]) == [line]


def test_a_key_in_capitals_is_not_taken_for_a_variable() -> None:
    """The name of a variable has an underscore; what has none is hidden."""
    line = 'client = OpenAI(api_key="ABCDEF9876543210")'
    (shown,) = shown_lines(ast.parse(line), [line])
    assert "ABCDEF" not in shown


def test_json_is_one_object(program: Path, tess_openai: Program) -> None:
    """It has every argument, including those that are sent unchanged."""
    report = json.loads(tess_openai("check", ".", "--format", "json").stdout)
    call = report["sites"][-1]
    assert (call["path"], call["line"], call["column"], call["level"]) == ("program.py", 3, 1, "warning")
    assert {effect["subject"]: effect["effect"] for effect in call["effects"]} == {
        "model": "kept",
        "messages": "kept",
        "seed": "stripped",
        "temperature": "rewritten",
    }
    assert report["version"] == 2
    assert report["summary"]["levels"]["warning"] == 2
    assert (call["verdict"], call["sure"], call["is_aside"]) == ("left out", True, False)


def test_sarif_is_what_code_scanning_reads(program: Path, tess_openai: Program) -> None:
    """In SARIF 2.1.0, each result has a declared rule, a level, and a place in a file."""
    log: dict[str, Any] = json.loads(tess_openai("check", ".", "--format", "sarif").stdout)
    (run,) = log["runs"]
    declared = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert log["version"] == "2.1.0"
    assert {result["ruleId"] for result in run["results"]} <= declared
    assert {result["level"] for result in run["results"]} <= {"error", "warning", "note"}
    (seed,) = [each for each in run["results"] if each["message"]["text"].startswith("seed")]
    place = seed["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "program.py"
    column = PROGRAM.splitlines()[2].index("1,") + 1
    assert place["region"] == {
        "startLine": 3,
        "startColumn": column,
        "endLine": 3,
        "endColumn": column + 1,
    }
    assert all(rule["help"]["text"].startswith("See ") for rule in run["tool"]["driver"]["rules"])
    prints = [each["partialFingerprints"]["tessOpenaiCheck/v1"] for each in run["results"]]
    assert len(set(prints)) == len(prints)


def test_columns_are_characters(tmp_path: Path) -> None:
    """Editors and SARIF's unicodeCodePoints count characters, not bytes."""
    line = 'print("\u00e9\U0001f600", OpenAI().chat.completions.create(messages=[], user="\u00fc", seed=1))'
    file = tmp_path / "a.py"
    file.write_text(f"from openai import OpenAI\n{line}\n", encoding="utf-8")
    (call,) = [each for each in check_paths([file], resolve_policy("warn")).sites if each.kind == "call"]
    assert (call.column, call.end_column) == (line.index("OpenAI()") + 1, len(line))
    columns = {effect.subject: effect.column for effect in call.effects}
    assert columns["seed"] == line.index("1))") + 1


@pytest.mark.parametrize("odd", ["\x0c", "\u2028", "\x85", "\x1c", "\r"], ids=ascii)
def test_the_source_line_is_the_one_of_its_number(odd: str, tmp_path: Path) -> None:
    """Characters in a string that look like line ends to Python's `splitlines` do not count."""
    file = tmp_path / "a.py"
    ended = f'text = """{odd}"""\r\nimport openai\nopenai.embeddings.create()\n'
    file.write_bytes(ended.encode())
    (site,) = check_paths([file], resolve_policy("warn")).sites
    assert (site.source, site.line) == ("openai.embeddings.create()", 4 if odd == "\r" else 3)


@pytest.mark.parametrize("is_absolute", [False, True])
def test_places_in_sarif_are_references(is_absolute: bool, tmp_path: Path, tess_openai: Program) -> None:
    """Blanks and signs are escaped, as RFC 3986 has it."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "c#d%e?.py").write_text("import openai\nopenai.embeddings.create()\n")
    (folder / "f g.py").write_text("import openai(\n")
    shown = tess_openai("check", str(tmp_path) if is_absolute else ".", "--format", "sarif").stdout
    (run,) = json.loads(shown)["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (f"{tmp_path.as_uri()}/" if is_absolute else "") + "a%20b/c%23d%25e%3F.py"
    notices = run["invocations"][0]["toolExecutionNotifications"]
    (notice,) = [each for each in notices if each["level"] == "error"]
    assert notice["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("a%20b/f%20g.py")


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe with a name is Unix's")
def test_a_pipe_with_the_name_of_a_file_is_passed_by(tmp_path: Path, tess_openai: Program) -> None:
    """Reading it would never end."""
    os.mkfifo(tmp_path / "x.py")
    assert "0 files read. no calls." in tess_openai("check", ".").stdout


def test_a_framework_makes_the_calls_of_its_clients(tmp_path: Path, tess_openai: Program) -> None:
    """A program that only makes models for LangChain has calls, though none is written out."""
    (tmp_path / "a.py").write_text("from langchain_openai import ChatOpenAI\nmodel = ChatOpenAI()\n")
    assert "1 file read. no calls written out here: libraries" in tess_openai("check", "a.py").stdout


@pytest.mark.parametrize(
    ("policy", "effect"),
    [
        ("warn", "stripped"),
        ("ignore", "stripped"),
        ("error", "refused"),
        ("forward", "kept"),
        ("seed=error,*=ignore", "refused"),
        ("top_p=error", "stripped"),
    ],
)
def test_the_policy_is_the_programs(policy: str, effect: str, program: Path, tess_openai: Program) -> None:
    """The option takes actions and parameters as `unsupported=` does."""
    ended = tess_openai("check", ".", "--format", "json", "--policy", policy)
    effects = json.loads(ended.stdout)["sites"][-1]["effects"]
    assert [each["effect"] for each in effects if each["subject"] == "seed"] == [effect]
    assert ended.returncode == (1 if effect == "refused" else 0)


def test_emulation_is_seen_where_it_is_possible(tmp_path: Path, tess_openai: Program) -> None:
    """A parameter that cannot be emulated still has a warning."""
    (tmp_path / "a.py").write_text(
        "import openai\n"
        "openai.chat.completions.create(stop='x', seed=1, n=1,\n"
        "    tools=[{'type': 'function', 'function': {'name': 'f'}}],\n"
        "    response_format={'type': 'json_object'})\n"
    )
    report = json.loads(tess_openai("check", ".", "--format", "json", "--policy", "emulate").stdout)
    effects = {each["subject"]: each["effect"] for each in report["sites"][0]["effects"]}
    assert effects == {
        "openai": "unseen",
        "stop": "emulated",
        "seed": "stripped",
        "n": "stripped",
        "tools": "emulated",
        "response_format": "emulated",
    }


def test_emulation_of_what_is_not_written_out_is_no_error(tmp_path: Path, tess_openai: Program) -> None:
    """A value from elsewhere is taken for a good one."""
    (tmp_path / "a.py").write_text(
        "import openai\nfrom b import *\n"
        "openai.OpenAI().chat.completions.create(n=N, max_tokens=MOST, stop=STOP, tools=TOOLS,\n"
        "    response_format={'type': 'json_schema', 'json_schema': SCHEMA})\n"
    )
    report = json.loads(tess_openai("check", ".", "--format", "json", "--policy", "emulate").stdout)
    (call,) = [site for site in report["sites"] if site["kind"] == "call"]
    assert {each["effect"] for each in call["effects"]} == {"emulated"}


def test_a_wrong_policy_is_explained(program: Path, tess_openai: Program) -> None:
    """The error is printed before any file is read."""
    ended = tess_openai("check", ".", "--policy", "sede=ignore")
    assert ended.returncode == 2
    assert "did you mean 'seed'?" in ended.stderr


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_the_exit_status_is_for_ci(level: str, status: int, program: Path, tess_openai: Program) -> None:
    """It is 1 from the level that `--fail-on` names."""
    assert tess_openai("check", ".", "--fail-on", level).returncode == status


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path, tess_openai: Program) -> None:
    """The report gives the reason and fails, since the file may contain calls."""
    (tmp_path / "broken.py").write_text("import openai\nopenai.chat.completions.create(\n")
    (tmp_path / "latin.py").write_bytes(b"# openai \xe9\n")
    ended = tess_openai("check", ".")
    assert ended.returncode == 1
    assert "broken.py  cannot be read: '(' was never closed (line 2)" in ended.stdout
    assert "latin.py  cannot be read" in ended.stdout


def test_nothing_is_imported_or_run(tmp_path: Path, tess_openai: Program) -> None:
    """Not even a module with the name of an imported library is executed."""
    for name in ("evil.py", "openai.py", "typing.py"):
        (tmp_path / name).write_text("import openai\nopen('ran', 'w')\nopenai.OpenAI()\n")
    tess_openai("check", "evil.py", "openai.py", "typing.py")
    assert not (tmp_path / "ran").exists()


def test_environments_and_caches_are_not_read(tmp_path: Path, tess_openai: Program) -> None:
    """They are other people's code."""
    for folder in (".venv/lib", "node_modules", "__pycache__", "mine/bin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_text(PROGRAM)
    (tmp_path / "mine" / "pyvenv.cfg").write_text("")
    assert json.loads(tess_openai("check", ".", "--format", "json").stdout)["sites"] == []


def test_it_states_what_it_cannot_see(program: Path, tess_openai: Program) -> None:
    """Every report ends with the limits of a static check."""
    assert (
        "Read, not run: values and messages that are made at run time are not seen"
        in tess_openai("check", ".").stdout
    )


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 0.3, 0.5, 1.0, "1", "auto", "x", "none", "", "medium", "internet"]),
    st.lists(st.sampled_from(["x", "internet"]), max_size=2),
    st.just([]),
    st.just({}),
    st.just({"type": "json_object"}),
    st.just({"include_usage": True}),
    st.just([{"type": "function", "function": {"name": "f"}}]),
    st.just([{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]),
)


@given(st.sampled_from(sorted(CHAT_PARAMETERS)), _VALUES, st.sampled_from(["warn", "ignore", "forward"]))
def test_the_checker_agrees_with_the_adapter(name: str, value: object, word: PolicyAction) -> None:
    """What is kept is sent as it is, what is stripped is not sent, what is rewritten differs."""
    reader = CallReader("chat", Options(policy=resolve_policy(word)))
    (effect, *more) = reader.effects([Argument(name, ast.Constant(0, lineno=1, col_offset=0), value)])
    sent = translate_request({name: value}, Options(policy=resolve_policy(word)), new_id=str).body
    if more:
        return
    if effect.effect == "kept" or name == "model":
        assert sent.get(name) == value
    elif effect.effect == "stripped":
        assert name not in sent or sent[name] == effect.sent
    else:
        assert effect.effect == "rewritten"
        assert sent.get(name) is not value


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_every_parameter_that_tess_lacks_is_known(name: str, tmp_path: Path) -> None:
    """The table of the adapter is the table of the checker."""
    file = tmp_path / "a.py"
    file.write_text(f"import openai\nopenai.OpenAI().chat.completions.create({name}=object())\n")
    site = next(site for site in check_paths([file], resolve_policy("warn")).sites if site.kind == "call")
    assert [(effect.subject, effect.effect, effect.certain) for effect in site.effects] == [
        (name, "stripped", False)
    ]


def test_a_thousand_files_take_less_than_ten_seconds(tmp_path: Path) -> None:
    """The CPU time of the process is measured, so that a busy machine does not matter."""
    sources = [file.read_text() for file in sorted(CORPUS.glob("*.py"))]
    filler = "\n".join(
        f"def work_{n}(items):\n    return [each.value + {n} for each in items]\n" for n in range(40)
    )
    for number in range(1000):
        folder = tmp_path / f"package_{number % 20}"
        folder.mkdir(exist_ok=True)
        text = sources[number // 4 % len(sources)] if number % 4 == 0 else "import openai\n"
        (folder / f"module_{number}.py").write_text(text + filler)
    began, before = time.monotonic(), os.times()
    ended = subprocess.run(
        [*COMMAND, "check", ".", "--fail-on", "never"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    assert ended.returncode == 0, ended.stderr
    assert "1000 files read" in ended.stdout
    assert min(spent, time.monotonic() - began) < 10


def test_functions_that_call_each_other_are_followed_once(tmp_path: Path) -> None:
    """Following each path through them would never end."""
    file = tmp_path / "a.py"
    lines = ["import openai"]
    for number in range(60):
        others = " or ".join(f"f{other}()" for other in range(60))
        lines += [f"def f{number}():", f"    return {others} or openai.OpenAI()"]
    file.write_text("\n".join([*lines, "f0().chat.completions.create(seed=1)\n"]))
    calls = [site for site in check_paths([file], resolve_policy("warn")).sites if site.kind == "call"]
    assert [(site.line, site.certain) for site in calls] == [(122, True)]
