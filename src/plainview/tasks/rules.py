"""Pure rules about tasks: what can be asked, of whom, and how it can be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.tasks.errors import UnknownAnswerError, UnknownKindError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plainview.accounts.rules import Viewer


@dataclass(frozen=True)
class Kind:
    """A kind of question.

    Attributes:
        question: in words, as its list shows it.
        role: whose holders are asked.
        answers: code -> words on the button.
    """

    question: str
    role: str
    answers: Mapping[str, str]


KINDS: Mapping[str, Kind] = {
    "quarantined_file": Kind(
        question="A file was kept but cannot be used as a recording. What should be done about it?",
        role="custodian",
        answers={"kept": "Keep it as it is", "asked_again": "The camera's owner was asked for another copy"},
    ),
    "parked_step": Kind(
        question="Processing a recording failed three times and was stopped. What should be done about it?",
        role="custodian",
        answers={"again": "Try again", "left": "Leave it as it is"},
    ),
    "camera_request": Kind(
        question="A camera asks to be admitted. Does its key fingerprint match the one it shows?",
        role="administrator",
        answers={"admitted": "It matches: admit it", "refused": "Refuse it"},
    ),
    "overdue_camera": Kind(
        question="A camera was not docked when it should have been. Where is it?",
        role="supervisor",
        answers={"found": "Found, and will be docked", "lost": "It is lost"},
    ),
    "missing_recording": Kind(
        question="A camera counted a recording that was never handed in. What became of it?",
        role="custodian",
        answers={"on_camera": "It is still on the camera", "lost": "It is lost"},
    ),
    "camera_clock": Kind(
        question="A camera's clock was far off when it was docked. What should be done about it?",
        role="custodian",
        answers={"noted": "Noted", "repair": "The camera goes to repair"},
    ),
    "footage_doubted": Kind(
        question="What a camera signed and what it handed in do not fit together. What should be done about it?",
        role="custodian",
        answers={"noted": "Noted", "examined": "The camera is being examined"},
    ),
    "import_unclear": Kind(
        question="An imported file could not be matched to its particulars. What should be done about it?",
        role="custodian",
        answers={"noted": "Keep it as it is", "asked_again": "The sender was asked"},
    ),
}


@dataclass(frozen=True)
class KnownTask:
    """A task as other packages see it.

    Attributes:
        key: of its row.
        kind: a key of KINDS.
        about: what it is about, as the custody log names it: an identifier, or kind:id.
        why: one sentence: what happened.
        role: whose holders are asked.
        opened_at: aware UTC.
        due_at: aware UTC; None is no date.
        moment_ms: the moment of the recording it is about; None is the whole.
        closed_at: None while it is open.
        answer: a key of the kind's answers, or "withdrawn"; empty while it is open.
        closed_by: pseudonym of who answered; empty while it is open.
    """

    key: int
    kind: str
    about: str
    why: str
    role: str
    opened_at: datetime
    due_at: datetime | None
    moment_ms: int | None
    closed_at: datetime | None
    answer: str
    closed_by: str


def kind_named(kind: str) -> Kind:
    """Return a kind of task.

    Raises:
        UnknownKindError: there is none of this name.
    """
    if kind not in KINDS:
        raise UnknownKindError(kind, tuple(KINDS))
    return KINDS[kind]


def check_answer(kind: str, answer: str) -> None:
    """Raise unless a question of this kind can be answered so.

    Raises:
        UnknownKindError: there is no such kind.
        UnknownAnswerError: there is no such answer.
    """
    answers = kind_named(kind).answers
    if answer not in answers:
        raise UnknownAnswerError(answer, tuple(answers))


def is_for(viewer: Viewer, role: str) -> bool:
    """Say whether a task asked of a role's holders is this viewer's to answer."""
    return viewer.is_operator or role in viewer.all_roles
