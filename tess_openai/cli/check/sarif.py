"""Says what was found as SARIF 2.1.0, for code scanning.

Source: the standard, SARIF 2.1.0 (documented); which of it code scanning shows is the scanner's own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import quote

import tess_openai
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.project import Unreadable
from tess_openai.cli.check.report import LIMITS
from tess_openai.cli.check.summary import CheckReport
from tess_openai.core.jsons import JSONObject

_RULES: Final = {
    "refused": ("It is refused, or not there on Tess.", "errors"),
    "needs-emulation": ("The program breaks unless the adapter emulates it.", "emulation"),
    "stripped": ("It is not sent to Tess.", "parameters"),
    "rewritten": ("It is sent in another form.", "parameters"),
    "emulated": ("The adapter does it itself.", "emulation"),
    "unread": ("OpenAI's environment is not read.", "options"),
    "unseen": ("It cannot be judged by reading.", "cli/check"),
    "kept": ("It stays as it is.", "parameters"),
}
"""Rule -> what it says, and the page of the documentation that says more."""


def to_sarif(report: CheckReport, *, documentation: str = "") -> JSONObject:
    """Return the report as SARIF 2.1.0; what stays as it is is left out.

    Args:
        report: What was found.
        documentation: Where the pages are; `""` names them without a link.
    """
    seen: Counter[str] = Counter()
    results = [
        _result(site, effect, seen)
        for site in report.sites
        for effect in site.effects
        if effect.level != "none"
    ]
    failed = [each for each in report.unreadable if not each.is_partial]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tess-openai check",
                        "version": tess_openai.__version__,
                        "rules": [_rule(name, documentation) for name in _RULES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
                "invocations": [
                    {
                        "executionSuccessful": not failed,
                        "toolExecutionNotifications": [
                            *map(_notice, report.unreadable),
                            {"level": "note", "message": {"text": LIMITS}},
                        ],
                    }
                ],
                "properties": {"summary": report.to_json()},
            }
        ],
    }


def _rule(name: str, documentation: str) -> JSONObject:
    text, page = _RULES[name]
    rule: dict[str, object] = {
        "id": f"tess/{name}",
        "name": name,
        "shortDescription": {"text": text},
        "help": {"text": f"See docs/{page}.md.", "markdown": f"See `docs/{page}.md`."},
    }
    if documentation:
        address = f"{documentation.rstrip('/')}/{page}/"
        rule["helpUri"] = address
        rule["help"] = {"text": f"See {address}", "markdown": f"See [{page}]({address})."}
    return rule


def _result(site: Site, effect: Effect, seen: Counter[str]) -> JSONObject:
    rule = "needs-emulation" if effect.needs_emulation else effect.effect
    same = "\n".join((site.path, site.name, rule, effect.subject, " ".join(site.source.split())))
    seen[same] += 1
    fingerprint = hashlib.sha256(f"{same}\n{seen[same]}".encode(errors="replace")).hexdigest()
    return {
        "ruleId": f"tess/{rule}",
        "level": effect.level,
        "message": {"text": _message(site, effect)},
        "locations": [_location(site, effect)],
        "partialFingerprints": {"tessOpenaiCheck/v1": fingerprint},
        "properties": {"verdict": site.verdict, "page": f"docs/{site.page}.md" if site.page else ""},
    }


def _message(site: Site, effect: Effect) -> str:
    moved = f" -> {effect.sent}" if effect.sent else ""
    doubt = "" if effect.certain else " (depends on a value that is not written out)"
    verdict = "" if site.verdict is None else f"{site.name}: {site.verdict}"
    parts = (f"{effect.subject}{moved} {effect.effect}{doubt}", effect.why, effect.remedy, verdict)
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def _location(site: Site, effect: Effect) -> JSONObject:
    """Return the place of an effect; of a notebook, whose lines are none of the file's, the cell."""
    place: dict[str, object] = {"artifactLocation": {"uri": _uri(site.path)}}
    if site.cell:
        name = f"cell {site.cell}, line {effect.line}"
        return {"physicalLocation": place, "logicalLocations": [{"name": name, "kind": "member"}]}
    place["region"] = {
        "startLine": effect.line,
        "startColumn": effect.column,
        "endLine": effect.end_line,
        "endColumn": effect.end_column,
    }
    return {"physicalLocation": place}


def _notice(unreadable: Unreadable) -> JSONObject:
    text = f"{'not read to its end' if unreadable.is_partial else 'cannot be read'}: {unreadable.why}"
    place = {"physicalLocation": {"artifactLocation": {"uri": _uri(unreadable.path)}}}
    level = "warning" if unreadable.is_partial else "error"
    return {"level": level, "message": {"text": text}, "locations": [place]}


def _uri(path: str) -> str:
    """Return a path as a reference of RFC 3986: relative as it was given, else `file:///...`."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path, errors="surrogateescape")
