"""Every rule that evidence's tables keep has a row here that breaks it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from plainview.accounts.actions import add_user, new_pseudonym
from plainview.evidence.models import (
    Cue,
    Derivative,
    Device,
    DeviceAssignment,
    Original,
    Part,
    Recording,
    Restriction,
    Step,
    Transcript,
    Upload,
    Wearer,
)
from simulators.bad_camera_rows import BAD_CAMERA_ROWS
from simulators.constraints import constraints_of
from simulators.custody_rows import CLERK, START
from simulators.roster import original, receive

HOUR = timedelta(hours=1)


def original_row(word="x", **columns):
    facts = original(word)
    given = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    return Original.objects.create(
        **given | {"received_at": START, "state": "usable", "offered_name": ""} | columns
    )


def recording_row(number=1, **columns):
    given = {
        "identifier": f"R-26-9999999{number}-A",
        "source": "import",
        "received_at": START,
        "zone": "UTC",
        "clock_source": "unknown",
    }
    return Recording.objects.create(**given | columns)


def device_row(**columns):
    return Device.objects.create(
        **{"make": "a", "serial": "b", "kind": "body", "pseudonym": new_pseudonym(), "added_at": START}
        | columns
    )


def wearer_row(**columns):
    return Wearer.objects.create(
        **{"recording": Recording.objects.first(), "basis": "person", "recorded_at": START} | columns
    )


def assignment_row(**columns):
    return DeviceAssignment.objects.create(
        **{"device": Device.objects.first(), "valid_from": START, "recorded_at": START} | columns
    )


def part_row(**columns):
    given = {"recording": Recording.objects.first(), "number": 2, "original_id": original_row().pk}
    return Part.objects.create(**given | {"offered_name": ""} | columns)


def step_row():
    return Step.objects.create(original=Original.objects.first(), name="derive", queued_at=START)


def step_change(**columns):
    return Step.objects.filter(name="derive").update(**columns)


def derivative_row(**columns):
    given = {
        "original": Original.objects.first(),
        "kind": "waveform",
        "object_id": "0" * 32,
        "made_at": START,
    }
    sizes = {"object_bytes": 1, "size_bytes": 1, "object_sha256": "0" * 64, "sha256": "0" * 64}
    return Derivative.objects.create(**given | sizes | {"tool": "", "settings": {}, "facts": {}} | columns)


def transcript_row(**columns):
    given = {"original": Original.objects.first(), "settings": {}, "input_sha256": "0" * 64, "made_at": START}
    return Transcript.objects.create(**given | {"notice": "hint"} | columns)


def upload_row(**columns):
    who = add_user(username="a.clerk", name="A. Clerk", password=None, actor=CLERK, now=START)
    given = {"name": "0" * 32, "user": who, "offered_name": "", "size_bytes": 1, "begun_at": START}
    return Upload.objects.create(**given | columns)


def cue_row(**columns):
    transcript = Transcript.objects.first() or transcript_row()
    given = {"transcript": transcript, "number": 1, "start_ms": 0, "end_ms": 1, "text": "", "words": []}
    return Cue.objects.create(**given | columns)


def restriction_row(**columns):
    given = {"recording": Recording.objects.first(), "placed_at": START, "reason": ""}
    return Restriction.objects.create(**given | columns)


BAD_ROWS = [
    ("evidence_device_serial_once", lambda: [device_row(), device_row()]),
    ("evidence_device_pseudonym_key", lambda: [device_row(serial=s, pseudonym="0" * 16) for s in "xy"]),
    ("evidence_device_pseudonym_hex", lambda: device_row(pseudonym="xyz")),
    ("evidence_device_kind_known", lambda: device_row(kind="drone")),
    ("evidence_device_ends_after_start", lambda: assignment_row(valid_to=START)),
    ("evidence_device_superseded_after_recorded", lambda: assignment_row(superseded_at=START - HOUR)),
    ("evidence_one_wearer_at_a_time", lambda: [assignment_row(), assignment_row(valid_from=START + HOUR)]),
    ("evidence_original_object_id_key", lambda: [original_row(), original_row(sha256="0" * 64)]),
    ("evidence_original_object_id_hex", lambda: original_row(object_id="A" * 32)),
    ("evidence_original_sha256_key", lambda: [original_row(), original_row(object_id="0" * 32)]),
    ("evidence_original_digests_hex", lambda: original_row(sha256="A" * 64)),
    ("evidence_original_digests_hex", lambda: original_row(chunk_root="0" * 63)),
    ("evidence_original_digests_hex", lambda: original_row(object_sha256="")),
    ("evidence_original_not_empty", lambda: original_row(size_bytes=0)),
    ("evidence_original_not_empty", lambda: original_row(object_bytes=2_411_585)),
    ("evidence_original_state_known", lambda: original_row(state="lost")),
    ("evidence_original_quarantine_has_reason", lambda: original_row(state="quarantined")),
    ("evidence_original_quarantine_has_reason", lambda: original_row(reason="no_video")),
    ("evidence_recording_identifier_key", lambda: [recording_row(), recording_row()]),
    ("evidence_recording_identifier", lambda: recording_row(identifier="R-26-00004217-i")),
    ("evidence_recording_identifier", lambda: recording_row(identifier="R-26-0000421-7-I")),
    ("evidence_recording_source_known", lambda: recording_row(source="found")),
    ("evidence_recording_clock_known", lambda: recording_row(clock_source="wall")),
    ("evidence_recording_start_has_clock", lambda: recording_row(started_at=START)),
    ("evidence_recording_start_has_clock", lambda: recording_row(clock_source="file")),
    ("evidence_recording_ends_after_start", lambda: recording_row(ended_at=START)),
    (
        "evidence_recording_ends_after_start",
        lambda: recording_row(clock_source="file", started_at=START, ended_at=START - HOUR),
    ),
    ("evidence_part_number_once", lambda: part_row(number=1)),
    ("evidence_part_original_once", lambda: part_row(original_id=Original.objects.first().pk)),
    ("evidence_part_number_from_1", lambda: part_row(number=0)),
    ("evidence_one_believed_wearer", lambda: [wearer_row(), wearer_row()]),
    ("evidence_wearer_basis_known", lambda: wearer_row(basis="rumour")),
    ("evidence_wearer_superseded_after_recorded", lambda: wearer_row(superseded_at=START - HOUR)),
    ("evidence_step_once", step_row),
    ("evidence_step_known", lambda: step_change(name="dance")),
    ("evidence_step_state_known", lambda: step_change(state="lost")),
    ("evidence_step_fraction", lambda: step_change(fraction=1.1)),
    ("evidence_step_fraction", lambda: step_change(fraction=-0.1)),
    ("evidence_step_parked_has_reason", lambda: step_change(state="parked")),
    ("evidence_derivative_object_id_key", lambda: [derivative_row(), derivative_row(kind="storyboard")]),
    ("evidence_derivative_kind_known", lambda: derivative_row(kind="mask")),
    ("evidence_derivative_object_id_hex", lambda: derivative_row(object_id="A" * 32)),
    ("evidence_derivative_digests_hex", lambda: derivative_row(sha256="")),
    ("evidence_derivative_digests_hex", lambda: derivative_row(object_sha256="A" * 64)),
    ("evidence_transcript_notice_known", lambda: transcript_row(notice="truth")),
    ("evidence_transcript_input_hex", lambda: transcript_row(input_sha256="")),
    ("evidence_cue_number_once", lambda: [cue_row(), cue_row()]),
    ("evidence_cue_span", lambda: cue_row(end_ms=-1)),
    ("evidence_cue_span", lambda: cue_row(start_ms=-1)),
    ("evidence_one_running_restriction", lambda: [restriction_row(), restriction_row()]),
    ("evidence_restriction_lifted_after_placed", lambda: restriction_row(lifted_at=START - HOUR)),
    ("evidence_upload_name_hex", lambda: upload_row(name="0" * 31)),
    ("evidence_upload_name_hex", lambda: upload_row(name="A" * 32)),
    ("evidence_upload_not_empty", lambda: upload_row(size_bytes=0)),
    ("evidence_upload_state_known", lambda: upload_row(state="lost")),
    *BAD_CAMERA_ROWS,
]


@pytest.mark.parametrize(("constraint", "break_it"), BAD_ROWS, ids=[name for name, _ in BAD_ROWS])
def test_the_database_refuses_a_row_that_breaks_a_rule(undone, constraint, break_it):
    receive("a", device=device_row(serial="X100"))
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        break_it()


def test_every_constraint_of_evidence_has_a_row_that_breaks_it():
    assert constraints_of("evidence") <= {name for name, _ in BAD_ROWS}
