"""How far a demonstration's footage is: written by whoever renders it, shown by the pages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-footage.json"


@dataclass(frozen=True)
class Making:
    """What is being rendered.

    Attributes:
        what: in words.
        share: how much of it is done, 0 to 1.
        taken_in: how many films are ready and taken in.
    """

    what: str
    share: float
    taken_in: int


def note_making(data: Path, making: Making | None) -> None:
    """Say how far the footage is; None is "all of it is made"."""
    path = data / NAME
    if making is None:
        path.unlink(missing_ok=True)
        return
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(making)), encoding="utf-8")
    draft.replace(path)


def read_making(data: Path) -> Making | None:
    """Return how far the footage is, or None where nothing is being made."""
    try:
        return Making(**json.loads((data / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
