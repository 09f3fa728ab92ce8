"""Check an environment in which only the wheel was installed; the lane `core-only` runs this program."""

from __future__ import annotations

import importlib.metadata
import sys


def main() -> None:
    """Run every check; the first failure ends the program."""
    checks = [
        importing_is_light,
        the_sdk_is_the_only_requirement,
        the_package_alone_is_shipped,
        a_chat_is_answered,
    ]
    for check in checks:
        check()
    print(f"{len(checks)} passed")


def importing_is_light() -> None:
    """Check that the SDK is loaded when a client is made, and not before."""
    import tess_openai

    assert tess_openai.__all__
    heavy = {"openai", "httpx", "httpx2", "pydantic"} & sys.modules.keys()
    assert not heavy, f"importing tess_openai also imports {heavy}"


def the_sdk_is_the_only_requirement() -> None:
    """Check that every other requirement is an extra."""
    required = [line for line in importlib.metadata.requires("tess-openai") or [] if "extra ==" not in line]
    assert required == ["openai<4,>=1.66"], required


def the_package_alone_is_shipped() -> None:
    """Check that the wheel has the types and one command, and no tests, tools or pages."""
    shipped = importlib.metadata.files("tess-openai") or []
    commands = {file.stem for file in shipped if file.parts[0] == ".."}
    assert commands == {"tess-openai"}, commands
    folders = {file.parts[0] for file in shipped if not file.parts[0].endswith(".dist-info")} - {".."}
    assert folders == {"tess_openai"}, folders
    assert "tess_openai/py.typed" in {file.as_posix() for file in shipped}


def a_chat_is_answered() -> None:
    """Check that a client and the simulator work without any extra."""
    from tess_openai import create_client
    from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

    with (
        TessSimulator() as simulator,
        simulator.serve() as server,
        create_client(
            42,
            workspace_id=SIMULATOR_WORKSPACE_ID,
            api_key=SIMULATOR_API_KEY,
            base_url=server.base_url,
        ) as client,
    ):
        answer = client.chat.completions.create(
            model="tess-5", messages=[{"role": "user", "content": "Are you there?"}]
        )
    text = answer.choices[0].message.content
    assert text, "the answer is empty"
    assert "Are you there?" in text, text


if __name__ == "__main__":
    main()
