"""plainview verify: the same checker as every package's verify.py, with the keys this machine has pinned."""

from __future__ import annotations

import os
from pathlib import Path

from plainview.formats.note import VerifierKey, parse_vkey
from plainview.verify.command import main

TRUST = "trust"


def run(arguments: list[str]) -> int:
    """Check a package or a receipt; `--data DIR` says whose pinned keys count.

    Returns:
        The checker's exit code.
    """
    data, rest = take_data(arguments)
    return main(rest, pinned_keys=pinned(data), program="plainview verify")


def take_data(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """Take --data DIR out of the arguments; without it PLAINVIEW_DATA or the default counts."""
    rest, data = list(arguments), None
    if "--data" in rest[:-1]:
        at = rest.index("--data")
        data = Path(rest[at + 1])
        del rest[at : at + 2]
    return data or _default_data(), rest


def pinned(data: Path | None) -> list[VerifierKey]:
    """Return the keys pinned in a data directory; none where there is none."""
    if data is None:
        return []
    return [parse_vkey(path.read_text("ascii").strip()) for path in sorted((data / TRUST).glob("*.vkey"))]


def _default_data() -> Path | None:
    # Where only [verify] is installed there is no platformdirs, and no data directory either.
    if given := os.environ.get("PLAINVIEW_DATA"):
        return Path(given)
    try:
        from platformdirs import user_data_dir
    except ImportError:
        return None
    return Path(user_data_dir("plainview", appauthor=False))
