"""Keep files that come along with a recording, or with a camera: journals, keys, tracks, reports, bookmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.custody.record import record
from plainview.evidence import rules
from plainview.evidence.actions import original_facts, printable_words, received_once, take_original
from plainview.evidence.camera_models import Attachment
from plainview.evidence.models import Original, Recording
from plainview.evidence.queries import known_original

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plainview.custody.record import Actor
    from plainview.evidence.rules import DeviceKey, KnownOriginal, KnownRecording, OriginalFacts
    from plainview.formats.leaf import Fact


@dataclass(frozen=True)
class Attached:
    """A file that was attached.

    Attributes:
        key: of its row.
        original: its bytes; where the same bytes were there already, those, and the caller discards its own object.
        act_id: of its act; None where it had been attached before.
    """

    key: int
    original: KnownOriginal
    act_id: int | None


def attach_file(
    *,
    original: OriginalFacts,
    kind: str,
    recording: KnownRecording | None,
    device: DeviceKey | None = None,
    offered_name: str,
    act: str = "attachment.received",
    facts: Mapping[str, Fact] | None = None,
    actor: Actor,
    now: datetime,
) -> Attached:
    """Keep a file that the vault holds, as received, beside what it belongs to; doing it again changes nothing.

    Args:
        original: its bytes.
        kind: one of camera_rules.ATTACHMENT_KINDS.
        recording: what it belongs to, or None.
        device: the camera it is about, where that is known.
        offered_name: the file's name, as it came.
        act: attachment.received, or journal.received for a shift's journal.
        facts: what else the leaf says, such as sent_sha256 and sent_bytes of a file that came sealed.
        actor: who hands it in.
        now: when.

    Raises:
        AlreadyReceivedError: somebody else received the same bytes a moment ago; try again.
    """
    with received_once(original):
        row = Original.objects.select_for_update().filter(sha256=original.sha256).first()
        if row is None or row.state == "adopted":
            taken = original if row is None else known_original(row).facts
            row = take_original(taken, state="attached", offered_name=offered_name, now=now)
        owner = None if recording is None else Recording.objects.get(pk=recording.key)
        attachment, is_new = Attachment.objects.get_or_create(
            original=row,
            recording=owner,
            defaults={
                "device_id": None if device is None else device.pk,
                "kind": kind,
                "offered_name": rules.printable_name(offered_name),
                "received_at": now,
            },
        )
        known = known_original(row)
        if not is_new:
            return Attached(attachment.pk, known, None)
        act_id = record(
            act,
            object=f"original:{known.facts.object_id}" if recording is None else recording.identifier,
            actor=actor,
            now=now,
            facts=original_facts(known.facts) | {"kind": kind} | dict(facts or {}),
            detail={"offered_name": printable_words(offered_name)},
        )
        return Attached(attachment.pk, known, act_id)
