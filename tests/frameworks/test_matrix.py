"""The table in the pages says what the frameworks' tests showed, no more and no less."""

from __future__ import annotations

import json

import pytest
from matrix import FRAMEWORKS, PAGE, RECORDS, RESULTS, ROOT, to_record, with_table


def test_the_record_is_what_the_tests_showed(request: pytest.FixtureRequest) -> None:
    """Run after a framework's tests, in its environment; `--record` writes instead of comparing."""
    results = request.config.stash[RESULTS]
    frameworks = set(results.values())
    if not frameworks:
        pytest.skip("no framework was tested in this run")
    (framework,) = frameworks
    record = to_record(framework, list(results))
    file = RECORDS / f"{framework}.json"
    if request.config.getoption("--record", default=False):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(record, indent=1) + "\n")
    assert json.loads(file.read_text()) == record, "run make frameworks ARGS=--record"


def test_the_page_shows_the_records() -> None:
    """The page has each row and each note of the recorded results."""
    page = PAGE.read_text()
    assert with_table(page) == page


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_record_is_of_the_version_that_is_pinned(framework: str) -> None:
    """Otherwise the table would describe another release than the lane tests."""
    record = json.loads((RECORDS / f"{framework}.json").read_text())
    pins = (ROOT / "requirements" / "lanes" / f"{framework.replace('_', '-')}.txt").read_text().splitlines()
    for name, version in record["versions"].items():
        assert any(pin == f"{name}=={version}" or pin.startswith(f"{name}=={version} ;") for pin in pins)
