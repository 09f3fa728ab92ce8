"""Write a file completely or not at all."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file under a temporary name in the same folder, then rename it.

    After an interruption, or when the disk is full, the previous file is unchanged.

    Raises:
        OSError: The file cannot be written.
    """
    temporary = temporary_path(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_path(path: Path) -> Path:
    """Return the name under which a file is written first."""
    return path.parent / f"{path.name}.new"
