"""Renew `requirements/*.txt` and the pins of the lanes: exact versions for every Python we support."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from clients import AIDER_PINS, GATEWAY
from environment import PINS, ROOT, CommandError, uv
from frameworks import FRAMEWORKS
from lanes import LANES, LANES_DIR
from peers import PEERS

REQUIREMENTS: Final = ROOT / "requirements"
EXTRAS: Final = ("--extra", "emulate", "--extra", "redis", "--extra", "cli")
ALL_EXTRAS: Final = (*EXTRAS, "--extra", "gateway")


def main() -> None:
    """Resolve the workshop's requirements and each lane's to the newest compatible versions."""
    LANES_DIR.mkdir(exist_ok=True)
    try:
        pin(PINS, *ALL_EXTRAS, str(REQUIREMENTS / "dev.in"))
        for lane in (*LANES, *FRAMEWORKS, PEERS, GATEWAY):
            if lane.needs:
                wanted = LANES_DIR / f"{lane.name}.in"
                wanted.write_text("\n".join(lane.needs))
                suite = () if lane.bare else (*EXTRAS, str(REQUIREMENTS / "test.in"))
                pin(lane.pins_file, *suite, str(wanted), python="{}.{}".format(*lane.since))
        wanted = LANES_DIR / "aider.in"
        wanted.write_text("aider-chat")
        pin(AIDER_PINS, str(wanted), package="", python="3.11")
    except CommandError as error:
        sys.exit(str(error))


def pin(pins: Path, *sources: str, package: str = "pyproject.toml", python: str = "3.10") -> None:
    """Write to `pins` the versions that satisfy the package and `sources` on this Python and later ones."""
    pins.parent.mkdir(exist_ok=True)
    how = ("--universal", "--python-version", python, "--upgrade", "--no-header", "--no-annotate")
    uv("pip", "compile", *how, "--output-file", str(pins), *filter(None, (package, *sources)))
    print(f"{pins.relative_to(ROOT)}: {len(pins.read_text().splitlines())} pins")


if __name__ == "__main__":
    main()
