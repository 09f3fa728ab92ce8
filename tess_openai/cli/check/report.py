"""Says what was found: as text for a terminal, as JSON for programs, as SARIF for code scanning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from rich.text import Text

import tess_openai
from tess_openai.cli.check.findings import LEVELS, Effect, Level, Site
from tess_openai.cli.check.project import NOTEBOOKS, Unreadable
from tess_openai.core.jsons import JSONObject

COLOURS: Final = {"error": "bold red", "warning": "yellow", "note": "cyan", "none": "dim"}
LIMITS: Final = (
    "Read, not run. Not seen: values and messages that are made at run time, clients and arguments that come "
    "from code outside of these paths, calls by other libraries than the SDK, LangChain and LlamaIndex, and "
    "the options of your own agent. emulate= and unsupported= count where they are written out; elsewhere "
    "--policy says them. What is marked (?) depends on such a value."
)
RULES: Final = {
    "refused": "It is refused, or not there on Tess.",
    "stripped": "It is not sent to Tess.",
    "rewritten": "It is sent in another form.",
    "emulated": "The adapter does it itself.",
    "unread": "OpenAI's environment is not read.",
    "unseen": "It cannot be judged by reading.",
    "kept": "It stays as it is.",
}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that one run found; `notebooks` counts those in folders, which are not read."""

    files: int
    sites: Sequence[Site]
    unreadable: Sequence[Unreadable]
    notebooks: int = 0

    @property
    def counts(self) -> dict[Level, int]:
        """How many effects there are of each level."""
        counted = Counter(effect.level for site in self.sites for effect in site.effects)
        return {level: counted[level] for level in LEVELS}

    def reaches(self, level: Level) -> bool:
        """Whether there is anything of a level or a worse one; a file that cannot be read is an error."""
        worse = LEVELS[: LEVELS.index(level) + 1]
        return bool(self.unreadable) or any(self.counts[each] for each in worse)


def to_text(report: CheckReport, *, everything: bool) -> Text:
    """Return the report for a terminal; arguments that stay as they are only when asked for."""
    text = Text()
    for site in report.sites:
        effects = [effect for effect in site.effects if everything or effect.level != "none"]
        if not effects and not everything:
            continue
        text.append(f"{site.path}:{site.line}:{site.column}", "bold")
        text.append(f"  {site.name}{'' if site.certain else '  (client not seen)'}\n")
        text.append(f"    {site.source.strip()}\n", "dim")
        for effect in effects:
            _append_effect(text, effect)
    for unreadable in report.unreadable:
        text.append(f"{unreadable.path}", "bold")
        text.append(f"  cannot be read: {unreadable.why}\n", COLOURS["error"])
    counts = report.counts
    summary = ", ".join(
        f"{counts[level]} {level}{_s(counts[level])}" if level != "none" else f"{counts[level]} unchanged"
        for level in LEVELS
    )
    if report.notebooks:
        text.append(f"{report.notebooks} notebook{_s(report.notebooks)} not read: {NOTEBOOKS}\n", "yellow")
    files, places = report.files, len(report.sites)
    text.append(f"{files} file{_s(files)}, {places} place{_s(places)}: {summary}\n", "bold")
    text.append(f"{LIMITS}\n", "dim")
    return text


def _append_effect(text: Text, effect: Effect) -> None:
    moved = f" -> {effect.sent}" if effect.sent else ""
    doubt = "" if effect.certain else " (?)"
    text.append(f"  {effect.line:>4}  ", "dim")
    text.append(f"{effect.effect:<9} ", COLOURS[effect.level])
    text.append(f"{effect.subject}{moved}{doubt}")
    message = ". ".join(part for part in (effect.why, effect.remedy) if part)
    text.append(f": {message}\n" if message else "\n", "dim")


def to_json(report: CheckReport) -> JSONObject:
    """Return `{"version", "files", "counts", "sites": [...], "unreadable": [...], "limits"}`."""
    return {
        "version": 1,
        "files": report.files,
        "counts": report.counts,
        "sites": [site.to_json() for site in report.sites],
        "notebooks": report.notebooks,
        "unreadable": [asdict(each) for each in report.unreadable],
        "limits": LIMITS,
    }


def to_sarif(report: CheckReport) -> JSONObject:
    """Return the report as SARIF 2.1.0; what stays as it is is left out."""
    results = [
        {
            "ruleId": f"tess/{effect.effect}",
            "level": effect.level,
            "message": {"text": _message(effect)},
            "locations": [_location(site, effect)],
        }
        for site in report.sites
        for effect in site.effects
        if effect.level != "none"
    ]
    rules = [
        {"id": f"tess/{name}", "name": name, "shortDescription": {"text": text}}
        for name, text in RULES.items()
    ]
    notices = [
        {
            "level": "error",
            "message": {"text": f"cannot be read: {each.why}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(each.path)}}}],
        }
        for each in report.unreadable
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tess-openai check",
                        "version": tess_openai.__version__,
                        "rules": rules,
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
                "invocations": [{"executionSuccessful": not notices, "toolExecutionNotifications": notices}],
            }
        ],
    }


def _message(effect: Effect) -> str:
    moved = f" -> {effect.sent}" if effect.sent else ""
    doubt = "" if effect.certain else " (depends on a value that is not written out)"
    parts = (f"{effect.subject}{moved} {effect.effect}{doubt}", effect.why, effect.remedy)
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def _location(site: Site, effect: Effect) -> JSONObject:
    region = {"startLine": effect.line, "startColumn": effect.column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(site.path)}, "region": region}}


def _uri(path: str) -> str:
    """Return a path as a reference of RFC 3986: relative as it was given, else `file:///...`."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path, errors="surrogateescape")


def _s(number: int) -> str:
    return "" if number == 1 else "s"
