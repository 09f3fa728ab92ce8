"""Find the headless browser in which the tests open the pages; install one on a CI machine.

Usage: python tools/browser.py

A browser is not a Python package, so `make` does not require one: the tests of the layout are skipped without
it. Debian's headless Chromium is installed when CI is set, the user is root and there is an `apt-get`.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

from environment import CommandError, run

NAMES: Final = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
HOW_TO_INSTALL: Final = "apt-get install chromium-headless-shell fonts-dejavu-core"


def find_browser() -> str | None:
    """Return the path of a browser of Chromium's family; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


def command(browser: str, *arguments: str) -> list[str]:
    """Return a command that opens a page of this machine without a window, and asks no other host."""
    return [
        browser,
        "--headless",
        "--no-sandbox",  # it opens only our own pages, and Chromium does not start as root otherwise
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        *arguments,
    ]


def main() -> None:
    """Install a browser on a CI machine where that is possible, and print which one the tests will use."""
    if find_browser() is None and _may_install():
        try:
            run(["apt-get", "update", "--quiet"])
            run(["apt-get", "install", "--yes", "--no-install-recommends", *HOW_TO_INSTALL.split()[2:]])
        except CommandError as error:
            print(f"the browser could not be installed:\n{error}")
    print(f"browser: {find_browser() or f'none; the layout of the pages is not tested ({HOW_TO_INSTALL})'}")


def _may_install() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return bool(os.environ.get("CI")) and is_root and shutil.which("apt-get") is not None


if __name__ == "__main__":
    main()
