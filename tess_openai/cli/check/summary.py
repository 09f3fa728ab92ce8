"""Counts what was found: calls by verdict, by file, and what else there is to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tess_openai.cli.check.findings import LEVELS, VERDICTS, Level, Site, SiteKind, Verdict
from tess_openai.cli.check.project import Unreadable
from tess_openai.core.jsons import JSONObject

_OTHERS: Final[Mapping[SiteKind, tuple[str, str]]] = {
    "client": ("constructor to change", "constructors to change"),
    "environment": ("variable of OpenAI's", "variables of OpenAI's"),
    "base-url": ("address", "addresses"),
    "legacy": ("call of openai 0.x", "calls of openai 0.x"),
    "library": ("place where another library makes the calls", "places where other libraries make the calls"),
}
_WORDS: Final[Mapping[Verdict, str]] = {
    "as it is": "as {they are}",
    "emulated": "emulated",
    "left out": "with something left out",
    "needs emulation": "with `emulate=True`",
    "cannot": "cannot",
}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that one run found.

    Attributes:
        files: How many were looked at.
        sites: In the order of the files.
        unreadable: What was not read, or not to its end.
    """

    files: int
    sites: Sequence[Site]
    unreadable: Sequence[Unreadable]

    @property
    def own(self) -> list[Site]:
        """What is in the program itself."""
        return [site for site in self.sites if not site.is_aside]

    @property
    def aside(self) -> list[Site]:
        """What is in its tests and examples."""
        return [site for site in self.sites if site.is_aside]

    @property
    def counts(self) -> dict[Level, int]:
        """How many effects there are of each level."""
        counted = Counter(effect.level for site in self.sites for effect in site.effects)
        return {level: counted[level] for level in LEVELS}

    def reaches(self, level: Level) -> bool:
        """Whether there is anything of a level or a worse one; a file that cannot be read is an error."""
        worse = LEVELS[: LEVELS.index(level) + 1]
        is_missing = any(not each.is_partial for each in self.unreadable)
        return is_missing or any(self.counts[each] for each in worse)

    def to_json(self) -> JSONObject:
        """Return the counts as an object."""
        return {
            "levels": self.counts,
            "program": _to_json(self.own),
            "tests_and_examples": _to_json(self.aside),
            "by_file": {path: verdicts_of(sites) for path, sites in by_file(self.sites).items()},
            "unknown_models": dict(unknown_models(self.sites)),
        }


def verdicts_of(sites: Iterable[Site]) -> dict[Verdict, int]:
    """Count the calls of each verdict."""
    counted = Counter(site.verdict for site in sites)
    return {verdict: counted[verdict] for verdict in VERDICTS}


def by_file(sites: Iterable[Site]) -> dict[str, list[Site]]:
    """Return the calls of each file that has any."""
    found: dict[str, list[Site]] = {}
    for site in sites:
        if site.kind == "call":
            found.setdefault(site.path, []).append(site)
    return found


def unknown_models(sites: Iterable[Site]) -> Counter[str]:
    """Count the sites of each model that no agent is known to have."""
    return Counter(
        effect.why.rpartition("model ")[2]
        for site in sites
        for effect in site.effects
        if effect.subject == "model" and effect.effect == "unseen"
    )


def summarize(sites: Sequence[Site]) -> str:
    """Say in one line what becomes of calls: `3 calls in 2 files: 1 as it is, 2 cannot (embeddings 2)`."""
    calls = [site for site in sites if site.kind == "call"]
    if not calls:
        is_held = any(site.kind == "client" for site in sites)
        return (
            "no calls written out here: libraries make them with the clients above" if is_held else "no calls"
        )
    files = len(by_file(calls))
    parts = [_count_words(verdict, count) for verdict, count in verdicts_of(calls).items() if count]
    missing = Counter(site.endpoint for site in calls if site.verdict == "cannot")
    if missing:
        parts[-1] += f" ({', '.join(f'{name} {count}' for name, count in missing.most_common())})"
    head = f"{len(calls)} call{plural(len(calls))} in {files} file{plural(files)}"
    unsure = sum(not site.is_sure for site in calls)
    tail = f"; {unsure} of them as far as can be seen" if unsure else ""
    return f"{head}: {', '.join(parts)}{tail}"


def summarize_others(sites: Sequence[Site]) -> str:
    """Say in one line what else was found; `""` for nothing."""
    counted = Counter(site.kind for site in sites if site.level != "none")
    embeddings = sum(site.kind == "client" and site.endpoint == "embeddings" for site in sites)
    counted["client"] -= embeddings
    parts = [
        f"{counted[kind]} {words[counted[kind] > 1]}" for kind, words in _OTHERS.items() if counted[kind]
    ]
    needing = sum(
        site.kind == "client" and any(effect.needs_emulation for effect in site.effects) for site in sites
    )
    if needing:
        parts[0] += f" ({needing} with `emulate=True`)"
    parts += [f"{embeddings} of embeddings to keep as they are"] if embeddings else []
    providers = Counter(site.provider for site in sites if site.kind == "call" and site.provider)
    parts += [f"{count} of the calls go to {name} now" for name, count in providers.most_common()]
    return ", ".join(parts)


def plural(number: int) -> str:
    """Return the `s` of a noun."""
    return "" if number == 1 else "s"


def _count_words(verdict: Verdict, count: int) -> str:
    words = _WORDS[verdict].replace("{they are}", "it is" if count == 1 else "they are")
    return f"{count} {words}"


def _to_json(sites: Sequence[Site]) -> JSONObject:
    calls = [site for site in sites if site.kind == "call"]
    kinds = Counter(site.kind for site in sites if site.level != "none")
    return {
        "calls": len(calls),
        "files": len(by_file(calls)),
        "verdicts": verdicts_of(calls),
        "cannot": dict(Counter(site.endpoint for site in calls if site.verdict == "cannot")),
        "others": {kind: kinds[kind] for kind in _OTHERS},
    }
