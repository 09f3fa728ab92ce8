"""`tess-openai doctor` recognises each mistake that users of Tess were seen with, and says how to fix it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tess_openai.cli import main
from tess_openai.testing import TessSimulator
from tests.cli.doctor_mistakes import KEY, MISTAKES, Mistake


@pytest.fixture
def tess_simulator(mistake: Mistake) -> Iterator[TessSimulator]:
    """Serve a Tess that behaves as the mistake has it."""
    with TessSimulator(profile=mistake.profile) as simulator:
        for fault in mistake.faults:
            simulator.fault(fault, on="any" if mistake.on == "any" else "chat")
        simulator.serve()
        yield simulator


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_recognised(
    mistake: Mistake,
    tess_simulator: TessSimulator,
    simulated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is named at its step with the remedy; no earlier step fails, and no key is shown."""
    root = tess_simulator.base_url
    places = {"{root}": root, "{tls}": root.replace("http://", "https://")}
    variables = dict(mistake.variables)
    for place, real in places.items():
        variables = {name: value and value.replace(place, real) for name, value in variables.items()}
    for name, value in {"SSL_CERT_FILE": None, **simulated, **variables}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    status = main(["doctor", "--json", *mistake.options])
    shown, errors = capsys.readouterr()
    assert errors == ""
    report = json.loads(shown)
    found = [each for each in report["steps"] if each["step"] == mistake.step and each["state"] != "ok"]
    assert found, report
    verdict = found[-1]
    assert verdict["state"] == mistake.state
    assert mistake.finding in verdict["finding"]
    assert mistake.remedy in verdict["remedy"]
    good = {each["step"] for each in report["steps"] if each["state"] == "ok"}
    assert mistake.step not in good - {"base URL"}  # another server may answer the calls only
    wrong = [each["step"] for each in report["steps"] if each["state"] == "wrong"]
    assert wrong == ([mistake.step] if mistake.state == "wrong" else wrong)
    assert status == (1 if wrong else 0)
    assert "hidden" not in shown
    assert KEY not in shown
