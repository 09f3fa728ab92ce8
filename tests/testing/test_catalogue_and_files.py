"""The routes beside the chat: agents and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tess_openai.core.jsons import parse_object
from tess_openai.testing import Profile, SimulatedAgent, TessSimulator, faults
from tess_openai.testing.wire import WireResponse

Send: TypeAlias = Callable[..., WireResponse]
JSON: TypeAlias = dict[str, Any]


def reported(response: WireResponse, status: int = 200) -> JSON:
    """Read the JSON of an answer of that status."""
    assert response.status == status
    payload = parse_object(response.body)
    assert payload is not None
    return payload


@pytest.fixture
def many() -> TessSimulator:
    """A simulator of forty agents."""
    return TessSimulator(agents=[SimulatedAgent.chat(1 + n, title=f"Agent number {n}") for n in range(40)])


def listed(response: WireResponse) -> list[int]:
    """Name the agents of a page."""
    return [each["id"] for each in reported(response)["data"]]


PAGES = {
    "the first fifteen": ("/agents", list(range(1, 16))),
    "a page": ("/agents?page=2&per_page=30", list(range(31, 41))),
    "a page behind the last": ("/agents?page=9", []),
    "words of a title": ("/agents?q=NUMBER%203&per_page=100", [4, *range(31, 41)]),
    "another type": ("/agents?type=image", []),
    "with an undocumented limit": ("/agents?limit=1", list(range(1, 16))),
}


@pytest.mark.parametrize(("target", "numbers"), PAGES.values(), ids=PAGES)
def test_a_page_of_agents(target: str, numbers: list[int], many: TessSimulator, send: Send) -> None:
    """The page has the agents for which the query asks."""
    assert listed(send(many, b"", target=target, method="GET")) == numbers


@pytest.mark.parametrize(
    ("query", "name"),
    [("page=0", "page"), ("page=x", "page"), ("per_page=101", "per_page"), ("type=audio", "type")],
)
def test_a_query_is_refused(query: str, name: str, many: TessSimulator, send: Send) -> None:
    """The error names the parameter of the query."""
    refused = reported(send(many, b"", target=f"/agents?{query}", method="GET"), 422)
    assert list(refused["errors"]) == [name]


def test_the_envelope_leads_from_page_to_page(many: TessSimulator, send: Send) -> None:
    """Following it until `last_page` gives each agent once."""
    seen: list[int] = []
    page, last = 0, 1
    while page < last:
        page += 1
        envelope = reported(send(many, b"", target=f"/agents?page={page}", method="GET"))
        seen += [each["id"] for each in envelope["data"]]
        last = envelope["last_page"]
        assert envelope["current_page"] == page
    assert (seen, last) == (list(range(1, 41)), 3)


def test_agents_of_others_are_not_listed(simulator: TessSimulator, send: Send) -> None:
    """Public agents of others are listed."""
    assert listed(send(simulator, b"", target="/agents", method="GET")) == [42, 43, 44, 45, 47, 48]


def test_an_agent_shows_its_questions(simulator: TessSimulator, send: Send) -> None:
    """As Get Agent documents, options are selects, `messages` is required, and `root_id` is a number."""
    agent = reported(send(simulator, b"", target="/api/agents/42", method="GET"))
    questions = {question["name"]: question for question in agent["questions"]}
    assert questions["temperature"]["options"] == ["0", "0.25", "0.5", "0.75", "1"]
    assert questions["messages"] == {
        "type": "array",
        "name": "messages",
        "description": "messages",
        "required": True,
    }
    assert questions["root_id"]["required"] is False
    assert {
        "id",
        "title",
        "description",
        "long_description",
        "workspace_id",
        "slug",
        "active",
        "type",
    } <= set(agent)


def test_a_fixed_model_agent_has_no_such_question(simulator: TessSimulator, send: Send) -> None:
    """Options with labels keep them, and an agent with training keeps its mark."""
    named_in = {
        number: {
            each["name"]: each
            for each in reported(send(simulator, b"", target=f"/agents/{number}", method="GET"))["questions"]
        }
        for number in (43, 45, 48)
    }
    assert "model" not in named_in[43]
    assert named_in[45]["nome-da-empresa"]["isFieldForTraining"] is False
    assert named_in[48]["temperature"]["options"][0] == {"value": "0", "label": "precise"}


@pytest.mark.parametrize("target", ["/agents/46", "/agents/99"])
def test_an_agent_that_is_not_seen(target: str, simulator: TessSimulator, send: Send) -> None:
    """The status is 404 for a private agent and for one that does not exist."""
    assert send(simulator, b"", target=target, method="GET").status == 404


def test_a_fault_may_strike_every_route(simulator: TessSimulator, send: Send) -> None:
    """It does so on request; by default it waits for a chat."""
    simulator.fault(faults.server_error())
    assert send(simulator, b"", target="/agents", method="GET").status == 200
    assert send(simulator).status == 500
    simulator.fault(faults.too_large(), on="any")
    assert send(simulator, b"", target="/files", method="GET").status == 413


FORM = {"content-type": "multipart/form-data; boundary=line"}


def form(data: bytes, *, process: str | None = None, name: str = "file") -> bytes:
    """Write a form with a file."""
    head = f'--line\r\nContent-Disposition: form-data; name="{name}"; filename="não.pdf"\r\n'.encode()
    file = head + b"Content-Type: application/pdf\r\n\r\n" + data + b"\r\n"
    if process is None:
        return file + b"--line--\r\n"
    field = f'--line\r\nContent-Disposition: form-data; name="process"\r\n\r\n{process}\r\n'.encode()
    return file + field + b"--line--\r\n"


BYTES = bytes(range(256)) + b"\r\n--lin\r\n"


def test_a_file_is_kept(simulator: TessSimulator, send: Send) -> None:
    """Every byte counts; the object is the documented one."""
    stored = reported(send(simulator, form(BYTES), target="/files", headers=FORM), 201)
    assert stored == {
        "id": 901,
        "object": "file",
        "bytes": len(BYTES),
        "created_at": "2026-01-01T00:00:00.000000Z",
        "filename": "não.pdf",
        "credits": 0,
        "status": "waiting",
    }
    listing = reported(send(simulator, b"", target="/files", method="GET"))
    assert listing == {"data": [stored]}


def test_equal_bytes_keep_their_id(simulator: TessSimulator, send: Send) -> None:
    """Others get their own."""
    numbers = [
        parse_object(send(simulator, form(data), target="/files", headers=FORM).body) or {}
        for data in (b"one", b"one", b"two")
    ]
    assert [each["id"] for each in numbers] == [901, 901, 902]


def test_a_file_is_processed(simulator: TessSimulator, send: Send) -> None:
    """It is ready at once or later: one request finds it in progress, the next one ready."""
    at_once = reported(send(simulator, form(b"1", process="true"), target="/files", headers=FORM), 201)
    later = reported(send(simulator, form(b"2", process="false"), target="/files", headers=FORM), 201)
    assert (at_once["status"], later["status"]) == ("processing", "waiting")
    looks = [reported(send(simulator, b"", target="/files/901", method="GET"))["status"] for _ in range(2)]
    assert looks == ["processing", "completed"]
    assert reported(send(simulator, b"", target="/files/902/process"))["status"] == "processing"


def test_a_file_is_deleted(simulator: TessSimulator, send: Send) -> None:
    """A later request for it gets a 404."""
    send(simulator, form(b"1"), target="/files", headers=FORM)
    assert reported(send(simulator, b"", target="/files/901", method="DELETE"))["deleted"] is True
    assert send(simulator, b"", target="/files/901", method="GET").status == 404


def test_files_belong_to_a_workspace(send: Send) -> None:
    """Another one does not see them."""
    simulator = TessSimulator(profile=Profile(workspace_ids=frozenset({7001, 8})))
    send(simulator, form(b"1"), target="/files", headers=FORM)
    other = {"x-workspace-id": "8"}
    assert send(simulator, b"", target="/files/901", method="GET", headers=other).status == 404
    assert reported(send(simulator, b"", target="/files", method="GET", headers=other)) == {"data": []}


@pytest.mark.parametrize(
    ("body", "headers"),
    [(form(b"1", name="upload"), FORM), (b"bytes", {"content-type": "application/pdf"}), (b"", FORM)],
    ids=["under another name", "without a form", "an empty form"],
)
def test_a_file_must_come_in_a_form(
    body: bytes, headers: dict[str, str], simulator: TessSimulator, send: Send
) -> None:
    """The form must have the field `file`."""
    refused = reported(send(simulator, body, target="/files", headers=headers), 422)
    assert list(refused["errors"]) == ["file"]


def test_a_file_can_be_too_large(send: Send) -> None:
    """Above the limit of the profile, the status is 413."""
    simulator = TessSimulator(profile=Profile(upload_limit_bytes=3))
    assert send(simulator, form(b"1234"), target="/files", headers=FORM).status == 413
    assert send(simulator, form(b"123"), target="/files", headers=FORM).status == 201
