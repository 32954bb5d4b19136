"""Take in what cameras sealed: footage becomes a recording, a journal is kept beside it, what does not open is kept.

Each function ends the offload in the transaction of the act that is its receipt. Interrupted before, doing it again
comes to the same: an object that no record names yet is adopted or removed at the next start, and what was received is
found by its digest.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from plainview.evidence import queries
from plainview.evidence.actions import offer_again, quarantine_file
from plainview.evidence.camera_queries import camera_key_named, clock_error_ms_at
from plainview.evidence.capture_actions import (
    keep_journal_facts,
    receive_capture,
    receive_journal,
    sent_facts,
)
from plainview.evidence.errors import AlreadyReceivedError
from plainview.evidence.offload_actions import end_offload
from plainview.evidence.offload_queries import footage_of_stream, journals_beside
from plainview.pipeline.capture_facts import camera_times, check_journal, trigger_of
from plainview.pipeline.examine import Unusable, capture_times, examine
from plainview.pipeline.intake import discard, facts_of
from plainview.vault.errors import EmptyOriginalError
from plainview.vault.reader import open_object
from plainview.vault.receive import receive
from plainview.vault.unseal import Unsealed, UnsealError
from plainview.verify.capture import read_journal_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plainview.evidence.camera_queries import KnownCameraKey
    from plainview.evidence.capture_actions import JournalFacts
    from plainview.evidence.offload_queries import KnownOffload
    from plainview.evidence.rules import CaptureTimes, DeviceKey, KnownOriginal, OriginalFacts
    from plainview.formats.sealed_file import SealedHeader
    from plainview.pipeline.intake import Intake

# A journal of a day's shift has some tens of thousands of lines of about a kilobyte.
JOURNAL_LIMIT_BYTES = 64 << 20
BUFFER_BYTES = 1 << 20
NOTHING_RECORDED = ("nothing_recorded", "It was sealed, and holds nothing: the camera lost its power first.")
# A camera whose clock was this far off at its docking is believed to have been so while it recorded.
CORRECTED_FROM_MS = 1000


@dataclass(frozen=True)
class _Sealed:
    """A sealed file at hand.

    Attributes:
        offload: how it came.
        came: its bytes as they came, an object in the vault that no record names yet.
        header: what stands in front of it.
        key: the camera's admitted key, or None.
        device: the camera: the key's, or the one that the dock names.
    """

    offload: KnownOffload
    came: OriginalFacts
    header: SealedHeader
    key: KnownCameraKey | None
    device: DeviceKey


def take_in_sealed(intake: Intake, offload: KnownOffload, came: OriginalFacts) -> None:
    """Make what it is of a file that a camera sealed; end its offload.

    Args:
        intake: what taking in needs; the actor is the dock.
        offload: how it came; its bytes are what the dock said of them.
        came: the object that holds those bytes; where a record names it in the end, it stays.

    Raises:
        JailError: it could not be examined; nothing was written.
        VaultError: the disk failed; nothing was written.
    """
    with _opened(intake, came) as source:
        try:
            unsealed = Unsealed(source, intake.installation.keys)
            header = unsealed.start.header
            key = camera_key_named(header.camera)
            device = key.device if key is not None else offload.device
            assert device is not None, "an offload of a sealed file names its camera"
            sealed = _Sealed(offload, came, header, key, device)
            take = _take_footage if header.kind == "footage" else _take_journal
            take(intake, sealed, unsealed)
        except UnsealError as error:
            _keep_as_it_came(intake, offload, came, (error.reason, str(error)))
        except EmptyOriginalError:
            _keep_as_it_came(intake, offload, came, NOTHING_RECORDED)


# --- footage


def _take_footage(intake: Intake, sealed: _Sealed, unsealed: Unsealed) -> None:
    installation = intake.installation
    received = receive(
        io.BufferedReader(unsealed, BUFFER_BYTES), store=installation.store, keys=installation.keys
    )
    facts = facts_of(received)
    try:
        known = queries.original_by_sha256(facts.sha256)
        if known is not None and known.state == "adopted":
            facts = known.facts
        elif known is not None:
            _offer_again(intake, sealed.offload, known)
            return
        try:
            _commit_footage(intake, sealed, facts)
        except AlreadyReceivedError:
            # By another dock, a moment ago.
            known = queries.original_by_sha256(facts.sha256)
            if known is None:
                raise
            _offer_again(intake, sealed.offload, known)
    finally:
        if queries.original_by_object(received.object_id) is None:
            discard(installation, received.object_id)


def _commit_footage(intake: Intake, sealed: _Sealed, facts: OriginalFacts) -> None:
    installation = intake.installation
    found = examine(facts.object_id, store=installation.store, keys=installation.keys, jail=intake.jail)
    lines = _lines_beside(intake, sealed)
    now = intake.now()
    with _opened(intake, facts) as footage:
        report, journal = check_journal(
            footage, header=sealed.header, key=sealed.key, lines=lines, device=sealed.device, now=now
        )
    if isinstance(found, Unusable):
        _quarantine_opened(intake, sealed, facts, found, journal)
        return
    probe, probe_facts = found
    times = camera_times(report, duration_ms=probe.duration_ms, zone=installation.zone)
    times = times or capture_times(probe, zone=installation.zone)
    receive_capture(
        offload=sealed.offload,
        original=facts,
        probe=probe_facts,
        times=times,
        trigger=trigger_of(report),
        worn_at=_by_our_clock(intake, sealed.device, times),
        journal=journal,
        actor=intake.actor,
        now=now,
    )


def _by_our_clock(intake: Intake, device: DeviceKey, times: CaptureTimes) -> datetime | None:
    error_ms = clock_error_ms_at(device, at=intake.now())
    if times.started_at is None or error_ms is None or abs(error_ms) < CORRECTED_FROM_MS:
        return times.started_at
    try:
        return times.started_at - timedelta(milliseconds=error_ms)
    except OverflowError:
        return times.started_at


def _quarantine_opened(
    intake: Intake, sealed: _Sealed, facts: OriginalFacts, found: Unusable, journal: JournalFacts
) -> None:
    """Keep footage that opens and cannot be played; what its journal says is kept all the same."""
    now = intake.now()
    with transaction.atomic():
        act_id = quarantine_file(
            original=facts,
            reason=found.reason,
            reason_text=found.text,
            offered_name=f"{sealed.header.stream}.mp4",
            facts=sent_facts(sealed.offload),
            actor=intake.actor,
            now=now,
        )
        keep_journal_facts(journal=journal, actor=intake.actor, now=now)
        _end(sealed.offload, "quarantined", act_id, intake, said=(found.reason, found.text))


# --- journals


def _take_journal(intake: Intake, sealed: _Sealed, unsealed: Unsealed) -> None:
    installation, header, now = intake.installation, sealed.header, intake.now()
    lines = _read_lines(unsealed)
    received = receive(io.BytesIO(b"".join(lines)), store=installation.store, keys=installation.keys)
    try:
        footage = None if header.purpose == "shift" else footage_of_stream(sealed.device, header.stream)
        journal = None
        if header.purpose == "shift":
            _, journal = check_journal(
                None, header=header, key=sealed.key, lines=lines, device=sealed.device, now=now
            )
        elif footage is not None:
            beside = [*_lines_beside(intake, sealed), *lines]
            with _opened(intake, footage.original.facts) as opened:
                _, journal = check_journal(
                    opened, header=header, key=sealed.key, lines=beside, device=sealed.device, now=now
                )
        with transaction.atomic():
            attached = receive_journal(
                offload=sealed.offload,
                original=facts_of(received),
                stream=header.stream,
                device=sealed.device,
                recording=None if footage is None else footage.recording,
                journal=journal,
                actor=intake.actor,
                now=now,
            )
            if attached.act_id is None:
                _offer_again(intake, sealed.offload, attached.original)
    finally:
        if queries.original_by_object(received.object_id) is None:
            discard(installation, received.object_id)


def _read_lines(unsealed: Unsealed) -> list[bytes]:
    lines, total = [], 0
    for piece in unsealed.all_pieces():
        lines.append(piece.rstrip(b"\n") + b"\n")
        total += len(lines[-1])
        if total > JOURNAL_LIMIT_BYTES:
            raise UnsealError(
                "too_long", f"A journal has at most {JOURNAL_LIMIT_BYTES} bytes; this has more."
            )
    return lines


def _lines_beside(intake: Intake, sealed: _Sealed) -> list[bytes]:
    """Return the lines of this stream that came as files of their own before."""
    lines: list[bytes] = []
    for original in journals_beside(sealed.device, sealed.header.stream):
        with _opened(intake, original.facts) as file:
            lines += read_journal_lines(file)
    return lines


def _opened(intake: Intake, facts: OriginalFacts) -> io.BufferedReader:
    installation = intake.installation
    opened = open_object(installation.store, installation.keys, facts.object_id)
    return io.BufferedReader(opened, BUFFER_BYTES)


# --- what is no recording


def _keep_as_it_came(
    intake: Intake, offload: KnownOffload, came: OriginalFacts, said: tuple[str, str]
) -> None:
    """Keep what cannot be opened, sealed as it is, and ask a person."""
    reason, text = said
    known = queries.original_by_sha256(came.sha256)
    if known is not None and known.state != "adopted":
        _offer_again(intake, offload, known)
        return
    with transaction.atomic():
        act_id = quarantine_file(
            original=came if known is None else known.facts,
            reason=reason,
            reason_text=text,
            offered_name=f"{offload.stream}.{offload.kind}.sealed",
            facts=sent_facts(offload),
            actor=intake.actor,
            now=intake.now(),
        )
        _end(offload, "quarantined", act_id, intake, said=said)


def _offer_again(intake: Intake, offload: KnownOffload, known: KnownOriginal) -> None:
    recording = queries.first_recording_of(known)
    with transaction.atomic():
        act_id = offer_again(
            original=known,
            recording=recording,
            offered_name=offload.offered_name,
            facts=sent_facts(offload),
            actor=intake.actor,
            now=intake.now(),
        )
        end_offload(
            name=offload.name,
            state="duplicate",
            recording=None if recording is None else recording.identifier,
            act_id=act_id,
            now=intake.now(),
        )


def _end(
    offload: KnownOffload, state: str, act_id: int, intake: Intake, *, said: Sequence[str] = ("", "")
) -> None:
    reason, text = said
    end_offload(
        name=offload.name,
        state=state,
        act_id=act_id,
        reason=reason,
        reason_text=text,
        now=intake.now(),
    )
