"""Reads one answer of the model, piece by piece: returns text for the caller, and an outcome at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from tess_openai.core.changes import Change, counted
from tess_openai.core.emulate.answer_parser import AnswerParser, HeldText
from tess_openai.core.emulate.call_shapes import CallShapes
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.functions import ParsedCalls, contain_known_call, parse_calls
from tess_openai.core.emulate.length import LengthCutter
from tess_openai.core.emulate.marks import ALL_MARKS
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
    when JSON or a call is required, and when the answer is a repair.
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
        self._holds_prose = is_repair or emulation.json_format is not None or self._offer.demand == "required"
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
        shown = self._cut_to_length(self._stop.feed(prose))
        self._has_shown |= bool(shown)
        return shown

    def finish(self, *, is_cut: bool = False) -> Outcome:
        """End the answer, and return its outcome.

        Args:
            is_cut: Whether the answer is known to be incomplete: its finish reason is one of `CUT_REASONS`.
        """
        if self.finish_reason is not None:
            return TextOutcome(finish_reason=self.finish_reason)
        rest = HeldText("") if self._parser is None else self._parser.finish()
        if rest.blocks:
            return self._finish_with_calls(rest, is_cut=is_cut)
        text = "".join((*self._prose, rest.verbatim))
        if rest.has_nonce or rest.may_be_call:
            if (found := self._json_instead(text)) is not None:
                return found
            fallback = self._without_call(self._without_marks(text))
            return self._ask_for(self._emulation.prompts.repair_marks, "a call without its marks", fallback)
        if self._offer.demand == "required":
            prompt = self._emulation.prompts.repair_missing
            return self._ask_for(prompt, "no call where one is demanded", self._without_call(text))
        if self._emulation.json_format is not None:
            return self._finish_with_json(text, self._emulation.json_format, is_cut=is_cut)
        return self._text_outcome(text)

    def unchecked_changes(self) -> list[Change]:
        """Return a change if the budget ended before the whole answer was checked against its schema."""
        if not self._checker.is_incomplete:
            return []
        json_format = self._emulation.json_format
        param = "response_format" if json_format is not None and json_format.has_schema else self._offer.param
        why = "checking the answer against the schema takes too long, so a part of it was not checked"
        return [Change("noticed", param, "a part of the answer", "", why, "Use a smaller schema.")]

    def _finish_with_calls(self, rest: HeldText, *, is_cut: bool) -> Outcome:
        shown = "" if self._holds_prose else self._cut(rest.prose)
        self._has_shown |= bool(shown)
        if self.finish_reason is not None:  # calls after a stop sequence are ignored
            return TextOutcome(text=shown, finish_reason=self.finish_reason)
        prose = "".join((*self._prose, rest.prose)) if self._holds_prose else ""
        emulation, offer = self._emulation, self._offer
        parsed = parse_calls(rest.blocks, offer, self._checker, emulation.new_id, is_cut=is_cut)
        if rest.is_followed and offer.demand == "auto" and not parsed.problems:
            around = rest.around if self._holds_prose else rest.around.removeprefix(rest.prose)
            plain_text = "".join(self._prose) + around if self._holds_prose else self._plain_text("", around)
            prompt = emulation.prompts.repair_followed
            return self._ask_for(prompt, "a call followed by text", self._text_instead(plain_text), shown)
        if parsed.valid and not parsed.problems:
            return self._call_outcome(shown, prose, parsed, rest.after)
        all_text = self._plain_text(prose, *(block.body for block in rest.blocks))
        json_outcome = None if parsed.valid else self._json_instead(all_text)
        if json_outcome is not None and not contain_known_call(rest.blocks, offer.functions):
            return json_outcome
        if offer.demand == "none":
            fallback: FinalOutcome = self._text_instead(all_text)
            prompt = emulation.prompts.repair_forbidden
            return self._ask_for(prompt, "a call where none may be made", fallback, shown)
        if json_outcome is not None:
            fallback = json_outcome
        elif parsed.usable:
            fallback = self._call_outcome("", prose, parsed, rest.after)
        elif any(self._means_call(block.body) for block in rest.blocks):
            fallback = self._invalid_call_outcome()
        else:
            fallback = self._without_call(all_text)
        prompts, problems = emulation.prompts, parsed.problems
        only_unknown = parsed.unknown == len(problems) and offer.demand == "auto"
        prompt = prompts.repair_unknown if only_unknown else prompts.repair_call
        return self._ask_for(prompt, counted(len(problems), "problem"), fallback, shown, problems)

    def _means_call(self, body: str) -> bool:
        """Whether a text between marks, which makes no call, is JSON or names a function that is offered."""
        if (
            _JSON_BODY.match(body) is not None
            or body.lstrip().partition("\n")[0].strip() in self._offer.functions
        ):
            return True
        return "{" in body and CallShapes(self._offer.functions).is_named_in(body)

    def _call_outcome(self, shown: str, prose: str, parsed: ParsedCalls, after: int) -> ToolCallOutcome:
        text = (
            shown if self._is_repair or self._emulation.json_format is not None else shown + self._cut(prose)
        )
        changes: list[Change] = []
        unchecked_changes = len(parsed.usable) - len(parsed.valid)
        if unchecked_changes:
            why = "the arguments do not follow the schema; a function without strict gets them nevertheless"
            remedy = (
                'Allow more repairs: create_client(max_repairs=2), or offer the function with "strict": true.'
            )
            given = counted(unchecked_changes, "call")
            changes.append(Change("noticed", "tool_calls", given, "", why, remedy, warn="answer"))
        elif parsed.problems:
            why = "some calls of this answer could not be read; only the others are returned"
            given = counted(len(parsed.problems), "problem")
            remedy = "Allow more repairs: create_client(max_repairs=2)."
            changes.append(Change("stripped", "tool_calls", given, "", why, remedy, warn="answer"))
        if parsed.surplus:
            why = "only one call may be made at a time"
            changes.append(Change("stripped", "tool_calls", counted(parsed.surplus, "call"), "", why))
        if after:
            why = "the model wrote it after a call, before it could know the result"
            changes.append(Change("stripped", "content", counted(after, "character"), "", why))
        return ToolCallOutcome(text=text, calls=tuple(parsed.usable), changes=tuple(changes))

    def _invalid_call_outcome(self) -> FailedOutcome:
        """Return the error for a call of an offered function whose arguments cannot be used."""
        if self._offer.demand == "required":
            return self._missing_call_outcome()
        message = "The model wrote a function call that cannot be made."
        param = self._offer.param
        return FailedOutcome(refused=Refused(message, param=param, code="function_call_invalid", status=422))

    def _plain_text(self, prose: str, *bodies: str) -> str:
        """Return prose and the texts between marks as plain text, since their calls cannot be made."""
        marks = self._emulation.marks
        texts = [_FENCE_LINE.sub("", marks.without(body, ALL_MARKS)).strip() for body in bodies]
        plain_text = "\n".join(text for text in (prose, *texts) if text)
        return f"\n{plain_text}" if plain_text and self._has_shown else plain_text

    def _without_marks(self, text: str) -> str:
        """Return the text of a call without valid marks as plain text, without marks and code fence."""
        plain_text = self._emulation.marks.without(text, ALL_MARKS).strip()
        if plain_text.startswith("```") and "\n" in plain_text:
            plain_text = _FENCE_LINE.sub("", plain_text, count=2).strip()
        return f"\n{plain_text}" if plain_text and self._has_shown else plain_text

    def _without_call(self, text: str) -> FinalOutcome:
        """Return the outcome of an answer without a usable call: an error if one is required, else text."""
        return self._missing_call_outcome() if self._offer.demand == "required" else self._text_instead(text)

    def _missing_call_outcome(self) -> FailedOutcome:
        offer = self._offer
        what = f"the function {next(iter(offer.functions))!r}" if offer.is_named else "a function"
        param = "function_call" if offer.is_legacy else "tool_choice"
        message = (
            f"The model did not call {what} in a form that can be used, although {param} demands a call."
        )
        return FailedOutcome(refused=Refused(message, param=param, code="function_call_missing", status=422))

    def _text_instead(self, text: str) -> TextOutcome:
        """Return the text of an answer that is not repaired; JSON where the request asks for it."""
        json_format = self._emulation.json_format
        if json_format is None:
            return self._text_outcome(text)
        return self._json_outcome(text, json_format, extract(text, json_format, self._checker))

    def _json_instead(self, text: str) -> TextOutcome | None:
        """Return the JSON that follows the caller's schema, if the answer is that instead of a call."""
        json_format = self._emulation.json_format
        if json_format is None or not json_format.has_schema or self._offer.demand == "required":
            return None
        found = extract(text, json_format, self._checker)
        return None if found.problems else self._json_outcome(text, json_format, found)

    def _ask_for(
        self, template: str, given: str, fallback: FinalOutcome, shown: str = "", problems: Sequence[str] = ()
    ) -> AskAgain:
        marks = self._emulation.marks
        prompt = fill(template, open=marks.open, close=marks.close, problems="\n".join(problems))
        why = "the answer contained no call that can be made unchanged"
        change = Change("asked again", self._offer.param, given, "a further paid call", why)
        return self._ask_again(prompt, change, fallback, shown)

    def _finish_with_json(self, text: str, json_format: JSONFormat, *, is_cut: bool) -> Outcome:
        found = extract(text, json_format, self._checker)
        if is_cut and found.problems:  # a repair would be cut too; the finish reason tells the caller
            return self._text_outcome(text[found.start or 0 :])
        outcome = self._json_outcome(text, json_format, found)
        if not found.problems:
            return outcome
        prompt = fill(self._emulation.prompts.repair_json, problems="\n".join(found.problems))
        why = "the answer was not the JSON that was asked for"
        given = counted(len(found.problems), "problem")
        change = Change("asked again", "response_format", given, "a further paid call", why)
        return self._ask_again(prompt, change, outcome)

    def _json_outcome(self, text: str, json_format: JSONFormat, found: ExtractedJSON) -> TextOutcome:
        """Return the JSON; else the text of the model, as a refusal when it contains no JSON at all."""
        begins_value = found.start is not None or _JSON_BODY.match(text) is not None
        if found.text is None and not begins_value and json_format.has_schema and text.strip():
            refusal = self._cut(text.strip())
            return TextOutcome(refusal=refusal, finish_reason=self.finish_reason)
        return self._text_outcome(text if found.text is None else found.text)

    def _ask_again(self, note: str, change: Change, fallback: FinalOutcome, shown: str = "") -> AskAgain:
        return AskAgain(text=shown, answer="".join(self._raw), note=note, change=change, fallback=fallback)

    def _text_outcome(self, text: str) -> TextOutcome:
        return TextOutcome(text=self._cut(text), finish_reason=self.finish_reason)

    def _cut(self, text: str) -> str:
        """Return the last text, up to a stop sequence or the limit."""
        return self._cut_to_length(self._stop.feed(text) + self._stop.finish())

    def _cut_to_length(self, text: str) -> str:
        return text if self._length is None else self._length.feed(text)
