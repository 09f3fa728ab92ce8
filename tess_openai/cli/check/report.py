"""Says what was found: as text for a terminal, as JSON for programs; see `sarif` for code scanning."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from rich.text import Text

from tess_openai.cli.check.findings import VERDICTS, Effect, Level, Site, Verdict
from tess_openai.cli.check.summary import (
    CheckReport,
    by_file,
    plural,
    summarize,
    summarize_others,
    unknown_models,
    verdicts_of,
)
from tess_openai.core.jsons import JSONObject

JSON_VERSION: Final = 2
COLOURS: Final = {"error": "bold red", "warning": "yellow", "note": "cyan", "none": "dim"}
_VERDICT_COLOURS: Final[dict[Verdict, str]] = {
    "as it is": "green",
    "emulated": "green",
    "left out": "yellow",
    "needs emulation": "bold yellow",
    "cannot": "bold red",
}
LIMITS: Final = (
    "Read, not run: values and messages that are made at run time are not seen, nor are clients and "
    "arguments that come from outside of these paths. What is marked (?) depends on such a value. emulate= "
    "and unsupported= count where they are written out; elsewhere --policy says them."
)


def to_text(report: CheckReport, *, everything: bool) -> Text:
    """Return the report for a terminal; calls that stay as they are only when asked for."""
    text = Text()
    for site in report.sites:
        effects = [effect for effect in site.effects if everything or effect.level != "none"]
        if effects or everything:
            _append_site(text, site, effects)
    for each in report.unreadable:
        text.append(f"{each.path}", "bold")
        text.append(
            f"  {'not read to its end' if each.is_partial else 'cannot be read'}: {each.why}\n", "red"
        )
    _append_files(text, report)
    text.append(f"{report.files} file{plural(report.files)} read. ", "dim")
    text.append(f"{summarize(report.own)}.\n", "bold")
    if aside := report.aside:
        text.append(f"Tests and examples: {summarize(aside)}.\n")
    if others := summarize_others(report.sites):
        text.append(f"Also: {others}.\n")
    if models := unknown_models(report.sites):
        listed = ", ".join(f"{name} ({count})" for name, count in models.most_common(6))
        text.append(f"No agent is known to have these models: {listed}. --agent compares them with yours.\n")
    counts = report.counts
    levels: tuple[Level, ...] = ("error", "warning", "note")
    text.append(
        ", ".join(f"{counts[level]} {level}{plural(counts[level])}" for level in levels) + ".\n", "dim"
    )
    text.append(f"{LIMITS}\n", "dim")
    return text


def place_of(site: Site) -> str:
    """Return where a site is: `shop.py:5:10`, of a notebook `shop.ipynb:cell 3:5:10`."""
    cell = f"cell {site.cell}:" if site.cell else ""
    return f"{site.path}:{cell}{site.line}:{site.column}"


def _append_site(text: Text, site: Site, effects: list[Effect]) -> None:
    text.append(place_of(site), "bold")
    if site.verdict is not None:
        text.append(f"  {site.verdict}{'' if site.is_sure else ' (?)'}", _VERDICT_COLOURS[site.verdict])
    notes = [] if site.certain or site.kind != "call" else ["client not seen"]
    notes += [f"calls {site.provider} now"] if site.provider else []
    text.append(f"  {site.name}" + (f"  ({', '.join(notes)})" if notes else "") + "\n")
    text.append(f"    {site.source.strip()}\n", "dim")
    for effect in effects:
        _append_effect(text, effect)


def _append_effect(text: Text, effect: Effect) -> None:
    moved = f" -> {effect.sent}" if effect.sent else ""
    doubt = "" if effect.certain else " (?)"
    text.append(f"  {effect.line:>4}  ", "dim")
    text.append(f"{effect.effect:<9} ", COLOURS[effect.level])
    text.append(f"{effect.subject}{moved}{doubt}")
    message = ". ".join(part for part in (effect.why, effect.remedy) if part)
    text.append(f": {message}\n" if message else "\n", "dim")


def _append_files(text: Text, report: CheckReport) -> None:
    """Append a table of the calls of each file, when there are several."""
    files = by_file(report.sites)
    if len(files) < 2:
        return
    width = min(max(map(len, files)), 60)
    text.append(f"{'':<{width}}" + "".join(f"  {verdict:>15}" for verdict in VERDICTS) + "\n", "bold")
    for path in sorted(files, key=lambda path: (files[path][0].is_aside, path)):
        counts = verdicts_of(files[path])
        shown = path if len(path) <= width else f"...{path[3 - width :]}"
        text.append(f"{shown:<{width}}" + "".join(f"  {counts[each] or '':>15}" for each in VERDICTS) + "\n")


def to_json(report: CheckReport) -> JSONObject:
    """Return `{"version", "files", "summary", "sites": [...], "unreadable": [...], "limits"}`."""
    return {
        "version": JSON_VERSION,
        "files": report.files,
        "summary": report.to_json(),
        "sites": [site.to_json() for site in report.sites],
        "unreadable": [asdict(each) for each in report.unreadable],
        "limits": LIMITS,
    }
