"""`tess-openai check` of programs that are converted, wholly or in part: what is written there counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import Program

from tess_openai.cli.check.check_command import check_paths
from tess_openai.cli.check.findings import Effect
from tess_openai.core.policy_parameters import resolve_policy

CALL = "client.chat.completions.create(seed=1, stop='x')\n"
README = """from langchain_openai import ChatOpenAI
from tess_openai import connection

tess = connection(8794)
model = ChatOpenAI(
    model="tess-6",
    base_url=tess["base_url"],
    api_key=tess["api_key"],
    http_client=tess["http_client"],
    http_async_client=tess["async_http_client"],
)
"""


def effects_in(tmp_path: Path, source: str, policy: str = "warn") -> list[Effect]:
    """Return all effects that matter in a program."""
    file = tmp_path / "program.py"
    file.write_text(source)
    report = check_paths([file], resolve_policy(policy))
    assert not report.unreadable
    return [effect for site in report.sites for effect in site.effects if effect.level != "none"]


def reported(tmp_path: Path, source: str, policy: str = "warn") -> list[str]:
    """Say these effects."""
    return [f"{effect.subject}={effect.effect}" for effect in effects_in(tmp_path, source, policy)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["seed=stripped", "stop=stripped"]),
        ("emulate=True", ["seed=stripped", "stop=emulated"]),
        ("emulate=False", ["seed=stripped", "stop=stripped"]),
        ("unsupported='error'", ["seed=refused", "stop=refused"]),
        ("unsupported={'seed': 'error', '*': 'emulate'}", ["seed=refused", "stop=emulated"]),
        ("unsupported={'stop': 'ignore'}, emulate=True", ["seed=stripped", "stop=stripped"]),
        ("unsupported=WORDS", ["seed=refused", "stop=stripped"]),
        ("**OPTIONS", ["seed=stripped", "stop=emulated"]),
    ],
)
@pytest.mark.parametrize("factory", ["create_client", "create_async_client"])
def test_the_policy_in_the_source_counts(
    factory: str, options: str, expected: list[str], tmp_path: Path
) -> None:
    """It is read where it is written as a literal, directly or under a name."""
    source = (
        f"from tess_openai import {factory}\n"
        "WORDS = {'seed': 'error'}\nOPTIONS = {'emulate': True}\n"
        f"client = {factory}(8794, {options})\n{CALL}"
    )
    assert reported(tmp_path, source) == expected


def test_a_policy_in_the_same_function_counts(tmp_path: Path) -> None:
    """It applies to its own client, and not to another one."""
    source = (
        "from tess_openai import create_client\n"
        f"def one():\n    on = True\n    client = create_client(1, emulate=on)\n    {CALL}"
        f"def two():\n    client = create_client(1)\n    {CALL}"
    )
    assert reported(tmp_path, source) == ["seed=stripped", "stop=emulated", "seed=stripped", "stop=stripped"]


@pytest.mark.parametrize(
    "options",
    ["emulate=flag()", "unsupported=read()", "unsupported={'sede': 'warn'}", "unsupported={'seed': word()}"],
)
def test_a_policy_that_cannot_be_read_is_the_options(options: str, tmp_path: Path) -> None:
    """`--policy` says it then."""
    source = f"from tess_openai import create_client\nclient = create_client(1, {options})\n{CALL}"
    assert reported(tmp_path, source, "error") == ["seed=refused", "stop=refused"]


def test_the_policy_in_the_source_goes_before_the_option(tmp_path: Path) -> None:
    """It is what will happen."""
    source = f"from tess_openai import create_client\nclient = create_client(1, unsupported='warn')\n{CALL}"
    assert reported(tmp_path, source, "error") == ["seed=stripped", "stop=stripped"]


@pytest.mark.parametrize(
    "source",
    [
        README,
        (
            "from langchain_openai import ChatOpenAI\nfrom tess_openai import presets\n"
            "ChatOpenAI(model='tess-6', **presets.langchain(8794))\n"
        ),
        (
            "from langchain_openai import ChatOpenAI\nfrom tess_openai import presets\n"
            "given = {**presets.langchain(8794), 'streaming': True}\nChatOpenAI(model='tess-6', **given)\n"
        ),
        (
            "from langchain.chat_models import init_chat_model\nfrom tess_openai.presets import langchain\n"
            "init_chat_model('gpt-4o', **langchain(8794))\n"
        ),
        (
            "from llama_index.llms.openai_like import OpenAILike\nfrom tess_openai import presets\n"
            "OpenAILike(model='tess-6', **presets.llama_index(8794))\n"
        ),
        (
            "from openai import OpenAI\nimport tess_openai\ntess = tess_openai.connection()\n"
            "OpenAI(base_url=tess['base_url'], api_key=tess['api_key'], http_client=tess['http_client'])\n"
        ),
    ],
)
def test_a_converted_framework_is_clean(source: str, tmp_path: Path) -> None:
    """There is nothing left to do."""
    assert reported(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "preset"),
    [
        ("from langchain_openai import ChatOpenAI\nChatOpenAI()\n", "langchain"),
        ("from langchain.chat_models import init_chat_model\ninit_chat_model('gpt-4o')\n", "langchain"),
        ("from llama_index.llms.openai_like import OpenAILike\nOpenAILike()\n", "llama_index"),
    ],
)
def test_a_framework_is_sent_to_its_preset(source: str, preset: str, tmp_path: Path) -> None:
    """It gives everything that the model has to receive."""
    assert f"**tess_openai.presets.{preset}(AGENT_ID)" in effects_in(tmp_path, source)[0].remedy


@pytest.mark.parametrize("missing", ["base_url", "http_client"])
def test_half_a_conversion_is_none(missing: str, tmp_path: Path) -> None:
    """Without the base URL or the HTTP client, calls do not reach Tess."""
    lines = [line for line in README.splitlines(keepends=True) if f"{missing}=" not in line]
    source = "".join(line for line in lines if missing != "http_client" or "http_async_client" not in line)
    assert "langchain_openai.ChatOpenAI=rewritten" in reported(tmp_path, source)


def test_a_converted_framework_still_reports_its_arguments(tmp_path: Path) -> None:
    """The policy is that of the connection with which the framework was configured."""
    source = (
        "from langchain_openai import ChatOpenAI\nfrom tess_openai import presets\n"
        "model = ChatOpenAI(seed=1, organization='o', **presets.langchain(8794, emulate=True))\n"
        "model.bind(stop=['x'])\n"
    )
    assert reported(tmp_path, source) == ["seed=stripped", "organization=stripped", "stop=emulated"]


def test_calls_of_the_module_still_go_to_openai(tmp_path: Path) -> None:
    """The report names the call that would send them to Tess."""
    source = "import openai\nopenai.api_key = 'k'\nopenai.chat.completions.create()\nopenai.models.list()\n"
    effects = effects_in(tmp_path, source)
    assert [(effect.subject, effect.level) for effect in effects] == [
        ("openai.api_key", "warning"),
        ("openai", "warning"),
        ("openai", "warning"),
    ]
    assert all("tess_openai.presets.openai_module(AGENT_ID)" in effect.remedy for effect in effects)
    assert all("still goes to OpenAI" in effect.why for effect in effects[1:])


@pytest.mark.parametrize(
    "importing", ["from tess_openai.presets import openai_module as f", "from tess_openai import presets"]
)
def test_calls_of_a_module_that_is_set_go_to_tess(importing: str, tmp_path: Path) -> None:
    """`presets.openai_module` converts them, wherever it is called."""
    name = "f" if importing.endswith(" f") else "presets.openai_module"
    source = (
        f"import openai\n{importing}\nvars(openai).update({name}(8794))\nopenai.chat.completions.create()\n"
    )
    assert reported(tmp_path, source) == []


AGENTS = """from agents import Agent as Guide
from crewai import LLM
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from openai import OpenAI
from pydantic_ai import Agent
from tess_openai import create_client, presets
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("create_agent('openai:gpt-4o')", ["langchain.agents.create_agent=rewritten"]),
        ("create_agent('anthropic:claude', tools=[f])", []),
        (
            "create_agent(ChatOpenAI(), tools=[f])",
            ["tools=stripped", "langchain_openai.ChatOpenAI=rewritten"],
        ),
        ("create_agent(ChatOpenAI(**presets.langchain(42)), tools=[f])", ["tools=stripped"]),
        ("create_agent(ChatOpenAI(**presets.langchain(42, emulate=True)), tools=[f])", ["tools=emulated"]),
        ("create_agent(other, tools=[f])", ["langchain.agents.create_agent=unseen"]),
        ("Agent('openai:gpt-4o', tools=[])", ["pydantic_ai.Agent=rewritten"]),
        ("Agent(presets.pydantic_ai(42, model='tess-6'))", []),
        ("Agent(presets.pydantic_ai(42, model='tess-6'), tools=[f])", ["tools=stripped"]),
        ("Agent(presets.pydantic_ai(42, model='tess-6', emulate=True), tools=[f])", ["tools=emulated"]),
        ("Guide(name='x', tools=[f])", ["agents.Agent=rewritten", "tools=stripped"]),
        ("Guide(name='x', model=presets.openai_agents(42, model='tess-6'))", []),
        ("LLM(model='openai/gpt-4o')", ["crewai.LLM=rewritten"]),
        ("create_client(42, others={'embeddings': OpenAI()})", []),
    ],
)
def test_agents_of_frameworks(source: str, expected: list[str], tmp_path: Path) -> None:
    """Agents for Tess are reported only if they use functions without emulation."""
    assert reported(tmp_path, f"{AGENTS}{source}\n") == expected


def test_one_is_not_many(tmp_path: Path, tess_openai: Program) -> None:
    """The summary uses the singular for one file and one call."""
    (tmp_path / "program.py").write_text("import openai\nopenai.models.list()\n")
    shown = tess_openai("check", ".").stdout
    assert "\n1 file read. 1 call in 1 file: 1 as it is.\n" in shown
    assert "\n0 errors, 1 warning, 0 notes.\n" in shown
