"""The lines of keys in a Redis, for the processes of several machines.

The rule is the one of `core/pacing_line.py`, written in Lua because only a script is atomic in Redis; it uses
the clock of Redis. A test compares both on the same calls.
"""

from __future__ import annotations

from typing import Any, Final

from tess_openai.core.pacing_line import (
    CLAIM_AHEAD_SECONDS,
    CLOCK_TOLERANCE_SECONDS,
    ClaimResult,
    PacedCaller,
    Slot,
)
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS

SOCKET_SECONDS: Final = 0.9
"""How long Redis may take to connect, and to answer; a broken connection is tried once more."""
_PREFIX: Final = "tess_openai:pacing:"

SCRIPT: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local step, interval = ARGV[1], tonumber(ARGV[2])
local MAX_PAUSE, TOLERANCE, AHEAD = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local names = {'made_at', 'changed_at', 'last', 'delay', 'sent_at', 'paused_at', 'paused_until'}
local stored, line = redis.call('HMGET', KEYS[1], unpack(names)), {}
for index, name in ipairs(names) do line[name] = tonumber(stored[index]) end
if not line.paused_until or not (now >= line.changed_at - TOLERANCE) then
  local never = -math.huge
  line = {made_at = now, delay = 0, last = never, sent_at = never, paused_at = never, paused_until = never}
  redis.call('DEL', KEYS[2])
else
  now = math.max(now, line.changed_at)
end
line.changed_at = now

local function text(number) return string.format('%.6f', number) end

local function keep()
  local fields = {}
  for _, name in ipairs(names) do
    fields[#fields + 1] = name
    fields[#fields + 1] = text(line[name])
  end
  redis.call('HSET', KEYS[1], unpack(fields))
  local last = math.max(now, line.last + line.delay, line.paused_until)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, math.ceil(last - now + 2 * MAX_PAUSE)) end
end

local function reserve()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. text(now - line.delay))
  local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if first then
    redis.call('ZREM', KEYS[2], first)
    return tonumber(first)
  end
  local position = math.max(now - line.delay, line.last + interval)
  line.last = math.max(line.last, position)
  return position
end

local function claim(shortest_gap, max_wait, client_age, slot_line, position)
  local pause = math.max(0, line.paused_until - now)
  if pause > max_wait and now - line.paused_at > client_age then pause = 0 end
  if pause > max_wait then
    return {text(now), text(pause), '', text(pause), slot_line or '', position or ''}
  end
  local reserved = nil
  if slot_line == text(line.made_at) then reserved = tonumber(position) end
  reserved = reserved or reserve()
  local due = math.max(reserved + line.delay, now)
  local earliest = math.max(due, line.sent_at + shortest_gap, now + pause)
  if earliest <= now + AHEAD then
    line.sent_at = earliest
    return {text(now), text(earliest - now), 'taken', '0', '', ''}
  end
  reserved = due - line.delay
  line.delay = line.delay + earliest - due
  return {text(now), text(earliest - AHEAD - now), '', text(pause), text(line.made_at), text(reserved)}
end

local answer = {text(now)}
if step == 'claim' then
  answer = claim(tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10])
elseif step == 'release' then
  if ARGV[6] == text(line.made_at) then redis.call('ZADD', KEYS[2], ARGV[7], ARGV[7]) end
elseif step == 'mark_sent' then
  line.sent_at = math.max(line.sent_at, now)
elseif step == 'pause' then
  line.paused_at = now
  line.paused_until = math.max(line.paused_until, now + math.min(tonumber(ARGV[6]), MAX_PAUSE))
end
keep()
return answer
"""


class RedisPacingStore:
    """Keeps lines in a Redis of version 5 or later; each step is one script."""

    def __init__(self, url: str) -> None:
        """Use the Redis at `url`; the first step connects to it.

        The library is imported here, because that may take longer than a step of the store is allowed to.
        """
        self._url = url
        self._script = self._new_script()

    def claim(self, key: bytes, slot: Slot | None, caller: PacedCaller) -> ClaimResult:
        """Reserve a slot, or take the turn of one if it has come."""
        _, turn = self.claim_at(key, slot, caller)
        return turn

    def claim_at(self, key: bytes, slot: Slot | None, caller: PacedCaller) -> tuple[float, ClaimResult]:
        """Return the time of Redis, and what `claim` returns."""
        held = () if slot is None else (_text(slot.line_made_at), _text(slot.position))
        answer = self._run(
            key,
            "claim",
            *(caller.shortest_gap_seconds, caller.max_wait_for_pause_seconds, caller.client_age_seconds),
            *held,
            interval_seconds=caller.interval_seconds,
        )
        now, wait, taken, pause, line, position = [each.decode() for each in answer]
        reserved = Slot(float(line), float(position)) if line else None
        return float(now), ClaimResult(float(wait), taken == "taken", float(pause), reserved)

    def release(self, key: bytes, slot: Slot) -> None:
        """Give a slot to the next caller that reserves one."""
        self._run(key, "release", _text(slot.line_made_at), _text(slot.position))

    def mark_sent(self, key: bytes) -> None:
        """Count the next turn from now."""
        self._run(key, "mark_sent")

    def pause(self, key: bytes, seconds: float) -> None:
        """Send no call of this key for these seconds."""
        self._run(key, "pause", seconds)

    def describe(self, error: Exception) -> str:
        """Return the class of the error; its text is omitted because it may contain the URL."""
        return f"{type(error).__name__} of redis-py"

    def forget_connection(self) -> None:
        """Leave the connections to the parent of a forked process; redis-py shuts none of them down."""
        self._script = self._new_script()

    def _run(self, key: bytes, step: str, *arguments: float | str, interval_seconds: float = 0.0) -> Any:
        name = f"{_PREFIX}{{{key.hex()}}}"
        limits = (MAX_KEY_PAUSE_SECONDS, CLOCK_TOLERANCE_SECONDS, CLAIM_AHEAD_SECONDS)
        given = [step, interval_seconds, *limits, *arguments]
        return self._script(keys=[name, f"{name}:returned"], args=given)

    def _new_script(self) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client: redis.Redis = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            self._url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        return client.register_script(SCRIPT)


def _text(number: float) -> str:
    """Format a time as the script does, which compares it as text."""
    return f"{number:.6f}"
