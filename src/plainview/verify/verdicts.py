"""The words a check ends in. docs/formats/verdicts.md says the same, and a test compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable


@dataclass(frozen=True)
class Verdict:
    """One word of the checker, the same everywhere.

    Attributes:
        word: as it is shown.
        condition: when a file gets it.
        sentence: what it means to a person who reads it for the first time.
        exit_code: of a check in which this is the gravest.
    """

    word: str
    condition: str
    sentence: str
    exit_code: int


OK = "OK"
ALTERED = "ALTERED"
MISSING = "MISSING"
UNLISTED = "UNLISTED"
UNPROVEN = "UNPROVEN"
NOT_CLOSED = "NOT CLOSED"
SIGNER_UNKNOWN = "SIGNER UNKNOWN"

# Gravest first: the first of these that any file has is the verdict on the whole.
VERDICTS = (
    Verdict(
        ALTERED,
        "The file's bytes differ from what the log, or the manifest that lists it, says.",
        "This file is not what it was when it was received or when the package was made.",
        1,
    ),
    Verdict(
        MISSING,
        "The package names the file, and there is none.",
        "This file belongs to the package and is not here.",
        1,
    ),
    Verdict(
        UNLISTED,
        "The file is in the folder, and no list of the package names it; links, devices and pipes too.",
        "Nobody vouches for this file; it was put here after the package was made.",
        1,
    ),
    Verdict(
        UNPROVEN,
        "The bytes may be right, but what should prove it is absent, malformed, does not fit, or is itself ALTERED.",
        "Nothing shows that this file is what it claims to be, and nothing shows that it is not.",
        1,
    ),
    Verdict(
        NOT_CLOSED,
        "A camera's journal checks up to its end, and has no closing entry.",
        "What is here is as the camera recorded it; whether more was recorded cannot be told.",
        1,
    ),
    Verdict(
        SIGNER_UNKNOWN,
        "Everything fits together; the key that signed was neither given nor pinned.",
        "This file fits its proof, but whose key signed the proof has to be checked by you.",
        3,
    ),
    Verdict(
        OK,
        "The bytes are those the log or the manifest names, and a given or pinned key signed that.",
        "This file is, byte for byte, what the log says it is.",
        0,
    ),
)
# There was nothing to check, or the question was not understood.
CANNOT_CHECK_EXIT_CODE = 2


def gravest(words: Iterable[str]) -> Verdict:
    """Return the gravest of these verdicts.

    Args:
        words: at least one.
    """
    present = set(words)
    return next(verdict for verdict in VERDICTS if verdict.word in present)
