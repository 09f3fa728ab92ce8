"""A clock that only the tests move, and callers in the queue of a key."""

from __future__ import annotations

from tess_openai.core.pacing_line import PacedCaller
from tess_openai.edge.key_queues import KeyQueues, Ticket
from tess_openai.edge.pacing import hash_key

KEY = hash_key("Bearer 1|a")


OTHER = hash_key("Bearer 1|b")


class Clock:
    """Seconds that pass when a test, or a sleeper, says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


class Caller:
    """One caller of a key; it joins the queue when it first asks."""

    def __init__(self, turns: KeyQueues, key: bytes = KEY) -> None:
        self.turns = turns
        self.key = key
        self.ticket: Ticket | None = None

    def claim(self) -> float:
        """Ask for the turn; return the seconds to wait before asking again, 0 when it was taken."""
        turn = self.turns.claim(self.key, self.ticket, PacedCaller(1.0, 60.0, 0.0))
        self.ticket = turn.slot
        return turn.wait_seconds

    def leave(self) -> None:
        """Give up."""
        if self.ticket is not None:
            self.turns.release(self.key, self.ticket)
