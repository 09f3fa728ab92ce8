"""Reads one answer of the model, piece by piece: returns text for the caller, and an outcome at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from tess_openai.core.changes import Change, counted
from tess_openai.core.emulate.answer_parser import AnswerParser, HeldText
from tess_openai.core.emulate.call_parsing import ParsedCalls, contain_known_call, parse_calls
from tess_openai.core.emulate.call_shapes import CallShapes
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.length import LengthCutter
from tess_openai.core.emulate.marks import MARK_KINDS
from tess_openai.core.emulate.offers import NO_OFFER
from tess_openai.core.emulate.outcomes import (
    AskAgain,
    FailedOutcome,
    FinalOutcome,
    Outcome,
    TextOutcome,
    ToolCallOutcome,
)
from tess_openai.core.emulate.stop import StopCutter
from tess_openai.core.emulate.structured import ExtractedJSON, JSONFormat, extract
from tess_openai.core.prompts import fill
from tess_openai.core.refusals import Refused

_JSON_BODY: Final = re.compile(r"\s*(?:`{3}[\w-]{0,16}\s*)?(?:\[\s*)?\{")
_FENCE_LINE: Final = re.compile(r"^[ \t]*`{3}[\w-]*[ \t]*$\n?", re.MULTILINE)


class AnswerReader:
    """Reads one answer, with the same result for any division of it into pieces.

    Prose is returned at once. It is held to the end where only the end decides whether the caller gets it:
    when JSON or a call is required, and in the answer to a repair.
    """

    def __init__(self, emulation: Emulation, *, is_repair: bool = False) -> None:
        self._emulation = emulation
        self._offer = NO_OFFER if emulation.offer is None else emulation.offer
        self._is_repair = is_repair
        self._checker = emulation.schemas.checker()
        self._parser = (
            None if emulation.offer is None else AnswerParser(emulation.marks, self._offer.functions)
        )
        self._stop = StopCutter(emulation.stops)
        self._length = None if emulation.limit is None else LengthCutter(emulation.limit.tokens)
        self._holds_prose = (
            is_repair or emulation.json_format is not None or self._offer.tool_choice == "required"
        )
        self._prose: list[str] = []
        self._raw: list[str] = []
        self._has_shown = False

    @property
    def finish_reason(self) -> Literal["stop", "length"] | None:
        """Why the adapter ended the text, so that the rest of the answer need not be read; None otherwise."""
        if self._length is not None and self._length.is_done:
            return "length"
        return "stop" if self._stop.is_done else None

    def feed(self, text: str) -> str:
        """Take the next piece of the answer; return what may go to the caller now."""
        if self.finish_reason is not None:
            return ""
        self._raw.append(text)
        prose = text if self._parser is None else self._parser.feed(text)
        if self._holds_prose:
            self._prose.append(prose)
            return ""
        to_show = self._limit_length(self._stop.feed(prose))
        self._has_shown |= bool(to_show)
        return to_show

    def finish(self, *, is_truncated: bool = False) -> Outcome:
        """End the answer, and return its outcome.

        Args:
            is_truncated: Whether the answer is known to be incomplete: its finish reason is `"length"` or
                `"content_filter"`.
        """
        if self.finish_reason is not None:
            return TextOutcome(finish_reason=self.finish_reason)
        rest = HeldText("") if self._parser is None else self._parser.finish()
        if rest.blocks:
            return self._finish_with_calls(rest, is_truncated=is_truncated)
        text = "".join((*self._prose, rest.verbatim))
        if rest.has_nonce or rest.may_be_call:
            if (found := self._valid_json_outcome(text)) is not None:
                return found
            mistake = "a call without its marks"
            why = "the answer looked like a function call, but it was not written between the marks of one"
            fallback = self._outcome_lacking_call(self._strip_marks(text))
            return self._repair_call(self._emulation.prompts.repair_marks, mistake, why, fallback)
        if self._offer.tool_choice == "required":
            why = "the request demands a function call, and the answer contained none"
            mistake, fallback = "no call where one is demanded", self._outcome_lacking_call(text)
            return self._repair_call(self._emulation.prompts.repair_missing, mistake, why, fallback)
        if self._emulation.json_format is not None:
            return self._finish_with_json(text, self._emulation.json_format, is_truncated=is_truncated)
        return self._text_outcome(text)

    def changes_for_unchecked_part(self) -> list[Change]:
        """Return a change if the checker's budget ended before the whole answer was checked."""
        if not self._checker.is_incomplete:
            return []
        json_format = self._emulation.json_format
        param = "response_format" if json_format is not None and json_format.has_schema else self._offer.param
        why = "checking the answer against the schema takes too long, so a part of it was not checked"
        return [
            Change("noticed", param, "a part of the answer", sent="", why=why, remedy="Use a smaller schema.")
        ]

    def _finish_with_calls(self, rest: HeldText, *, is_truncated: bool) -> Outcome:
        to_show = "" if self._holds_prose else self._limit(rest.prose)
        self._has_shown |= bool(to_show)
        if self.finish_reason is not None:  # calls after a stop sequence are ignored
            return TextOutcome(text=to_show, finish_reason=self.finish_reason)
        prose = "".join((*self._prose, rest.prose)) if self._holds_prose else ""
        prompts, offer = self._emulation.prompts, self._offer
        new_id = self._emulation.new_id
        parsed = parse_calls(rest.blocks, offer, self._checker, new_id, is_truncated=is_truncated)
        fallback: FinalOutcome
        if rest.is_followed and offer.tool_choice == "auto" and not parsed.problems:
            if self._holds_prose:
                plain_text = "".join((*self._prose, rest.around))
            else:  # `around` begins with `prose`, which is in `to_show`
                plain_text = self._blocks_as_text("", rest.around.removeprefix(rest.prose))
            mistake, fallback = "a call followed by text", self._outcome_without_repair(plain_text)
            why = "the model wrote text after a function call, so it may not have meant to make the call"
            return self._repair_call(prompts.repair_followed, mistake, why, fallback, to_show=to_show)
        if parsed.valid and not parsed.problems:
            return self._call_outcome(to_show, prose, parsed, rest.characters_after)
        all_text = self._blocks_as_text(prose, *(block.body for block in rest.blocks))
        json_outcome = None if parsed.valid else self._valid_json_outcome(all_text)
        if json_outcome is not None and not contain_known_call(rest.blocks, offer.functions):
            return json_outcome
        if offer.tool_choice == "none":
            mistake, fallback = "a call where none may be made", self._outcome_without_repair(all_text)
            why = "the request allows no function call, and the model tried to make one"
            return self._repair_call(prompts.repair_forbidden, mistake, why, fallback, to_show=to_show)
        if json_outcome is not None:
            fallback = json_outcome
        elif parsed.usable:
            fallback = self._call_outcome("", prose, parsed, rest.characters_after)
        elif any(self._was_meant_as_call(block.body) for block in rest.blocks):
            fallback = self._invalid_call_outcome()
        else:
            fallback = self._outcome_lacking_call(all_text)
        problems, mistake = parsed.problems, counted(len(parsed.problems), "problem")
        why = "not every function call in the answer can be made as the model wrote it"
        only_unknown = parsed.unknown == len(problems) and offer.tool_choice == "auto"
        repair_template = prompts.repair_unknown if only_unknown else prompts.repair_call
        return self._repair_call(repair_template, mistake, why, fallback, to_show=to_show, problems=problems)

    def _was_meant_as_call(self, body: str) -> bool:
        """Whether a text between marks, without a usable call, begins with an object or names a function."""
        if (
            _JSON_BODY.match(body) is not None
            or body.lstrip().partition("\n")[0].strip() in self._offer.functions
        ):
            return True
        return "{" in body and CallShapes(self._offer.functions).is_named_in(body)

    def _call_outcome(
        self, to_show: str, prose: str, parsed: ParsedCalls, characters_after: int
    ) -> ToolCallOutcome:
        # Not returned: prose in the answer to a repair, which asked for calls only, and where JSON is wanted.
        if not self._is_repair and self._emulation.json_format is None:
            to_show += self._limit(prose)
        changes: list[Change] = []
        off_schema_calls = len(parsed.usable) - len(parsed.valid)
        if off_schema_calls:
            why = "the arguments do not follow the schema; a function without strict gets them nevertheless"
            remedy = (
                'Allow more repairs: create_client(max_repairs=2), or offer the function with "strict": true.'
            )
            given = counted(off_schema_calls, "call")
            changes.append(
                Change("noticed", "tool_calls", given, sent="", why=why, remedy=remedy, warn="answer")
            )
        elif parsed.problems:
            why = "some calls of this answer could not be used; only the others are returned"
            given = counted(len(parsed.problems), "problem")
            remedy = "Allow more repairs: create_client(max_repairs=2)."
            changes.append(
                Change("stripped", "tool_calls", given, sent="", why=why, remedy=remedy, warn="answer")
            )
        if parsed.surplus:
            why = "only one call may be made at a time"
            changes.append(
                Change("stripped", "tool_calls", counted(parsed.surplus, "call"), sent="", why=why)
            )
        if characters_after:
            why = "the model wrote it after a call, before it could know the result"
            changes.append(
                Change("stripped", "content", counted(characters_after, "character"), sent="", why=why)
            )
        return ToolCallOutcome(text=to_show, calls=tuple(parsed.usable), changes=tuple(changes))

    def _invalid_call_outcome(self) -> FailedOutcome:
        """Return the error for a call that cannot be made; where one is required, that it is missing."""
        if self._offer.tool_choice == "required":
            return self._missing_call_outcome()
        message = "The model wrote a function call that cannot be made."
        param = self._offer.param
        return FailedOutcome(refused=Refused(message, param=param, code="function_call_invalid", status=422))

    def _blocks_as_text(self, prose: str, *bodies: str) -> str:
        """Return `prose` and `bodies` as one text, the latter without marks and lines of code fences.

        It begins on a new line if the caller already has text of this answer.
        """
        marks = self._emulation.marks
        texts = [_FENCE_LINE.sub("", marks.without(body, MARK_KINDS)).strip() for body in bodies]
        plain_text = "\n".join(text for text in (prose, *texts) if text)
        return f"\n{plain_text}" if plain_text and self._has_shown else plain_text

    def _strip_marks(self, text: str) -> str:
        """Return an answer that looks like a call as plain text, without marks and a code fence around it."""
        plain_text = self._emulation.marks.without(text, MARK_KINDS).strip()
        if plain_text.startswith("```") and "\n" in plain_text:
            plain_text = _FENCE_LINE.sub("", plain_text, count=2).strip()
        return f"\n{plain_text}" if plain_text and self._has_shown else plain_text

    def _outcome_lacking_call(self, text: str) -> FinalOutcome:
        """Return the outcome of an answer without a usable call: an error if one is required, else text."""
        is_required = self._offer.tool_choice == "required"
        return self._missing_call_outcome() if is_required else self._outcome_without_repair(text)

    def _missing_call_outcome(self) -> FailedOutcome:
        """Return the error for an answer without the call that the request demands."""
        offer = self._offer
        what = f"the function {next(iter(offer.functions))!r}" if offer.is_named else "a function"
        param = "function_call" if offer.is_legacy else "tool_choice"
        message = (
            f"The model did not call {what} in a form that can be used, although {param} demands a call."
        )
        return FailedOutcome(refused=Refused(message, param=param, code="function_call_missing", status=422))

    def _outcome_without_repair(self, text: str) -> TextOutcome:
        """Return the outcome of an answer that is not repaired: its JSON if that was requested, else text."""
        json_format = self._emulation.json_format
        if json_format is None:
            return self._text_outcome(text)
        return self._json_outcome(text, json_format, extract(text, json_format, self._checker))

    def _valid_json_outcome(self, text: str) -> TextOutcome | None:
        """Return the JSON that follows the caller's schema, if the answer is that instead of a call."""
        json_format = self._emulation.json_format
        if json_format is None or not json_format.has_schema or self._offer.tool_choice == "required":
            return None
        found = extract(text, json_format, self._checker)
        return None if found.problems else self._json_outcome(text, json_format, found)

    def _repair_call(
        self,
        repair_template: str,
        mistake: str,
        why: str,
        fallback: FinalOutcome,
        *,
        to_show: str = "",
        problems: Sequence[str] = (),
    ) -> AskAgain:
        marks = self._emulation.marks
        repair_note = fill(repair_template, open=marks.open, close=marks.close, problems="\n".join(problems))
        change = Change("asked again", self._offer.param, mistake, "a further paid request", why)
        return self._ask_again(repair_note, change, fallback, to_show)

    def _finish_with_json(self, text: str, json_format: JSONFormat, *, is_truncated: bool) -> Outcome:
        found = extract(text, json_format, self._checker)
        if is_truncated and found.problems:  # a repair would be truncated too; Tess's finish reason is shown
            return self._text_outcome(text[found.start or 0 :])
        outcome = self._json_outcome(text, json_format, found)
        if not found.problems:
            return outcome
        repair_note = fill(self._emulation.prompts.repair_json, problems="\n".join(found.problems))
        why = "the answer was not the JSON that was asked for"
        mistake = counted(len(found.problems), "problem")
        change = Change("asked again", "response_format", mistake, "a further paid request", why)
        return self._ask_again(repair_note, change, outcome)

    def _json_outcome(self, text: str, json_format: JSONFormat, found: ExtractedJSON) -> TextOutcome:
        """Return the JSON; else the text, as OpenAI's `refusal` if a schema was given and it has no JSON."""
        begins_value = found.start is not None or _JSON_BODY.match(text) is not None
        if found.text is None and not begins_value and json_format.has_schema and text.strip():
            refusal = self._limit(text.strip())
            return TextOutcome(refusal=refusal, finish_reason=self.finish_reason)
        return self._text_outcome(text if found.text is None else found.text)

    def _ask_again(self, note: str, change: Change, fallback: FinalOutcome, to_show: str = "") -> AskAgain:
        raw = "".join(self._raw)
        return AskAgain(text=to_show, answer=raw, repair_note=note, change=change, fallback=fallback)

    def _text_outcome(self, text: str) -> TextOutcome:
        return TextOutcome(text=self._limit(text), finish_reason=self.finish_reason)

    def _limit(self, text: str) -> str:
        """End the text: return the part of its last piece before a stop sequence and within the limit."""
        return self._limit_length(self._stop.feed(text) + self._stop.finish())

    def _limit_length(self, text: str) -> str:
        return text if self._length is None else self._length.feed(text)
