"""What a worker has at hand while it works on a step, and what it can say about how that goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.evidence.camera_rules import OVERDUE_AFTER
from plainview.evidence.step_actions import note_progress
from plainview.service.errors import JailError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from plainview.evidence.rules import ClaimedStep
    from plainview.pipeline.installation import Installation
    from plainview.service.jail import DecoderJail, JailResult
    from plainview.vault.local import LocalStore

EVERY_S = 1.0
# These say nothing about the file, so they must not be held against it.
OUR_FAULTS = ("missing import", "not started")
# Of what a decoder or encoder says of a file: what it also says where it could not get the memory that it wanted.
WORTH_ANOTHER = frozenset(("unencodable", "nothing_decoded", "undecodable", "unreadable"))


@dataclass(frozen=True)
class Workplace:
    """Everything that steps need.

    Attributes:
        installation: the originals, their keys, the log.
        derived: the store of what is made of them.
        jail: where hostile bytes are decoded.
        engine: "module:function" that loads what turns speech into words, given the folder of models.
        models: folder of installed speech models; need not exist.
        samples: folder of sample transcripts; need not exist.
        now: the clock.
        monotonic: seconds that only go forward.
        is_stopping: says whether the worker was asked to end.
        threads: for each decoder and encoder.
        overdue_after: how long an assigned camera may stay away from every dock.
    """

    installation: Installation
    derived: LocalStore
    jail: DecoderJail
    engine: str
    models: Path
    samples: Path
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    is_stopping: Callable[[], bool]
    threads: int = 1
    overdue_after: timedelta = OVERDUE_AFTER


class StepFailedError(Exception):
    """The recording cannot be worked on so.

    Attributes:
        reason: a code.
        text: a sentence for people.
        is_final: trying again will not help.
    """

    def __init__(self, reason: str, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.reason, self.text, self.is_final = reason, text, is_final


class ModelTroubleError(Exception):
    """The installed speech model cannot be used; nothing about the recording is said."""


class StoppedError(Exception):
    """The worker was asked to end."""


class LostStepError(Exception):
    """Somebody else has taken the step over: we were thought dead."""


class Attempt:
    """One worker at one step: writes down how far it is, and notices when to let go."""

    def __init__(self, workplace: Workplace, claim: ClaimedStep) -> None:
        self._workplace = workplace
        self._claim = claim
        self._fraction = 0.0
        self._noted_s = workplace.monotonic()

    def progress(self, fraction: float) -> None:
        """Hear how far the step is; at most once a second it is written down.

        Raises:
            StoppedError, LostStepError: let go.
        """
        self._fraction = fraction
        if self._workplace.monotonic() - self._noted_s >= EVERY_S:
            self.tick()

    def tick(self) -> None:
        """Note that time has passed.

        Raises:
            StoppedError, LostStepError: let go.
        """
        if self._workplace.is_stopping():
            raise StoppedError
        self._noted_s = self._workplace.monotonic()
        # What is all done still has to be kept: 1 is for that.
        if not note_progress(self._claim, min(self._fraction, 0.99)):
            raise LostStepError


def check_worked(result: JailResult) -> None:
    """Raise unless a task in the jail came to its end.

    Raises:
        JailError: it is our fault.
        StepFailedError: it is the recording's.
    """
    failure = result.failure
    if failure is None:
        return
    if failure.startswith(OUR_FAULTS):
        raise JailError(f"The decoder could not work ({failure}).")
    if failure == "raised":
        text = result.message or "The recording cannot be worked on."
        # The same bytes under the same program: it will say the same, unless it was short of something.
        is_final = result.reason not in WORTH_ANOTHER
        raise StepFailedError(result.reason or "unusable", text, is_final=is_final)
    raise StepFailedError(
        "decoder_stopped", f"The decoder was stopped while reading the recording: {failure}."
    )
