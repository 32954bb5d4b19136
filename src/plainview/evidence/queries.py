"""Read recordings and originals."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256 as hash_of
from typing import TYPE_CHECKING

from django.db.models import Q

from plainview.accounts.rules import DEEDS, OWN_DEEDS, RESTRICTED_ROLES, Footage, Span, decide
from plainview.accounts.spans import believed_at, valid_at
from plainview.evidence.errors import NoSuchRecordingError, RestrictedError
from plainview.evidence.models import (
    Device,
    DeviceAssignment,
    Original,
    Part,
    Probe,
    Recording,
    SearchRow,
    Wearer,
)
from plainview.evidence.rules import CaptureTimes, DeviceKey, KnownOriginal, KnownRecording, OriginalFacts
from plainview.formats.errors import FormatError
from plainview.formats.ids import check_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plainview.accounts.rules import Viewer

NOTHING = Q(pk__in=[])
# Not an empty Q: "or"-ed with another condition that one vanishes.
EVERYTHING: Q = ~NOTHING


def access_recording(*, viewer: Viewer, identifier: str, to: str = "recording.see") -> KnownRecording:
    """Return the recording with this identifier, as a person may have typed it.

    Args:
        viewer: who asks.
        identifier: of the recording.
        to: a key of accounts.rules.DEEDS.

    Raises:
        NoSuchRecordingError: mistyped, absent, or not this viewer's to know.
        RestrictedError: theirs to know, and not to do this with.
    """
    try:
        spelled = check_identifier(identifier)
    except FormatError:
        raise NoSuchRecordingError(identifier) from None
    row = SearchRow.objects.filter(recording__identifier=spelled).select_related("recording").first()
    footage = None if row is None else footage_of(row)
    if row is None or footage is None or not decide(viewer, "recording.know", footage):
        raise NoSuchRecordingError(identifier)
    if not decide(viewer, to, footage):
        raise RestrictedError(spelled)
    return known_recording(row.recording)


def access_recordings(*, viewer: Viewer) -> Iterator[KnownRecording]:
    """Yield every recording this viewer may know of, newest received first."""
    rows = SearchRow.objects.filter(may_know(viewer)).select_related("recording")
    for row in rows.order_by("-recording__received_at", "-pk").iterator():
        yield known_recording(row.recording)


def footage_of(row: SearchRow) -> Footage:
    """Return what of a recording decides who may know of it and see it."""
    return Footage(wearer=row.wearer_id, unit=row.unit_id, is_restricted=row.is_restricted)


def may_know(viewer: Viewer) -> Q:
    """Return which search rows a viewer may know of: what decide() says, as a condition; a test compares the two."""
    return _may(viewer, "recording.know")


def may_see(viewer: Viewer) -> Q:
    """Return which search rows a viewer may see, likewise."""
    deed = "recording.see"
    open_ = _may(viewer, deed) & Q(is_restricted=False)
    return open_ | (_by_role(viewer, DEEDS[deed] & RESTRICTED_ROLES) & Q(is_restricted=True))


def _may(viewer: Viewer, deed: str) -> Q:
    own = (
        Q(wearer_id=viewer.officer)
        if viewer.officer is not None and "officer" in viewer.all_roles
        else NOTHING
    )
    return _by_role(viewer, DEEDS[deed]) | (own if deed in OWN_DEEDS else NOTHING)


def _by_role(viewer: Viewer, roles: frozenset[str]) -> Q:
    if viewer.is_operator or viewer.roles & roles:
        return EVERYTHING
    units = sorted({unit for role, unit in viewer.unit_roles if role in roles})
    return Q(unit_id__in=units) if units else NOTHING


def originals_of(recording: KnownRecording) -> list[KnownOriginal]:
    """Return the originals of a recording's parts, in the parts' order."""
    parts = Part.objects.filter(recording_id=recording.key).select_related("original").order_by("number")
    return [known_original(part.original) for part in parts]


def original_by_sha256(sha256: str) -> KnownOriginal | None:
    """Return the original with this digest, 64 hex digits, or None."""
    row = Original.objects.filter(sha256=sha256).first()
    return None if row is None else known_original(row)


def original_by_object(object_id: str) -> KnownOriginal | None:
    """Return the original that names this object, 32 hex digits, or None."""
    row = Original.objects.filter(object_id=object_id).first()
    return None if row is None else known_original(row)


def has_original_of_size(size_bytes: int) -> bool:
    """Say whether any original has exactly this size; only then can a file of this size be one again."""
    return Original.objects.filter(size_bytes=size_bytes).exists()


def first_recording_of(original: KnownOriginal) -> KnownRecording | None:
    """Return the first recording that uses an original, or None where it is quarantined or adopted."""
    part = Part.objects.filter(original_id=original.key).select_related("recording").order_by("pk").first()
    return None if part is None else known_recording(part.recording)


def reference_count(original: KnownOriginal) -> int:
    """Return how many recordings use an original; its bytes stay while one does."""
    return Part.objects.filter(original_id=original.key).count()


def all_originals() -> Iterator[KnownOriginal]:
    """Yield every original, whatever its state."""
    for row in Original.objects.order_by("pk").iterator():
        yield known_original(row)


def known_object_ids() -> set[str]:
    """Return the object ids that some original names."""
    return set(Original.objects.values_list("object_id", flat=True))


@dataclass(frozen=True)
class KeptProbe:
    """What an examination found, as far as the custody log vouches for it.

    Attributes:
        act_id: the row of its act.
        chunk_times_sha256: of its table from chunk to seconds, 64 hex digits.
    """

    act_id: int
    chunk_times_sha256: str


def kept_probes() -> Iterator[KeptProbe]:
    """Yield every examination."""
    rows = Probe.objects.order_by("pk").values_list("act_id", "chunk_times")
    for act_id, chunk_times in rows.iterator(chunk_size=100):
        yield KeptProbe(act_id, hash_of(bytes(chunk_times)).hexdigest())


def recorded_objects() -> Iterator[tuple[str, str]]:
    """Yield identifier and object id of every part of every recording, by identifier; of no part, an empty id."""
    rows = Recording.objects.order_by("identifier", "parts__number").values_list(
        "identifier", "parts__original__object_id"
    )
    for identifier, object_id in rows.iterator():
        yield identifier, object_id or ""


def chunk_times_of(original: KnownOriginal) -> bytes | None:
    """Return the newest table from chunk to seconds, as its digest stands in the log, or None."""
    probe = Probe.objects.filter(original_id=original.key).order_by("-made_at", "-pk").first()
    return None if probe is None else bytes(probe.chunk_times)


def wearer_of(recording: KnownRecording, *, known_at: datetime | None = None) -> Wearer | None:
    """Return who wore the camera, as believed at a moment or now; None is "nobody said"."""
    rows = Wearer.objects.filter(believed_at(known_at), recording_id=recording.key)
    return rows.select_related("officer").first()


def device_key(*, make: str, serial: str) -> DeviceKey | None:
    """Return what other packages refer to a device by, or None where there is none."""
    row = Device.objects.filter(make=make, serial=serial).values_list("pk", "pseudonym").first()
    return None if row is None else DeviceKey(*row)


def device_wearer_at(
    device: Device | DeviceKey, *, at: datetime, known_at: datetime | None = None
) -> DeviceAssignment | None:
    """Return who a device was assigned to at a moment; None is "not known"."""
    rows = DeviceAssignment.objects.filter(valid_at(at), believed_at(known_at), device_id=device.pk)
    return rows.select_related("officer").first()


def device_spans(device: Device) -> list[Span]:
    """Return what is believed now about who wears a device."""
    rows = DeviceAssignment.objects.filter(device=device, superseded_at__isnull=True)
    return [Span(row.officer_id, row.valid_from, row.valid_to, row.pk) for row in rows]


def known_original(row: Original) -> KnownOriginal:
    """Return an original as other packages see it."""
    facts = OriginalFacts(**{name: getattr(row, name) for name in OriginalFacts.__dataclass_fields__})
    return KnownOriginal(row.pk, facts, row.state, row.reason, row.reason_text, row.offered_name)


def known_recording(row: Recording) -> KnownRecording:
    """Return a recording as other packages see it."""
    times = CaptureTimes(row.started_at, row.ended_at, row.zone, row.clock_source)
    return KnownRecording(key=row.pk, identifier=row.identifier, received_at=row.received_at, times=times)
