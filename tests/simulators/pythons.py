"""Other Python interpreters on this machine, to try on them what must run there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def find_python(version: str) -> str | None:
    """Return an interpreter of this version, such as 3.8, or None.

    It is looked for on PATH, in PLAINVIEW_PYTHONS (interpreters, or folders that hold one or its bin folder, separated
    by colons), and where pyenv keeps them.
    """
    name = f"python{version}"
    candidates = [found] if (found := shutil.which(name)) else []
    for place in filter(None, os.environ.get("PLAINVIEW_PYTHONS", "").split(":")):
        candidates += [place, f"{place}/{name}", f"{place}/bin/{name}"]
    candidates += [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))]
    return next((path for path in candidates if Path(path).is_file() and _is_version(path, version)), None)


def _is_version(path: str, version: str) -> bool:
    # A version manager's stand-in may be on PATH for an interpreter that is not there.
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == version
