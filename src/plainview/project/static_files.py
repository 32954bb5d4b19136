"""One address for all static files, which changes whenever one of them does."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Whose static files are served beside ours.
SOURCES = ("Django", "django-htmx", "django-allauth", "font-source-sans-pro")


def immutable_prefix(folder: Path) -> str:
    """Return the path that all static files are served below: "/static/3f9a0c61b2d4/".

    Modules and style sheets name each other by relative paths, so one prefix for all keeps them as they were written;
    a hash in each name would mean to rewrite and store them.

    Args:
        folder: our own static files; those of other packages count by their versions.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(f"{name} {version(name)}\n".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)} ".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"/static/{digest.hexdigest()[:12]}/"
