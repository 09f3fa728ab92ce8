"""A strict local Tess: rules and state; `simulated_transports` and `server` serve it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Event, RLock
from typing import TYPE_CHECKING, Literal, overload

from tess_openai.core.jsons import JSONObject
from tess_openai.testing import error_responses
from tess_openai.testing.admission import RateLimiter, check_key, find_workspace, is_visible
from tess_openai.testing.agent_runs import AgentRun, Chunking, answer_run, cut_text, read_messages
from tess_openai.testing.answer_scripts import AnswerScripts, ModelName, Script, check_model
from tess_openai.testing.catalogue import list_agents
from tess_openai.testing.chat_rules import find_problems, without_nulls
from tess_openai.testing.faults import NO_FAULT, Fault
from tess_openai.testing.faults.fault_queue import FaultQueue
from tess_openai.testing.native_runs import NativeRuns, find_native_problems
from tess_openai.testing.records import RecordedRequest
from tess_openai.testing.simulated_agents import DEFAULT_AGENTS, SimulatedAgent
from tess_openai.testing.simulated_files import FileShelf
from tess_openai.testing.simulator_profile import SIMULATOR_API_KEY, Profile
from tess_openai.testing.simulator_routes import Route, find_route
from tess_openai.testing.wire import WireRequest, WireResponse, json_response

if TYPE_CHECKING:
    import httpx
    import httpx2
    from typing_extensions import Self

    from tess_openai.testing.server import SimulatorServer


class TessSimulator:
    """A model of Tess's documented and reported behaviour; it refuses everything else.

    Order of its checks (assumed): key, workspace, agent, rate, body; then the agent runs.

    Args:
        agents: By default `DEFAULT_AGENTS`; 42 is the one to start with.
        profile: By default `Profile.strict()`.
        api_keys: By default `SIMULATOR_API_KEY` only.
        chunking: How streamed texts are cut.
        clock: Monotonic seconds, for the rate limit.
        model: What answers without a script: `"echo"` repeats the last user message, `"obedient"` follows the
            instructions of the prompt: it calls functions, answers JSON, and ends after results.
        on_request: Called with each request when its answer is decided.
    """

    def __init__(
        self,
        *,
        agents: Iterable[SimulatedAgent] | None = None,
        profile: Profile | None = None,
        api_keys: Iterable[str] | None = None,
        chunking: Chunking = "words",
        clock: Callable[[], float] = time.monotonic,
        model: ModelName = "echo",
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.agents = {agent.id: agent for agent in (DEFAULT_AGENTS if agents is None else agents)}
        self.profile = Profile.strict() if profile is None else profile
        self.api_keys = frozenset({SIMULATOR_API_KEY} if api_keys is None else api_keys)
        self.chunking: Chunking = chunking
        self.model: ModelName = check_model(model)
        self.closing = Event()
        self._on_request = on_request
        self._limiter = RateLimiter(clock, {})
        self._files = FileShelf()
        self._native = NativeRuns()
        self._scripts = AnswerScripts()
        self._faults = FaultQueue()
        self._requests: list[RecordedRequest] = []
        self._servers: list[SimulatorServer] = []
        self._runs = 0
        self._lock = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all servers and end every answer that still waits."""
        self.closing.set()
        for server in self._servers:
            server.close()

    # --- serving ---

    def serve(self, port: int = 0) -> SimulatorServer:
        """Serve on a port of 127.0.0.1.

        Args:
            port: The port; 0 chooses a free one.

        Returns:
            The running server, a context manager with `base_url` and `close()`.

        Raises:
            OSError: The port is taken.
        """
        from tess_openai.testing.server import SimulatorServer

        server = SimulatorServer(self, port)
        self._servers.append(server)
        return server

    @property
    def base_url(self) -> str:
        """The API root of the first open loopback server, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: No server is open.
        """
        return self._server.base_url

    def openai_url(self, agent_id: int = 42) -> str:
        """Return what OpenAI's SDK takes as `base_url` for an agent of the first open server."""
        return self._server.openai_url(agent_id)

    @property
    def _server(self) -> SimulatorServer:
        for server in self._servers:
            if server.is_open:
                return server
        raise RuntimeError("the simulator is not served; call serve() first")

    @overload
    def transport(self, family: Literal["httpx2"] = ...) -> httpx2.BaseTransport: ...
    @overload
    def transport(self, family: Literal["httpx"]) -> httpx.BaseTransport: ...
    def transport(self, family: Literal["httpx", "httpx2"] = "httpx2") -> object:
        """Build a transport for a client of that family; no socket is involved."""
        from tess_openai.testing.simulated_transports import build_transport

        return build_transport(self, family)

    @overload
    def async_transport(self, family: Literal["httpx2"] = ...) -> httpx2.AsyncBaseTransport: ...
    @overload
    def async_transport(self, family: Literal["httpx"]) -> httpx.AsyncBaseTransport: ...
    def async_transport(self, family: Literal["httpx", "httpx2"] = "httpx2") -> object:
        """Async counterpart of `transport`."""
        from tess_openai.testing.simulated_transports import build_async_transport

        return build_async_transport(self, family)

    # --- steering ---

    def script(self, *answers: Script) -> None:
        """Queue the next answers of the agents, one for each run.

        After the last one the `model` answers again.

        Args:
            answers: Each a text, the exact pieces of a stream, or a function that gets the JSON body of the
                request and returns one of these.
        """
        with self._lock:
            self._scripts.add(answers)

    def fault(self, *faults: Fault, times: int = 1, on: Literal["chat", "any"] = "chat") -> None:
        """Queue faults for the next answers.

        A fault affects an answer that would have been good: after a refused request it stays queued.

        Args:
            faults: One for each answer, in this order.
            times: How often the faults are queued.
            on: Whether they affect chat answers only, or answers of every route.
        """
        with self._lock:
            self._faults.add(faults * times, on=on)

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests so far."""
        with self._lock:
            return list(self._requests)

    @property
    def calls(self) -> list[RecordedRequest]:
        """The chat calls so far, refused ones included."""
        return [each for each in self.requests if each.path.endswith("/chat/completions")]

    # --- answering ---

    def answer(self, request: WireRequest) -> tuple[WireResponse, RecordedRequest]:
        """Answer one request according to the rules, and record it; the servers and transports call this."""
        with self._lock:
            self._faults.struck = NO_FAULT
            response = self._decide(request)
            struck = self._faults.struck
            record = RecordedRequest.of(request, response, "" if struck is NO_FAULT else struck.name)
            self._requests.append(record)
        if self._on_request is not None:
            self._on_request(record)
        return response, record

    def _decide(self, request: WireRequest) -> WireResponse:
        route = find_route(request)
        if route is None:
            return error_responses.worded(404, "Not found.", self.profile)
        refusal = check_key(request, self.api_keys, self.profile)
        if refusal is not None:
            return refusal
        workspace_id = find_workspace(request, self.profile)
        if isinstance(workspace_id, WireResponse):
            return workspace_id
        visible = {key: each for key, each in self.agents.items() if is_visible(each, workspace_id)}
        if route.name in {"chat", "execute", "agent"} and route.number not in visible:
            return error_responses.worded(404, "Agent not found.", self.profile)
        limited = self._limiter.check(request, self.profile)
        if limited is not None:
            return limited
        if route.name == "chat":
            return self._chat(request, visible[route.number])
        if route.name == "execute":
            return self._execute(request, visible[route.number], workspace_id)
        good = self._read(route, request, visible, workspace_id)
        return self._strike(good) if good.status < 400 else good

    def _read(
        self, route: Route, request: WireRequest, visible: dict[int, SimulatedAgent], workspace_id: int
    ) -> WireResponse:
        """Answer a route without agent runs."""
        if route.name == "response":
            found = self._native.read(route.number, workspace_id)
            return (
                error_responses.worded(404, "Response not found.", self.profile) if found is None else found
            )
        if route.name == "agent":
            return json_response(200, visible[route.number].to_json())
        if route.name == "agents":
            return list_agents(request, list(visible.values()), self.profile)
        return self._files.answer(route, request, workspace_id, self.profile)

    def _chat(self, request: WireRequest, agent: SimulatedAgent) -> WireResponse:
        limit = self.profile.body_limit_bytes
        if limit is not None and len(request.body) > limit:
            return error_responses.worded(413, "Payload too large.", self.profile)
        body = without_nulls(request.parse_body() or {}, self.profile)
        problems = find_problems(body, agent, self.profile)
        if problems:
            return error_responses.invalid(problems, self.profile)
        is_stream = body.get("stream") is True
        fault = self._faults.take("streams" if is_stream else "completions", is_chat=True)
        if fault.instead is not None:
            return fault.on_response(fault.instead)
        if self.profile.without_system == "times out" and "system" not in dict(read_messages(body)):
            return error_responses.gateway_timeout()
        return fault.on_response(answer_run(fault.on_run(self._run(agent, body, is_stream=is_stream))))

    def _execute(self, request: WireRequest, agent: SimulatedAgent, workspace_id: int) -> WireResponse:
        body = without_nulls(request.parse_body() or {}, self.profile)
        problems = find_native_problems(body, agent, self.profile)
        if problems:
            return error_responses.invalid(problems, self.profile)
        fault = self._faults.take("completions", is_chat=True)
        if fault.instead is not None:
            return fault.on_response(fault.instead)
        run = fault.on_run(self._run(agent, body, is_stream=False))
        return fault.on_response(self._native.start(run, workspace_id))

    def _run(self, agent: SimulatedAgent, body: JSONObject, *, is_stream: bool) -> AgentRun:
        message = self._scripts.next_message(agent, body, self.model)
        self._runs += 1
        return AgentRun(
            agent=agent,
            profile=self.profile,
            body=body,
            pieces=cut_text(message, self.chunking) if isinstance(message, str) else tuple(message),
            is_stream=is_stream,
            number=self._runs,
            created=int(time.time()),
        )

    def _strike(self, good: WireResponse) -> WireResponse:
        """Apply a queued fault to the answer of a route without agent runs."""
        fault = self._faults.take("any answer", is_chat=False)
        return fault.on_response(good if fault.instead is None else fault.instead)
