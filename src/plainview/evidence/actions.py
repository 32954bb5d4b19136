"""Change recordings and what they are made of; each change is one transaction with its act in it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from plainview.accounts import rules as account_rules
from plainview.accounts.actions import new_pseudonym
from plainview.accounts.queries import unit_at
from plainview.accounts.spans import broken_constraint
from plainview.custody.record import Actor, record
from plainview.evidence import rules
from plainview.evidence.errors import AlreadyReceivedError, DeviceTakenError
from plainview.evidence.models import (
    Device,
    DeviceAssignment,
    Original,
    Part,
    Probe,
    Recording,
    Restriction,
    SearchRow,
    Wearer,
)
from plainview.evidence.queries import device_spans, device_wearer_at, wearer_of
from plainview.evidence.rules import (
    NO_TRIGGER,
    CaptureTimes,
    DeviceKey,
    KnownOriginal,
    KnownRecording,
    OriginalFacts,
    Trigger,
)
from plainview.evidence.search_actions import refresh_search_row
from plainview.evidence.step_actions import begin_steps
from plainview.formats.ids import format_identifier
from plainview.tasks.actions import open_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from plainview.formats.leaf import Fact


# The names PostgreSQL knows these promises by: bytes are received once, and so is an object.
RECEIVED_ONCE = ("evidence_original_sha256_key", "evidence_original_object_id_key")
DEVICE_ONCE = "evidence_device_serial_once"


@dataclass(frozen=True)
class ProbeFacts:
    """What examining an original found.

    Attributes:
        tool: the program and version that examined it.
        found: streams, durations, tags; any JSON.
        chunk_times: the table from chunk to seconds, as formats.chunks writes it.
        confinement: which limits the decoder ran under, and which could not be enforced.
    """

    tool: str
    found: Mapping[str, Any]
    chunk_times: bytes
    confinement: Mapping[str, Any]


def receive_recording(
    *,
    original: OriginalFacts,
    probe: ProbeFacts,
    times: CaptureTimes,
    offered_name: str,
    source: str,
    device: DeviceKey | None = None,
    trigger: Trigger = NO_TRIGGER,
    wearer: account_rules.OfficerKey | None = None,
    worn_at: datetime | None = None,
    facts: Mapping[str, Fact] | None = None,
    actor: Actor,
    now: datetime,
) -> KnownRecording:
    """Make a recording of an original that the vault holds.

    An original that an interruption left without a recording is used as it is; one that has been received is refused.

    Args:
        original: its first part.
        probe: what examining that found.
        times: when it was made.
        offered_name: the file's name, as it came.
        source: one of rules.RECORDING_SOURCES.
        device: the camera, where it is known.
        trigger: what the camera says of the button and when it was pressed.
        wearer: who the camera says wore it; without, whoever the device was assigned to then.
        worn_at: when it was made by our clock, where the camera's is known to be off; else it is believed.
        facts: what else the leaf says, such as sent_sha256 and sent_bytes of a file that came sealed.
        actor: who hands it in.
        now: when.

    Raises:
        AlreadyReceivedError: these bytes have been received, perhaps a moment ago by somebody else.
        TimesError: the capture times contradict each other.
    """
    rules.check_times(times)
    with received_once(original):
        row = take_original(original, state="usable", offered_name=offered_name, now=now)
        recording = _new_recording(times, trigger, source=source, device=device, now=now)
        Part.objects.create(
            recording=recording, number=1, original=row, offered_name=rules.printable_name(offered_name)
        )
        _begin_wearer(recording, wearer, device, worn_at or times.started_at, now)
        _begin_search_row(recording, duration_ms=probe.found.get("duration_ms"))
        record(
            "recording.received",
            object=recording.identifier,
            actor=actor,
            now=now,
            facts=original_facts(original) | dict(facts or {}),
            detail={"offered_name": printable_words(offered_name)},
        )
        _record_probe(row, recording.identifier, probe, actor, now)
        begin_steps(row, now=now)
    return _known(recording, times)


def add_part(
    *,
    recording: KnownRecording,
    original: OriginalFacts,
    probe: ProbeFacts,
    offered_name: str,
    facts: Mapping[str, Fact] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Add an original that the vault holds to a recording, as its next part; its leaf says which.

    Args:
        recording: whose part it is.
        original: an original without a recording.
        probe: what examining it found.
        offered_name: the file's name, as it came.
        facts: what else the leaf says.
        actor: who hands it in.
        now: when.

    Returns:
        The part's number.

    Raises:
        AlreadyReceivedError: these bytes have been received.
    """
    with received_once(original):
        Recording.objects.select_for_update().get(pk=recording.key)
        row = take_original(original, state="usable", offered_name=offered_name, now=now)
        number = 1 + Part.objects.filter(recording_id=recording.key).count()
        Part.objects.create(
            recording_id=recording.key,
            number=number,
            original=row,
            offered_name=rules.printable_name(offered_name),
        )
        duration_ms = int(probe.found.get("duration_ms") or 0)
        SearchRow.objects.filter(pk=recording.key).update(
            duration_ms=Coalesce(F("duration_ms"), 0) + duration_ms
        )
        record(
            "recording.received",
            object=recording.identifier,
            actor=actor,
            now=now,
            facts=original_facts(original) | {"part": number} | dict(facts or {}),
            detail={"offered_name": printable_words(offered_name)},
        )
        _record_probe(row, recording.identifier, probe, actor, now)
        begin_steps(row, now=now)
    return number


def quarantine_file(
    *,
    original: OriginalFacts,
    reason: str,
    reason_text: str,
    offered_name: str,
    facts: Mapping[str, Fact] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Keep a file that cannot be used as a recording, with the reason.

    Args:
        original: its bytes.
        reason: why, as a code.
        reason_text: the same for people.
        offered_name: the file's name, as it came.
        facts: what else the leaf says.
        actor: who hands it in.
        now: when.

    Returns:
        The act's row id.

    Raises:
        AlreadyReceivedError: these bytes have been received.
    """
    with received_once(original):
        take_original(
            original,
            state="quarantined",
            offered_name=offered_name,
            now=now,
            reason=reason,
            reason_text=reason_text,
        )
        act_id = record(
            "file.quarantined",
            object=f"original:{original.object_id}",
            actor=actor,
            now=now,
            facts=original_facts(original) | dict(facts or {}),
            why=reason,
            detail={"offered_name": printable_words(offered_name), "reason": reason_text},
        )
        open_task(
            kind="quarantined_file",
            about=f"original:{original.object_id}",
            why=reason_text,
            actor=actor,
            now=now,
        )
    return act_id


@transaction.atomic
def offer_again(
    *,
    original: KnownOriginal,
    recording: KnownRecording | None,
    offered_name: str,
    facts: Mapping[str, Fact] | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """Note that the same bytes were offered again; nothing else changes. Return the act's row id."""
    return record(
        "recording.offered_again",
        object=f"original:{original.facts.object_id}" if recording is None else recording.identifier,
        actor=actor,
        now=now,
        facts={"sha256": original.facts.sha256} | dict(facts or {}),
        detail={"offered_name": printable_words(offered_name)},
    )


@transaction.atomic
def adopt_object(*, original: OriginalFacts, actor: Actor, now: datetime) -> None:
    """Take stored bytes that no record names, left by an interruption, into the records.

    When the same file is offered again it becomes a recording.
    """
    Original.objects.create(**_columns(original), state="adopted", offered_name="", received_at=now)
    record(
        "object.adopted",
        object=f"original:{original.object_id}",
        actor=actor,
        now=now,
        facts=original_facts(original),
    )


@transaction.atomic
def add_device(*, make: str, model: str, serial: str, kind: str, actor: Actor, now: datetime) -> Device:
    """Add a device.

    Raises:
        DeviceTakenError: this make and serial number exist.
    """
    try:
        with transaction.atomic():
            device = Device.objects.create(
                make=make, model=model, serial=serial, kind=kind, pseudonym=new_pseudonym(), added_at=now
            )
    except IntegrityError as error:
        if broken_constraint(error) != DEVICE_ONCE:
            raise
        raise DeviceTakenError(make, serial) from error
    record(
        "device.added",
        object=f"device:{device.pseudonym}",
        actor=actor,
        now=now,
        facts={"kind": kind},
        detail={"make": make, "model": model, "serial": serial},
    )
    return device


@transaction.atomic
def assign_device(
    *,
    device: Device,
    officer: account_rules.OfficerKey | None,
    valid_from: datetime,
    valid_to: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Set who wears a device for a span of time; what was believed for that time is superseded, not overwritten.

    Raises:
        SpanError: the span ends before it begins.
    """
    Device.objects.select_for_update().get(pk=device.pk)
    new = account_rules.Span(None if officer is None else officer.pk, valid_from, valid_to)
    correction = account_rules.correct_spans(device_spans(device), new)
    DeviceAssignment.objects.filter(pk__in=correction.supersede).update(superseded_at=now)
    for span in correction.insert:
        DeviceAssignment.objects.create(
            device=device,
            officer_id=span.value,
            valid_from=span.valid_from,
            valid_to=span.valid_to,
            recorded_at=now,
        )
    if correction.insert:
        record(
            "device.assigned",
            object=f"device:{device.pseudonym}",
            actor=actor,
            now=now,
            facts={"officer": "none" if officer is None else officer.pseudonym},
            detail={"from": valid_from.isoformat(), "to": None if valid_to is None else valid_to.isoformat()},
        )


@transaction.atomic
def set_wearer(
    *,
    recording: KnownRecording,
    officer: account_rules.OfficerKey | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Say who wore the camera, as a person knows it; what was believed before stays readable."""
    Recording.objects.select_for_update().get(pk=recording.key)
    before = wearer_of(recording)
    if before is not None and before.officer_id == (None if officer is None else officer.pk):
        return
    Wearer.objects.filter(recording_id=recording.key, superseded_at__isnull=True).update(superseded_at=now)
    Wearer.objects.create(
        recording_id=recording.key,
        officer_id=None if officer is None else officer.pk,
        basis="person",
        recorded_at=now,
    )
    row = Recording.objects.get(pk=recording.key)
    SearchRow.objects.filter(recording=row).update(**_worn_by(row))
    refresh_search_row(row.pk)
    record(
        "wearer.set",
        object=recording.identifier,
        actor=actor,
        now=now,
        facts={"officer": "none" if officer is None else officer.pseudonym},
        detail={"reason": reason},
    )


def skip_recording_numbers(count: int) -> None:
    """Leave out numbers of recordings: what a lost database gave away must not be given again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(nextval('evidence_recording_number')) FROM generate_series(1, %s)", [count]
        )


@transaction.atomic
def restrict_recording(*, recording: KnownRecording, reason: str, actor: Actor, now: datetime) -> None:
    """Show that a recording exists and no longer what it holds; one that is restricted stays so."""
    row = SearchRow.objects.select_for_update().get(pk=recording.key)
    if row.is_restricted:
        return
    Restriction.objects.create(recording_id=recording.key, placed_at=now, reason=reason)
    row.is_restricted = True
    row.save(update_fields=["is_restricted"])
    record(
        "recording.restricted", object=recording.identifier, actor=actor, now=now, detail={"reason": reason}
    )


@transaction.atomic
def lift_restriction(*, recording: KnownRecording, reason: str, actor: Actor, now: datetime) -> None:
    """Show again what a recording holds; one that is not restricted stays so."""
    row = SearchRow.objects.select_for_update().get(pk=recording.key)
    if not row.is_restricted:
        return
    Restriction.objects.filter(recording_id=recording.key, lifted_at__isnull=True).update(lifted_at=now)
    row.is_restricted = False
    row.save(update_fields=["is_restricted"])
    record(
        "recording.unrestricted", object=recording.identifier, actor=actor, now=now, detail={"reason": reason}
    )


@transaction.atomic
def note_opened(*, recording: KnownRecording, actor: Actor, now: datetime) -> None:
    """Note that somebody opened a recording to watch it; nothing else changes."""
    record("recording.opened", object=recording.identifier, actor=actor, now=now)


def printable_words(name: str) -> str:
    """Return a name as the records can hold it: bytes that were no text, and zeros, are spelled as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


@contextmanager
def received_once(original: OriginalFacts) -> Iterator[None]:
    """Hold one transaction; of two that receive the same bytes at once, the second is told."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if broken_constraint(error) not in RECEIVED_ONCE:
            raise
        raise AlreadyReceivedError(original.sha256) from error


def take_original(
    facts: OriginalFacts,
    *,
    state: str,
    offered_name: str,
    now: datetime,
    reason: str | None = None,
    reason_text: str = "",
) -> Original:
    """Return the row of an original that comes in now; call it in received_once()."""
    # This object, not only these bytes: the act must name the object that the row names.
    adopted = Original.objects.select_for_update().filter(
        sha256=facts.sha256, object_id=facts.object_id, state="adopted"
    )
    row = adopted.first() or Original(**_columns(facts), received_at=now)
    row.state, row.reason, row.reason_text = state, reason, reason_text
    row.offered_name = rules.printable_name(offered_name)
    row.save()
    return row


def _columns(facts: OriginalFacts) -> dict[str, Any]:
    return {field: getattr(facts, field) for field in OriginalFacts.__dataclass_fields__}


def original_facts(facts: OriginalFacts) -> dict[str, Fact]:
    """Return what the leaf of an act that takes an original in says of it."""
    return {
        "object": facts.object_id,
        "object_sha256": facts.object_sha256,
        "sha256": facts.sha256,
        "chunk_root": facts.chunk_root,
        "size_bytes": facts.size_bytes,
    }


def _new_recording(
    times: CaptureTimes, trigger: Trigger, *, source: str, device: DeviceKey | None, now: datetime
) -> Recording:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('evidence_recording_number')")
        number = int(cursor.fetchone()[0])
    year = rules.identifier_year(times, received_at=now)
    return Recording.objects.create(
        identifier=format_identifier(kind="R", year=year, number=number),
        source=source,
        device_id=None if device is None else device.pk,
        received_at=now,
        started_at=times.started_at,
        ended_at=times.ended_at,
        zone=times.zone,
        clock_source=times.clock_source,
        trigger_on_at=trigger.on_at,
        trigger_on_reason=trigger.on_reason,
        trigger_off_at=trigger.off_at,
        trigger_off_reason=trigger.off_reason,
    )


def _known(recording: Recording, times: CaptureTimes) -> KnownRecording:
    return KnownRecording(recording.pk, recording.identifier, recording.received_at, times)


def _begin_wearer(
    recording: Recording,
    wearer: account_rules.OfficerKey | None,
    device: DeviceKey | None,
    at: datetime | None,
    now: datetime,
) -> None:
    if wearer is not None:
        Wearer.objects.create(recording=recording, officer_id=wearer.pk, basis="camera", recorded_at=now)
        return
    if device is None or at is None:
        return
    assignment = device_wearer_at(device, at=at)
    if assignment is not None and assignment.officer_id is not None:
        Wearer.objects.create(
            recording=recording, officer_id=assignment.officer_id, basis="assignment", recorded_at=now
        )


def _begin_search_row(recording: Recording, *, duration_ms: int | None) -> None:
    SearchRow.objects.create(
        recording=recording,
        shown_at=rules.filed_at(recording.started_at, received_at=recording.received_at),
        device_id=recording.device_id,
        duration_ms=duration_ms,
        **_worn_by(recording),
    )
    refresh_search_row(recording.pk)


def _worn_by(recording: Recording) -> dict[str, Any]:
    """Return who is believed to have worn the camera, and their unit then, as the search row keeps them."""
    wearer = (
        Wearer.objects.filter(recording=recording, superseded_at__isnull=True)
        .select_related("officer")
        .first()
    )
    if wearer is None or wearer.officer is None:
        return {"wearer": None, "unit": None}
    at = recording.started_at or recording.received_at
    return {"wearer": wearer.officer, "unit": unit_at(wearer.officer, at=at)}


def _record_probe(
    original: Original, identifier: str, probe: ProbeFacts, actor: Actor, now: datetime
) -> None:
    act_id = record(
        "recording.probed",
        object=identifier,
        actor=actor,
        now=now,
        facts={
            "sha256": original.sha256,
            "chunk_times_sha256": hashlib.sha256(probe.chunk_times).hexdigest(),
            "tool": probe.tool,
        },
    )
    Probe.objects.create(
        original=original,
        made_at=now,
        tool=probe.tool,
        found=dict(probe.found),
        chunk_times=probe.chunk_times,
        confinement=dict(probe.confinement),
        act_id=act_id,
    )
