"""Hooks of MkDocs: the version in the title, and tables that a narrow screen can show.

A row of a wide table becomes a block on a telephone. Each cell then needs the name of its column, which
`assets/site.css` takes from `data-label`. Names in code, such as those of classes, are marked so that no
line breaks within them; longer names, such as those of tests, may break between their words.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING, Final

import tess_openai

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

TABLE: Final = re.compile(r"<table>.*?</table>", re.DOTALL)
HEAD_CELL: Final = re.compile(r"<th\b[^>]*>(?P<text>.*?)</th>", re.DOTALL)
ROW: Final = re.compile(r"<tr>.*?</tr>", re.DOTALL)
CELL: Final = re.compile(r"<td\b")
EMPTY_HEAD: Final = re.compile(r"<thead>\s*<tr>(?:\s*<th[^>]*></th>)*\s*</tr>\s*</thead>\s*")
NAME: Final = re.compile(r'<code>(?P<name>[\w./*="-]{1,36})</code>')
CODE: Final = re.compile(r"(?<=<code>)[^<]*(?=</code>)")
LONG_NAME: Final = re.compile(r"\S{37,}")
BETWEEN_WORDS: Final = re.compile(r"[/_.=,]|\((?!\))|::")
TAG: Final = re.compile(r"<[^>]*>")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Show the version of the package; link to the source of a page only where the repository is known."""
    config.site_name = f"{config.site_name} {tess_openai.__version__}"
    if not config.repo_url:
        config.edit_uri = None
    return config


def on_page_content(html: str, **_: object) -> str:
    """Prepare the tables of a page, and mark the names in its text."""
    html = TABLE.sub(lambda table: prepared(table[0]), html)
    html = CODE.sub(lambda code: LONG_NAME.sub(_breaking, code[0]), html)
    return NAME.sub(r'<code class="name">\g<name></code>', html)


def prepared(table: str) -> str:
    """Label cells with their columns, omit a head without text, and keep a note's number with its word."""
    labels = [TAG.sub("", cell["text"]).strip() for cell in HEAD_CELL.finditer(table)]
    labelled = ROW.sub(lambda row: _labelled(row[0], labels), EMPTY_HEAD.sub("", table))
    return labelled.replace(" <sup>", "&nbsp;<sup>").replace("\\|", "|")  # GitHub requires the backslash


def _breaking(name: re.Match[str]) -> str:
    return BETWEEN_WORDS.sub(r"\g<0><wbr>", name[0])


def _labelled(row: str, labels: list[str]) -> str:
    columns = iter(labels)
    return CELL.sub(
        lambda cell: f'{cell[0]} data-label="{escape(unescape(next(columns, "")), quote=True)}"', row
    )
