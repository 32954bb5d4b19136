"""Import what a folder of another maker's holds: preview it, then take it in; doing it again makes nothing new.

Each part goes through the vault as every file does. A recording is told of once a published checkpoint covers its
parts and what came along with it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from plainview.accounts.queries import officer_key, officer_with_badge
from plainview.evidence import queries
from plainview.evidence.errors import AlreadyReceivedError
from plainview.evidence.import_actions import (
    ImportedDevice,
    SaidOfRecording,
    add_imported_part,
    attach_imported,
    receive_imported,
)
from plainview.evidence.import_queries import facts_of_recording, is_attached, times_of
from plainview.evidence.rules import CaptureTimes
from plainview.formats.errors import FormatError
from plainview.media.gpx import GPX_LIMIT_BYTES, place_beside, read_gpx
from plainview.pipeline.examine import capture_times
from plainview.pipeline.import_plan import ITS_NAME, read_beside
from plainview.pipeline.installation import publish
from plainview.pipeline.intake import COPY_BYTES, REFUSALS, discard, facts_of, take_one
from plainview.vault.receive import receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from plainview.accounts.rules import OfficerKey
    from plainview.evidence.rules import DeviceKey, KnownRecording, OriginalFacts
    from plainview.formats.particulars import Particulars
    from plainview.pipeline.import_plan import ImportPlan, PlannedFile, PlannedRecording, PlannedSidecar
    from plainview.pipeline.intake import Examined, Intake, Outcome

THE_DOCK = "the dock, by the card's pattern"
# How far two clocks may be apart and still mean the same start.
SAME_START_S = 1.0


@dataclass(frozen=True)
class Preview:
    """What importing a recording would do, given what is here already.

    Attributes:
        planned: the recording.
        status: new, here (every part is), partly here, or held back.
        recordings: identifiers of those that hold its parts already.
        camera: make and serial number; empty is not said. is_new_camera: whether it would be added.
        wearer: badge, and whether the roster knows it; empty is not said.
        differences: what is believed of the recording that is here, and is said otherwise now.
    """

    planned: PlannedRecording
    status: str
    recordings: tuple[str, ...]
    camera: str
    is_new_camera: bool
    wearer: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """What became of a file that came along.

    Attributes:
        path: from the folder down.
        status: attached, here (it was attached before) or refused.
        text: a sentence for people.
    """

    path: str
    status: str
    text: str


@dataclass(frozen=True)
class Imported:
    """What became of a planned recording, or of a file that is in none.

    Attributes:
        paths: of its parts.
        status: received, here, quarantined, refused, held back, or attached.
        recording: identifier; empty where there is none.
        files: what became of each part that was tried.
        beside: what became of what came along.
        notes: what a person should know.
    """

    paths: tuple[str, ...]
    status: str
    recording: str
    files: tuple[Outcome, ...]
    beside: tuple[Beside, ...]
    notes: tuple[str, ...]


def preview(plan: ImportPlan) -> Iterator[Preview]:
    """Say of each planned recording what importing it would do; nothing is changed or noted."""
    for planned in plan.recordings:
        known = [_known_recording(plan.root, file) for file in planned.files]
        found = [each for each in known if each is not None]
        said, device = planned.said, _device(plan, planned.said)
        yield Preview(
            planned=planned,
            status=_status(planned, len(found)),
            recordings=tuple(dict.fromkeys(each.identifier for each in found)),
            camera="" if device is None else f"{device.make} {device.serial}",
            is_new_camera=device is not None
            and queries.device_key(make=device.make, serial=device.serial) is None,
            wearer=_wearer_words(said.badge),
            differences=_differences(found[0], said) if found else (),
        )


def import_recordings(intake: Intake, plan: ImportPlan, *, keeps_others: bool = True) -> Iterator[Imported]:
    """Take in what a plan names, and yield what became of each once a durable checkpoint covers it.

    Interrupted anywhere, doing it again goes on: what is here already is found by its bytes.

    Args:
        intake: what taking in needs; its actor is who imports.
        plan: as make_plan returned it.
        keeps_others: whether files that the pattern says nothing of are kept too, as what they are.

    Raises:
        LogError: the log cannot be published; what was taken in since the last outcome is kept.
        DatabaseError: the database went away; the same.
    """
    for planned in plan.recordings:
        yield _published(intake, _import_one(intake, plan, planned))
    for alone in plan.lone:
        beside = _keep_beside(intake, plan.root, alone, None)
        yield _published(
            intake,
            Imported((alone.path,), beside.status, "", (), (beside,), ("Its footage is not there.",)),
        )
    for other in plan.others if keeps_others else ():
        outcome = take_one(intake, plan.root / other.path)
        status = "here" if outcome.status == "duplicate" else outcome.status
        note = "The pattern says nothing of it."
        yield _published(
            intake, Imported((other.path,), status, outcome.recording or "", (outcome,), (), (note,))
        )


def _published(intake: Intake, imported: Imported) -> Imported:
    if imported.status not in ("refused", "held back"):
        publish(intake.installation)
    return imported


def receive_as_said(said: Particulars) -> Callable[[Intake, Examined], KnownRecording]:
    """Return what makes a recording of one file of which somebody says this, such as a dock that read its card."""
    if said.ended_at and (not said.started_at or said.ended_at < said.started_at):
        said = replace(said, ended_at=None)
    by = {name: THE_DOCK for name, value in vars(said).items() if value}

    def receive_one(intake: Intake, examined: Examined) -> KnownRecording:
        return receive_imported(
            original=examined.original,
            probe=examined.probe_facts,
            said=_said_of(intake, examined, said=said, by=by, unclear=(), device=intake.device),
            offered_name=examined.offered_name,
            actor=intake.actor,
            now=intake.now(),
        )

    return receive_one


# What is said, and what is known.


def _status(planned: PlannedRecording, known: int) -> str:
    if known == len(planned.files):
        return "here"
    if planned.problem:
        return "held back"
    return "partly here" if known else "new"


def _known_recording(root: Path, file: PlannedFile) -> KnownRecording | None:
    """Return the recording that holds a file's bytes already; a file is read only where its size is known."""
    if not queries.has_original_of_size(file.size_bytes):
        return None
    try:
        with _open(root, file.path) as opened:
            original = queries.original_by_sha256(_sha256_of(opened))
    except OSError:
        return None
    return None if original is None else queries.first_recording_of(original)


def _device(plan: ImportPlan, said: Particulars) -> ImportedDevice | None:
    pattern = plan.pattern
    if not said.serial or not pattern.make:
        return None
    return ImportedDevice(pattern.make, pattern.model, said.serial, pattern.camera)


def _wearer_words(badge: str) -> str:
    if not badge:
        return ""
    officer = officer_with_badge(badge)
    return f"{badge}, not on the roster" if officer is None else f"{officer.name}, {badge}"


def _wearer(badge: str) -> OfficerKey | None:
    officer = officer_with_badge(badge) if badge else None
    return None if officer is None else officer_key(officer)


def _differences(recording: KnownRecording, said: Particulars) -> tuple[str, ...]:
    """Say what is believed of a recording and is said otherwise; importing it again changes none of it."""
    known = facts_of_recording(recording)
    told = []
    if said.started_at and known.started_at:
        apart_s = abs((said.started_at - known.started_at).total_seconds())
        if apart_s > SAME_START_S:
            told.append(
                f"start: {known.identifier} has {known.started_at:%Y-%m-%d %H:%M:%S} UTC, "
                f"now {said.started_at:%Y-%m-%d %H:%M:%S} UTC is said"
            )
    elif said.started_at:
        told.append(
            f"start: {known.identifier} has none, now {said.started_at:%Y-%m-%d %H:%M:%S} UTC is said"
        )
    for name, have, now in (("camera", known.serial, said.serial), ("wearer", known.badge, said.badge)):
        if now and have != now:
            told.append(f"{name}: {known.identifier} has {have or 'none'}, now {now} is said")
    return tuple(told)


# One recording.


class _Making:
    """One recording that is being made of its parts, as far as it has come."""

    def __init__(self, plan: ImportPlan, planned: PlannedRecording) -> None:
        self._plan, self._planned = plan, planned
        self.recording: KnownRecording | None = None

    def receive(self, intake: Intake, examined: Examined) -> KnownRecording:
        """Make the recording of its first part, and add the next ones to it."""
        if self.recording is None:
            self.recording = receive_imported(
                original=examined.original,
                probe=examined.probe_facts,
                said=self._said(intake, examined),
                offered_name=examined.offered_name,
                actor=intake.actor,
                now=intake.now(),
            )
        else:
            is_end_said = self._planned.said.ended_at is not None
            add_imported_part(
                recording=self.recording,
                original=examined.original,
                probe=examined.probe_facts,
                lasts=None if is_end_said else timedelta(milliseconds=examined.probe.duration_ms),
                offered_name=examined.offered_name,
                actor=intake.actor,
                now=intake.now(),
            )
        return self.recording

    def _said(self, intake: Intake, examined: Examined) -> SaidOfRecording:
        said, by = self._planned.said, self._planned.said_by
        unclear = list(self._planned.unclear)
        if said.serial and not self._plan.pattern.make:
            unclear.append(f"Camera {said.serial} ({by['serial']}): the pattern does not say of which make.")
        device = _device(self._plan, said)
        return _said_of(intake, examined, said=said, by=by, unclear=unclear, device=device)


def _said_of(
    intake: Intake,
    examined: Examined,
    *,
    said: Particulars,
    by: dict[str, str],
    unclear: Iterable[str],
    device: ImportedDevice | DeviceKey | None,
) -> SaidOfRecording:
    """Return what is said of a recording as its records take it."""
    wearer = _wearer(said.badge)
    doubts = [*unclear]
    if said.badge and wearer is None:
        doubts.append(f"Badge {said.badge} ({by['badge']}) is nobody's on the roster.")
    told = {name: getattr(said, name) for name in ("reference", "location", "badge", "serial")}
    return SaidOfRecording(
        times=_times(said, by, examined, intake.installation.zone),
        device=device,
        wearer=wearer,
        trigger=said.trigger,
        category=said.category,
        title=said.title,
        particulars={name: text for name, text in told.items() if text}
        | {f"{name}_said_by": where for name, where in by.items()},
        unclear=" ".join(doubts),
    )


def _times(said: Particulars, by: dict[str, str], examined: Examined, zone: str) -> CaptureTimes:
    """Return when a recording was made: as is said or, where nothing is, as its own file says."""
    if said.started_at is None:
        return capture_times(examined.probe, zone=zone)
    ends = said.started_at + timedelta(milliseconds=examined.probe.duration_ms)
    return CaptureTimes(
        started_at=said.started_at,
        ended_at=said.ended_at or ends,
        zone=zone,
        clock_source="camera" if by["started_at"] == ITS_NAME else "file",
    )


def _import_one(intake: Intake, plan: ImportPlan, planned: PlannedRecording) -> Imported:
    paths = tuple(file.path for file in planned.files)
    if planned.problem:
        return Imported(paths, "held back", "", (), (), (planned.problem, *planned.notes))
    making = _Making(plan, planned)
    files, notes = _take_parts(intake, plan, planned, making)
    if making.recording is None:
        return Imported(paths, files[-1].status, "", files, (), (*planned.notes, *notes))
    is_new = any(each.status == "received" for each in files)
    known = () if is_new else _differences(making.recording, planned.said)
    beside = tuple(_keep_beside(intake, plan.root, each, making.recording) for each in planned.sidecars)
    return Imported(
        paths=paths,
        status="received" if is_new else "here",
        recording=making.recording.identifier,
        files=files,
        beside=beside,
        notes=(*planned.notes, *notes, *known),
    )


def _take_parts(
    intake: Intake, plan: ImportPlan, planned: PlannedRecording, making: _Making
) -> tuple[tuple[Outcome, ...], list[str]]:
    files: list[Outcome] = []
    notes: list[str] = []
    with_parts = replace(intake, receive=making.receive)
    for number, file in enumerate(planned.files, 1):
        outcome = take_one(with_parts, plan.root / file.path)
        files.append(outcome)
        if outcome.status == "refused":
            left = len(planned.files) - number
            if left:
                notes.append(f"{left} more parts were not tried: they would take its place. Import again.")
            break
        known = _holder(outcome)
        if known is not None and making.recording is None:
            making.recording = known
        elif known is not None and making.recording is not None and known.key != making.recording.key:
            notes.append(f"{file.path} is a part of another recording already.")
    return tuple(files), notes


def _holder(outcome: Outcome) -> KnownRecording | None:
    """Return the recording that a duplicate is a part of."""
    if outcome.status != "duplicate" or outcome.sha256 is None:
        return None
    original = queries.original_by_sha256(outcome.sha256)
    return None if original is None else queries.first_recording_of(original)


# What came along.


def _keep_beside(
    intake: Intake, root: Path, sidecar: PlannedSidecar, recording: KnownRecording | None
) -> Beside:
    try:
        with _open(root, sidecar.path) as file:
            original, is_stored = _stored(intake, file)
    except OSError as error:
        return Beside(sidecar.path, "refused", f"It cannot be read: {error.strerror}.")
    except tuple(REFUSALS) as error:
        return Beside(sidecar.path, "refused", str(error))
    if is_attached(sha256=original.sha256, recording=recording):
        _drop(intake, original, is_stored=is_stored)
        return Beside(sidecar.path, "here", sidecar.words)
    try:
        attached = attach_imported(
            original=original,
            kind=sidecar.kind,
            recording=recording,
            points=_points(root, sidecar, recording),
            offered_name=os.path.basename(sidecar.path),  # noqa: PTH119 - it is the end of a path, and no file here
            actor=intake.actor,
            now=intake.now(),
        )
    except AlreadyReceivedError:
        _drop(intake, original, is_stored=is_stored)
        return Beside(sidecar.path, "refused", "Somebody else handed it in at this moment. Import again.")
    _drop(intake, original, is_stored=is_stored and attached.original.facts.object_id != original.object_id)
    return Beside(sidecar.path, "attached", sidecar.words)


def _stored(intake: Intake, file: BinaryIO) -> tuple[OriginalFacts, bool]:
    """Return a file's bytes as the vault holds them, and whether they were put there now."""
    if queries.has_original_of_size(os.fstat(file.fileno()).st_size):
        known = queries.original_by_sha256(_sha256_of(file))
        if known is not None:
            return known.facts, False
        file.seek(0)
    installation = intake.installation
    return facts_of(receive(file, store=installation.store, keys=installation.keys)), True


def _drop(intake: Intake, original: OriginalFacts, *, is_stored: bool) -> None:
    if is_stored:
        discard(intake.installation, original.object_id)


def _points(
    root: Path, sidecar: PlannedSidecar, recording: KnownRecording | None
) -> list[list[float | None]]:
    """Return where the camera was while it recorded; nothing where nobody knows when that was."""
    if not sidecar.is_track or recording is None:
        return []
    times = times_of(recording)
    if times.started_at is None or times.ended_at is None:
        return []
    try:
        track = read_gpx(read_beside(root, sidecar.path, limit_bytes=GPX_LIMIT_BYTES))
    except FormatError:
        # It was readable a moment ago, and is kept as it came all the same.
        return []
    return place_beside(track.points, started_at=times.started_at, ended_at=times.ended_at)


def _open(root: Path, path: str) -> BinaryIO:
    fd = os.open(root / path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no file")
    return open(fd, "rb", buffering=0)  # noqa: PTH123 - it is open already


def _sha256_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while data := file.read(COPY_BYTES):
        digest.update(data)
    return digest.hexdigest()
