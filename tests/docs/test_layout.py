"""The built pages can be read on a laptop and on a telephone, and ask no other host for anything.

A real browser measures them; without one its tests are skipped. `tools/browser.py` says which are looked for.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import browser
import pytest
import site_hooks

WIDTHS = (1366, 390)
MOST_SECONDS = 300
MEASURE = Path(__file__).with_name("measure.html")
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?P<source>[^\"]*)\""
    r"|<link\b[^>]*\brel=\"(?:stylesheet|preload|icon|preconnect)\"[^>]*>"
)
ELSEWHERE = re.compile(r"^(https?:)?//|href=\"(https?:)?//")


class _Pages(SimpleHTTPRequestHandler):
    """Serves the pages, what is to be measured, and takes what was found."""

    def __init__(self, *arguments: Any, work: bytes, found: Queue[Any], **more: Any) -> None:
        self.work, self.found = work, found
        super().__init__(*arguments, **more)

    def do_GET(self) -> None:
        if self.path == "/work.json":
            self._send(self.work)
        elif self.path == "/measure":
            self._send(MEASURE.read_bytes(), "text/html")
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self.found.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self._send(b"{}")

    def _send(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output for its findings."""


@contextmanager
def _measuring(folder: Path, pages: Sequence[str]) -> Iterator[tuple[str, Queue[Any]]]:
    """Serve pages and their measuring; yield its address, and where the findings arrive."""
    found: Queue[Any] = Queue()
    work = json.dumps({"pages": pages, "widths": WIDTHS}).encode()
    handler = partial(_Pages, directory=str(folder), work=work, found=found)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/measure", found
        server.shutdown()


def measured(folder: Path, pages: Sequence[str], profile: Path) -> list[str]:
    """Let a browser open pages in each width; return what is wrong with them."""
    program = browser.find_browser()
    if program is None:
        pytest.skip(f"no headless browser is installed: {browser.HOW_TO_INSTALL}")
    with _measuring(folder, pages) as (address, found):
        how = (f"--user-data-dir={profile}", "--remote-debugging-port=0", address)
        with subprocess.Popen(
            browser.command(program, *how),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as running:
            try:
                result = found.get(timeout=MOST_SECONDS)
            except Empty:
                pytest.fail(f"the browser did not measure the pages within {MOST_SECONDS} seconds")
            finally:
                os.killpg(running.pid, signal.SIGKILL)  # the program may be a script that starts the browser
    assert result["measured"] == len(pages)
    return list(result["problems"])


@pytest.mark.timeout(MOST_SECONDS + 60)
def test_no_text_is_pushed_out_of_view(site: Path, tmp_path: Path) -> None:
    """In two widths, light and dark, names are not broken, and commands are copied without their prompt."""
    pages = sorted(page.relative_to(site).as_posix() for page in site.rglob("*.html"))
    assert len(pages) > 30
    assert 'class="language-console' in (site / "cli" / "doctor.html").read_text()  # where prompts are sought
    assert measured(site, pages, tmp_path) == []


def test_what_is_pushed_out_of_view_is_seen(tmp_path: Path) -> None:
    """Wide tables, broken names, copied prompts, long code, faint texts and foreign pictures are found."""
    (tmp_path / "good.html").write_text("<div class=md-content style='width: 300px'><p>Short.</p></div>")
    (tmp_path / "bad.html").write_text(
        "<div class=md-content style='width: 300px'><table><tr>"
        "<td><div style='width: 900px'>Wide</div></td><td>Unseen</td>"
        "</tr></table>"
        "<table style='width: 20px; table-layout: fixed'><tr><td style='padding: 0; overflow-wrap: anywhere'>"
        "<code class=name>TessAnswerWarning</code></td></tr></table>"
        "<pre style='overflow: auto'><code style='display: block; overflow: auto'>x</code></pre>"
        "<pre><code style='display: block; overflow: auto'>" + "long " * 90 + "</code></pre>"
        "<style>[data-md-color-scheme=slate] .note { background: #222; color: #444 }</style>"
        "<div class=note>Hardly seen</div>"
        "<div class=language-console><code>$ make</code></div><img src='http://example.invalid/a.png'></div>"
    )
    problems = measured(tmp_path, ["bad.html", "good.html"], tmp_path / "profile")
    assert not [problem for problem in problems if problem.startswith("good.html")]
    assert not [problem for problem in problems if problem.endswith(": x") or ", default" in problem]
    for expected in (
        "bad.html at 390 pixels: text is pushed out of view: Unseen",
        "bad.html at 1366 pixels: a name is broken: TessAnswerWarning",
        "bad.html at 1366 pixels: the copy of a command has its prompt: $ make",
        f"bad.html at 1366 pixels: code runs out of its box: {('long ' * 90).strip()}",
        "bad.html, slate: 1.6 is faint: div.note Hardly seen",
        "bad.html at 390 pixels: it asks another host: http://example.invalid/a.png",
    ):
        assert expected in problems


def test_the_pages_name_no_other_host_for_what_they_load(site: Path) -> None:
    """Fonts, scripts, styles and pictures come with the pages; links to read may lead elsewhere."""
    loaded = [
        f"{page.name}: {found[0]}"
        for page in site.rglob("*.html")
        for found in FETCHED.finditer(page.read_text())
        if ELSEWHERE.search(found["source"] or found[0])
    ]
    assert loaded == []
    styles = [style.read_text() for style in site.rglob("*.css")]
    assert styles
    assert not [style for style in styles if re.search(r"(url\([\"']?|@import [\"'])(https?:)?//", style)]


def test_a_link_to_the_repository_is_not_invented(site: Path) -> None:
    """As long as the repository has no address, no page links to it or to its source."""
    page = (site / "index.html").read_text()
    assert "md-source" not in page
    assert "Edit this page" not in page


def test_a_cell_knows_its_column() -> None:
    """Markup in a heading does not matter, and a name in code is marked."""
    table = (
        "<table>\n<thead>\n<tr>\n<th>you get, its <code>code</code></th>\n"
        '<th style="text-align: left">A &amp; B</th>\n'
        "</tr>\n</thead>\n<tbody>\n<tr>\n<td><code>NotFoundError</code></td>\n<td><code>a \\| b</code></td>\n"
        "</tr>\n</tbody>\n</table>"
    )
    prepared = site_hooks.on_page_content(f"<p>Text</p>{table}")
    assert '<td data-label="you get, its code"><code class="name">NotFoundError</code></td>' in prepared
    assert '<td data-label="A &amp; B"><code>a | b</code></td>' in prepared


def test_a_table_whose_columns_have_no_names_has_no_empty_row() -> None:
    """Markdown cannot write a table without a head, so an empty one is removed; one with a name stays."""
    body = '<tbody>\n<tr>\n<td>a</td>\n<td><code>tools="internet"</code></td>\n</tr>\n</tbody>\n</table>'
    empty = f"<table>\n<thead>\n<tr>\n<th></th>\n<th></th>\n</tr>\n</thead>\n{body}"
    prepared = site_hooks.on_page_content(empty)
    assert "<th" not in prepared
    assert '<td data-label=""><code class="name">tools="internet"</code></td>' in prepared
    assert "<thead>" in site_hooks.on_page_content(empty.replace("<th></th>", "<th>Why</th>", 1))


def test_a_long_name_breaks_between_its_words() -> None:
    """A call in the text, which a telephone cannot show in one line, is not broken within a word."""
    call = "<code>set_default_openai_client(create_async_client())</code>"
    assert "<wbr>client(<wbr>create_<wbr>async_<wbr>client())" in site_hooks.on_page_content(f"<p>{call}</p>")
    route = "<code>POST https://api.example/agents/{id}/openai/chat</code>"
    assert "POST https:/<wbr>/<wbr>api.<wbr>example" in site_hooks.on_page_content(f"<p>{route}</p>")
