"""What a check of an installation finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or is worth knowing.

    Attributes:
        where: a file below the data directory, or a table and a row.
        problem: what is wrong, in words.
        recording: whose footage it touches, or None.
        is_notice: whether nothing is wrong: left by an interruption, mended by the next command, or lawful.
    """

    where: str
    problem: str
    recording: str | None = None
    is_notice: bool = False


@dataclass
class Tally:
    """How much was checked, and how long it took.

    Attributes:
        leaves: read from the logs in leaves_s seconds.
        acts: compared with them in acts_s seconds.
        objects: read in objects_s seconds, object_bytes of them.
    """

    leaves: int = 0
    leaves_s: float = 0.0
    acts: int = 0
    acts_s: float = 0.0
    objects: int = 0
    object_bytes: int = 0
    objects_s: float = 0.0
