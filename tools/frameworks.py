"""Run the presets' tests with each framework's own release, in an environment for each.

A framework is a lane whose tests are its own file below `tests/frameworks/` and the page that shows it.

    python tools/frameworks.py                all, three at a time
    python tools/frameworks.py langchain      only this one, its whole output shown
    python tools/frameworks.py --record       all, and record the results for the table of the pages
"""

from __future__ import annotations

import sys
from typing import Final

from environment import ROOT, VENV, interpreter, run
from lanes import Lane, main

RECORD: Final = "--record"
PAGE: Final = "tests/docs/test_pages.py::test_what_a_page_shows_runs[docs/frameworks/{}.md]"


def framework(name: str, *needs: str, page: str | None = "", cells: bool = True) -> Lane:
    """Build the lane of a framework.

    Args:
        name: The name of the lane and of its test file.
        needs: The requirements to install.
        page: The page below `docs/frameworks/` whose code runs too: `""` is the lane's own, None is no page.
        cells: Whether the tests of this framework fill a row of the table.
    """
    tests = f"tests/frameworks/test_{name.replace('-', '_')}.py"
    table = (
        (
            "tests/frameworks/test_matrix.py::test_the_record_is_what_the_tests_showed",
            *([RECORD] if RECORD in sys.argv else []),
        )
        if cells
        else ()
    )
    texts = f"tests/frameworks/test_model_texts_{name.replace('-', '_')}.py"
    rows = (*([texts] if (ROOT / texts).is_file() else []), "tests/frameworks/test_copies.py")
    shown = () if page is None else (PAGE.format(page or name),)
    program = (
        "-I",
        "-m",
        "pytest",
        "-q",
        "-W",
        "default",
        "-p",
        "no:cacheprovider",
        tests,
        *rows,
        *shown,
        *table,
    )
    return Lane(name=name, needs=needs, since=(3, 11), program=program)


FRAMEWORKS: Final = (
    framework("langchain", "langchain-openai", "langchain"),
    framework("llama-index", "llama-index-llms-openai-like"),
    framework("openai-agents", "openai-agents"),
    framework("pydantic-ai", "pydantic-ai-slim[openai]"),
    framework("instructor", "instructor", page=None),
    # soundfile's 0.14.0 has a wheel without libsndfile too, which uv takes from the first of several indexes
    framework("litellm", "litellm[proxy]", "soundfile==0.13.1"),
    framework("crewai", "crewai"),
    framework("openai-module", "openai==3.54.0", "httpx", page="any-other"),
    framework(
        "observability",
        *("openai==3.54.0", "httpx", "langsmith", "langfuse"),
        *("opentelemetry-instrumentation-openai-v2", "opentelemetry-instrumentation-httpx"),
        "opentelemetry-util-genai==0.4b0",  # its own releases from 1 on lack what openai-v2 2.4 imports
        cells=False,
    ),
)

if __name__ == "__main__":
    records = RECORD in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != RECORD]
    status = main(FRAMEWORKS, "Run the presets' tests with the frameworks themselves.")
    if records:
        run([str(interpreter(VENV)), "tests/frameworks/matrix.py"])
    sys.exit(status)
