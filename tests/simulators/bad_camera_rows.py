"""Rows of cameras, docks and what they hand in that break a rule of the database, each with the rule's name."""

from datetime import timedelta

from plainview.accounts.actions import add_user, new_pseudonym
from plainview.evidence.camera_models import (
    Attachment,
    CameraEvent,
    CameraJournal,
    CameraKey,
    CameraPolicy,
    CovertLeave,
    Destination,
    DestinationContainer,
    DestinationObject,
    Dock,
    Docking,
    Offload,
)
from plainview.evidence.models import Device, Original, Recording
from simulators.custody_rows import CLERK, START

HOUR = timedelta(hours=1)


def key(number=1, **columns):
    given = {"device": Device.objects.first(), "public_key": f"{number:064x}", "asked_at": START}
    return CameraKey.objects.create(**given | columns)


def policy(**columns):
    return CameraPolicy.objects.create(
        **{"settings": {}, "valid_from": START, "recorded_at": START} | columns
    )


def leave(**columns):
    who = add_user(username="a.chief", name="A. Chief", password=None, actor=CLERK, now=START)
    given = {"device": Device.objects.first(), "allowed_by": who, "valid_from": START, "valid_to": START}
    return CovertLeave.objects.create(**given | columns)


def dock(number=1, **columns):
    given = {"name": f"d{number}", "pseudonym": new_pseudonym(), "token_sha256": f"{number:064x}"}
    return Dock.objects.create(**given | {"added_at": START} | columns)


def docking(**columns):
    given = {"dock": Dock.objects.first() or dock(), "device": Device.objects.first(), "docked_at": START}
    return Docking.objects.create(**given | columns)


def offload(**columns):
    given = {"name": "0" * 32, "dock": dock(), "kind": "file", "size_bytes": 1, "sent_sha256": "0" * 64}
    return Offload.objects.create(**given | {"begun_at": START} | columns)


def journal(**columns):
    given = {"device": Device.objects.first(), "stream": "000001-00000000", "boot": 1, "counter": 1}
    found = {"verdict": "ok", "is_closed": True, "fragments": 1, "proven_fragments": 1, "findings": []}
    times = {"started_at": START, "checked_at": START}
    return CameraJournal.objects.create(**given | found | times | {"start": {}} | columns)


def event(**columns):
    given = {"journal": CameraJournal.objects.first() or journal(), "seq": 1, "at": START, "mono_ms": 0}
    return CameraEvent.objects.create(**given | {"event": "marker", "facts": {}} | columns)


def attachment(**columns):
    given = {"original": Original.objects.first(), "kind": "journal", "received_at": START}
    return Attachment.objects.create(**given | columns)


def destination(number=1, **columns):
    given = {"name": f"d{number}", "account": f"a{number}", "pseudonym": new_pseudonym(), "made_at": START}
    return Destination.objects.create(**given | columns)


def container(**columns):
    given = {"destination": Destination.objects.first() or destination(), "name": "c", "begun_at": START}
    return DestinationContainer.objects.create(**given | columns)


def content(**columns):
    given = {"container": DestinationContainer.objects.first() or container(), "name": "o", "kind": "clip"}
    return DestinationObject.objects.create(**given | {"size_bytes": 1, "received_at": START} | columns)


BAD_CAMERA_ROWS = [
    ("evidence_camera_key_hex", lambda: key(public_key="A" * 64)),
    ("evidence_camera_key_state_known", lambda: key(state="lost")),
    ("evidence_camera_key_public_key_key", lambda: [key(), key()]),
    ("evidence_one_admitted_key", lambda: [key(number, state="admitted") for number in (1, 2)]),
    ("evidence_camera_policy_ends_after_start", lambda: policy(valid_to=START)),
    ("evidence_camera_policy_superseded_after_recorded", lambda: policy(superseded_at=START - HOUR)),
    ("evidence_one_policy_from_a_moment", lambda: [policy(), policy()]),
    ("evidence_covert_leave_ends_after_start", leave),
    ("evidence_dock_name_key", lambda: [dock(), dock(2, name="d1")]),
    ("evidence_dock_pseudonym_key", lambda: [dock(number, pseudonym="0" * 16) for number in (1, 2)]),
    ("evidence_dock_pseudonym_hex", lambda: dock(pseudonym="xyz")),
    ("evidence_dock_token_sha256_key", lambda: [dock(), dock(2, token_sha256=f"{1:064x}")]),
    ("evidence_dock_token_hex", lambda: dock(token_sha256="")),
    ("evidence_docking_taken_after_docked", lambda: docking(taken_at=START - HOUR)),
    ("evidence_in_one_dock", lambda: [docking(), docking()]),
    ("evidence_offload_name_hex", lambda: offload(name="x")),
    ("evidence_offload_not_empty", lambda: offload(size_bytes=0)),
    ("evidence_offload_kind_known", lambda: offload(kind="thing")),
    ("evidence_offload_state_known", lambda: offload(state="lost")),
    ("evidence_offload_digest_hex", lambda: offload(sent_sha256="")),
    ("evidence_camera_journal_recording_id_key", lambda: [
        journal(stream=stream, recording=Recording.objects.first()) for stream in "ab"
    ]),
    ("evidence_journal_once", lambda: [journal(), journal()]),
    ("evidence_journal_verdict_known", lambda: journal(verdict="fine")),
    ("evidence_journal_proven_of_all", lambda: journal(proven_fragments=2)),
    ("evidence_event_once", lambda: [event(), event()]),
    ("evidence_attachment_kind_known", lambda: attachment(kind="thing")),
    ("evidence_attachment_once", lambda: [attachment(), attachment()]),
    ("evidence_destination_name_key", lambda: [destination(), destination(2, name="d1")]),
    ("evidence_destination_account_key", lambda: [destination(), destination(2, account="a1")]),
    ("evidence_destination_pseudonym_key", lambda: [destination(n, pseudonym="0" * 16) for n in (1, 2)]),
    ("evidence_destination_pseudonym_hex", lambda: destination(pseudonym="xyz")),
    ("evidence_container_once", lambda: [container(), container()]),
    ("evidence_container_state_known", lambda: container(state="lost")),
    ("evidence_container_object_once", lambda: [content(), content()]),
    ("evidence_container_object_kind_known", lambda: content(kind="thing")),
]  # fmt: skip
