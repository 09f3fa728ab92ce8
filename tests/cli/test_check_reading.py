"""`tess-openai check` reads what people have: notebooks, circles of functions, agents, long files."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checking import CALL, Check, calls
from programs import Program, Terminal

from tess_openai.cli.check import inference
from tess_openai.cli.check.check_command import check_paths
from tess_openai.cli.check.findings import Site
from tess_openai.cli.check.report import to_text
from tess_openai.cli.check.sarif import to_sarif
from tess_openai.cli.check.scopes import Module
from tess_openai.cli.check.sites import Finder
from tess_openai.cli.check.summary import summarize
from tess_openai.core.agents import parse_agent
from tess_openai.core.policy_parameters import resolve_policy

# --- names of parameters ---


def test_a_remedy_has_the_name_that_the_source_has(check: Check) -> None:
    """A call of the Responses API has no `reasoning_effort`, in the finding and in its remedy."""
    call = "client.responses.create(model='tess-6', input='x', reasoning={'effort': 'low'})\n"
    report = check({"a.py": f"from openai import OpenAI\nclient = OpenAI()\n{call}"})
    text = to_text(report, everything=False).plain
    assert 'unsupported={"reasoning.effort": "ignore"}' in text
    assert "reasoning_effort" not in text


# --- values that change ---


@pytest.mark.parametrize("change", ["options['tools'] = functions", "options.update(tools=functions)"])
@pytest.mark.parametrize("opening", ["", "    global options\n"])
def test_a_dict_of_the_module_that_a_function_changes(change: str, opening: str, check: Check) -> None:
    """What the function adds reaches the call, though the name is bound outside; a parameter does not."""
    asking = "    client.chat.completions.create(model='tess-6', messages=[], **options)\n"
    head = "from openai import OpenAI\nclient = OpenAI()\noptions = {'timeout': 3}\n"
    other = "def other(options):\n    options['seed'] = 1\n"
    report = check({"a.py": f"{head}def ask(functions):\n{opening}    {change}\n{asking}{other}"})
    text = to_text(report, everything=False).plain
    assert "needs emulation" in text
    assert "seed" not in text


# --- it ends ---


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    global a\n    a = b or g()\ndef g():\n    global b\n    b = a or f()\n    return b\n",
        "def f(x=None):\n    return g(x)\ndef g(y):\n    return f(g(f(y)))\na = f(g(1))\n",
        "class A:\n    def __init__(self):\n        self.a = self.b\n        self.b = self.a\na = A().a\n",
        "class A(A):\n    pass\na = A().x.y.z\n",
        "a = b\nb = a\nfor a in b:\n    b = a\n",
        "a = [a]\na = a[0][a][a]\n",
        "a = lambda: a()\na()()()()\n",
    ],
)
def test_circles_end(source: str, check: Check) -> None:
    """A definition that depends on itself is followed a bounded number of times."""
    began = time.process_time()
    report = check({"a.py": f"from openai import OpenAI\n{source}\nclient = OpenAI()\na.b.c()\n{CALL}"})
    assert [call.certain for call in calls(report)] == [True]
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "lines",
    [
        "kw = {}\n" + "".join(f"kw['k{number}'] = kw\nkw.update(**kw)\n" for number in range(800)),
        "kw = [1]\n" + "kw = [kw, kw, kw, kw, kw]\n" * 12 + "kw = dict(messages=kw)\n",
        "kw = {}\n" + "".join(f"if x == {number}: kw = {{'seed': {number}}}\n" for number in range(3000)),
    ],
    ids=["a dict of itself", "lists of lists", "thousands of assignments"],
)
def test_arguments_without_end_are_read_in_bounded_time(lines: str, check: Check) -> None:
    """Each call is reported, however long its arguments are."""
    call = "client.chat.completions.create(model='tess-6', **kw)\n"
    began = time.process_time()
    report = check({"a.py": "from openai import OpenAI\nclient = OpenAI()\nx = 1\n" + lines + call * 100})
    assert len(calls(report)) == 100
    assert time.process_time() - began < 5


def test_circles_over_files_end(check: Check) -> None:
    """Files may import each other, with `*` too."""
    names = [f"m{number}" for number in range(12)]
    stars = "\n".join(f"from {name} import *\nfrom {name} import x as x_{name}" for name in names)
    files = {f"{name}.py": f"import openai\n{stars}\ny = x or x_m1.z.client\n" for name in names}
    files["m3.py"] += "x = openai.OpenAI()\n"
    report = check({**files, "main.py": "# openai\nfrom m7 import x as client\n" + CALL})
    (call,) = calls(report)
    assert (call.name, call.verdict) == ("chat.completions.create", "left out")


def test_a_file_that_takes_too_long_is_named_and_the_rest_is_read(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read to its end, and says so; that is no failure."""
    monkeypatch.setattr(inference, "MAX_STEPS", 30)
    many = "".join(f"x{number} = f(x{number - 1})\n" for number in range(1, 90))
    report = check(
        {
            "a.py": f"import openai\nx0 = openai.OpenAI()\n{many}x89.chat.completions.create(messages=[])\n",
            "b.py": f"import openai\nclient = openai.OpenAI()\n{CALL}",
        }
    )
    assert [Path(call.path).name for call in calls(report)] == ["a.py", "b.py"]
    (gap,) = report.unreadable
    assert (Path(gap.path).name, gap.is_partial) == ("a.py", True)
    assert "too many steps" in gap.why
    assert "not read to its end" in to_text(report, everything=False).plain


def test_a_very_long_file_is_named(check: Check) -> None:
    """No person has written it, and Python alone would take seconds to parse it."""
    report = check({"a.py": "import openai\n" + "x = 1\n" * 200_000})
    assert ["longer than" in each.why for each in report.unreadable] == [True]


# --- agents ---

AGENT = parse_agent(
    {
        "id": 8794,
        "type": "chat",
        "questions": [
            {"name": "model", "type": "select", "options": ["tess-6", "gpt-4o"]},
            {"name": "temperature", "type": "select", "options": ["0", "0.7"]},
            {"name": "company", "type": "text", "required": True},
        ],
    }
)


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        ("model='gpt-4o', extra_body={'company': 'x'}", "as it is"),
        ("model='gpt-4o', temperature=0.7, extra_body={'company': 'x'}", "as it is"),
        ("model='gpt-4o', temperature=0.5, extra_body={'company': 'x'}", "left out"),
        ("model='gpt-4o-mini', extra_body={'company': 'x'}", "cannot"),
        ("model=name, extra_body={'company': 'x'}", "as it is"),
        ("model='gpt-4o'", "cannot"),
        ("model='gpt-4o', **more", "as it is"),
    ],
)
def test_a_call_is_held_against_its_agent(arguments: str, verdict: str, check: Check) -> None:
    """Its models, its temperatures and what it requires."""
    source = f"import openai\nopenai.OpenAI().chat.completions.create(messages=[], {arguments})\n"
    assert [call.verdict for call in calls(check({"a.py": source}, agent=AGENT))] == [verdict]


def test_a_model_that_no_agent_is_known_to_have_is_named(check: Check) -> None:
    """Without `--agent`, the check knows only the documented models."""
    source = "import openai\nclient = openai.OpenAI()\nclient.chat.completions.create(model='gpt-9-ultra')\n"
    report = check({"a.py": source})
    assert [call.verdict for call in calls(report)] == ["as it is"]
    assert "these models: 'gpt-9-ultra' (1)" in to_text(report, everything=False).plain
    mapped = source.replace("openai.OpenAI()", "c(1, models={'gpt-9-ultra': 'tess-6'})")
    mapped = "from tess_openai import create_client as c\n" + mapped
    assert "gpt-9-ultra' (1)" not in to_text(check({"a.py": mapped}), everything=False).plain


def test_an_agent_is_asked_of_tess_or_read_from_a_file(tmp_path: Path, tess_openai: Program) -> None:
    """`--agent` takes its number, or a file that `tess-openai agent ID --json` printed."""
    (tmp_path / "a.py").write_text(
        "import openai\nopenai.OpenAI().chat.completions.create(model='gpt-9-ultra', messages=[])\n"
    )
    asked = tess_openai("check", "a.py", "--agent", "42")
    (tmp_path / "agent.json").write_text(tess_openai("agent", "42", "--json").stdout)
    from_file = tess_openai("check", "a.py", "--agent", "agent.json")
    assert (asked.returncode, from_file.returncode) == (1, 1), asked.stderr
    assert "Agent 42 does not offer model=" in asked.stdout
    assert asked.stdout == from_file.stdout
    (tmp_path / "wrong.json").write_text("{}")
    wrong = tess_openai("check", "a.py", "--agent", "wrong.json")
    assert (wrong.returncode, "describes no agent" in wrong.stderr) == (2, True)


# --- summary ---


def test_the_summary_counts_calls_and_files_and_keeps_tests_apart(check: Check) -> None:
    """Constructors and variables are listed, and are no calls."""
    client = "import os, openai\nclient = openai.OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n"
    plain = "client.chat.completions.create(model='tess-6', messages=[])\n"
    tools = "client.chat.completions.create(messages=[], functions=[{'name': 'f'}])\n"
    embed = "client.embeddings.create(model='m', input='x')\n"
    report = check(
        {
            "app/a.py": client + plain + tools + embed + embed,
            "app/b.py": client + CALL,
            "tests/test_a.py": client + plain,
            "examples/demo.py": client + embed,
        }
    )
    own = [site for site in report.sites if not site.is_aside]
    assert summarize(own) == (
        "5 calls in 2 files: 1 as it is, 1 with something left out, 1 with `emulate=True`, "
        "2 cannot (embeddings 2)"
    )
    text = to_text(report, everything=False).plain
    assert "Tests and examples: 2 calls in 2 files: 1 as it is, 1 cannot (embeddings 1)." in text
    assert "Also: 4 constructors to change, 4 variables of OpenAI's." in text
    assert report.reaches("error")


def test_a_client_of_another_provider_is_named(check: Check) -> None:
    """The report names the provider at the constructor and at the calls."""
    source = "from openai import OpenAI\nclient = OpenAI(base_url='https://api.deepseek.com')\n" + CALL
    text = to_text(check({"a.py": source}), everything=False).plain
    assert "it calls DeepSeek, not OpenAI" in text
    assert "chat.completions.create  (calls DeepSeek now)" in text
    assert "1 of the calls go to DeepSeek now" in text


def test_a_library_that_is_not_followed_is_named_with_its_page(check: Check) -> None:
    """One line names the library and the page about it."""
    source = "from haystack.components.generators import OpenAIGenerator\nOpenAIGenerator(model='gpt-4o')\n"
    text = to_text(check({"a.py": source}), everything=False).plain
    assert "calls that haystack makes are not followed here. See docs/frameworks/any-other.md." in text


def test_pages_that_are_named_exist(check: Check) -> None:
    """Each page that a site or a rule names is one of the documentation."""
    corpus = Path(__file__).parent / "corpus"
    docs = Path(__file__).parents[2] / "docs"
    report = check_paths([corpus], resolve_policy("warn"))
    pages = {site.page for site in report.sites if site.page}
    rules = json.dumps(to_sarif(report)).split('"help": {"text": "See docs/')[1:]
    pages |= {rule.partition(".md")[0] for rule in rules}
    assert len(pages) > 8
    assert [page for page in sorted(pages) if not (docs / f"{page}.md").is_file()] == []


# --- real files ---


def test_real_files_are_read_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 of the SDK's files, which all mention OpenAI, take 10 s of CPU at most, and none takes 2 s."""
    import openai

    longest = 0.0
    read = Finder.sites

    def timed(finder: Finder, module: Module) -> list[Site]:
        nonlocal longest
        began = time.process_time()
        found = read(finder, module)
        longest = max(longest, time.process_time() - began)
        return found

    monkeypatch.setattr(Finder, "sites", timed)
    began = time.process_time()
    report = check_paths([Path(str(openai.__file__)).parent], resolve_policy("warn"))
    spent = time.process_time() - began
    assert report.files > 300
    assert not [each for each in report.unreadable if each.is_partial]
    assert spent < max(report.files / 1000, 1) * 10
    assert longest < 2


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
def test_progress_is_shown_on_a_terminal(tmp_path: Path, open_terminal: Callable[..., Terminal]) -> None:
    """It is erased before the report is printed."""
    for number in range(30):
        (tmp_path / f"a{number}.py").write_text("import openai\n")
    shown = open_terminal("check", ".")
    shown.wait_for("25 of 30 files")
    shown.wait_for("30 files read.")
