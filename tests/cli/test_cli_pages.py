"""What the pages of the command line show is what the commands print."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tess_openai.testing import TessSimulator

_SPEC = importlib.util.spec_from_file_location("capture", Path(__file__).parent / "capture.py")
assert _SPEC is not None
assert _SPEC.loader is not None
capture = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(capture)


@pytest.mark.parametrize("page", capture.PAGES, ids=lambda page: page.stem)
def test_the_output_on_a_page_is_true(page: Path, tess_simulator: TessSimulator, tmp_path: Path) -> None:
    """If it differs, renew it with `python tests/cli/capture.py`."""
    text = page.read_text()
    assert "$ tess-openai" in text
    assert capture.captured(text, tmp_path, capture.environment_for(tess_simulator)) == text


def test_a_wrong_output_is_seen(tess_simulator: TessSimulator, tmp_path: Path) -> None:
    """The comparison that checks the pages finds an output that differs."""
    page = "```console\n$ tess-openai --version\ntess-openai 99\n```\n"
    assert capture.captured(page, tmp_path, capture.environment_for(tess_simulator)) != page
