"""Recordings of several parts, triggers, wearers as cameras say, and files that come along."""

from dataclasses import replace
from datetime import timedelta

import pytest

from plainview.accounts.actions import add_officer
from plainview.accounts.queries import officer_key
from plainview.custody.models import Act
from plainview.evidence import queries
from plainview.evidence.actions import add_device, add_part, adopt_object
from plainview.evidence.attachment_actions import attach_file
from plainview.evidence.camera_models import Attachment
from plainview.evidence.errors import AlreadyReceivedError
from plainview.evidence.models import Original, Part, Recording, SearchRow, Step, Wearer
from plainview.evidence.rules import Trigger
from simulators.custody_rows import CLERK, START
from simulators.roster import PROBE, original, receive

BY = {"actor": CLERK, "now": START}
TEN_SECONDS = replace(PROBE, found={"duration_ms": 10_000})


def another(recording, word, **more):
    asked = {"original": original(word), "probe": TEN_SECONDS, "offered_name": "clip2.mp4", **BY} | more
    return add_part(recording=recording, **asked)


def attach(word, **more):
    asked = {"original": original(word), "kind": "key", "recording": None, "offered_name": "a.key", **BY}
    return attach_file(**asked | more)


def test_a_second_file_of_one_press_is_the_recordings_second_part(undone):
    recording = receive("a", probe=TEN_SECONDS)
    assert another(recording, "b", facts={"sent_sha256": "0" * 64}) == 2
    names = [o.offered_name for o in queries.originals_of(recording)]
    assert names == ["clip.mp4", "clip2.mp4"]
    assert SearchRow.objects.get(pk=recording.key).duration_ms == 20_000
    act = Act.objects.filter(act="recording.received").latest("id")
    assert act.object == recording.identifier
    assert (act.facts["part"], act.facts["sent_sha256"]) == (2, "0" * 64)
    assert act.facts["object"] == original("b").object_id
    assert Step.objects.filter(original__sha256=original("b").sha256).exists()


def test_bytes_that_are_a_part_already_are_no_second_part(undone):
    recording = receive("a")
    with pytest.raises(AlreadyReceivedError):
        another(recording, "a")
    assert Part.objects.count() == 1


def test_what_an_interruption_left_becomes_a_part(undone):
    recording = receive("a")
    adopt_object(original=original("b"), **BY)
    another(recording, "b")
    assert Original.objects.get(sha256=original("b").sha256).state == "usable"


def test_what_the_camera_says_of_its_button_is_kept(undone):
    on, off = START - timedelta(minutes=5), START - timedelta(minutes=1)
    recording = receive("a", source="camera", trigger=Trigger(on, "Button", off, "Hold"))
    row = Recording.objects.get(pk=recording.key)
    assert (row.trigger_on_at, row.trigger_on_reason) == (on, "Button")
    assert (row.trigger_off_at, row.trigger_off_reason) == (off, "Hold")


def test_a_wearer_whom_the_camera_names_is_believed_before_the_assignment(undone):
    worn_by = officer_key(add_officer(badge="4711", name="B. Officer", **BY))
    add_device(make="Axis", model="W110", serial="X1", kind="body", **BY)
    recording = receive("a", device=queries.device_key(make="Axis", serial="X1"), wearer=worn_by)
    wearer = Wearer.objects.get()
    assert (wearer.officer_id, wearer.basis) == (worn_by.pk, "camera")
    assert SearchRow.objects.get(pk=recording.key).wearer_id == worn_by.pk


def test_a_file_that_comes_along_is_kept_as_received_with_its_act(undone):
    recording = receive("a")
    made = attach("k", recording=recording, facts={"sent_sha256": "1" * 64})
    assert made.original.state == "attached"
    act = Act.objects.get(pk=made.act_id)
    assert (act.act, act.object) == ("attachment.received", recording.identifier)
    assert act.facts["kind"] == "key"
    assert act.facts["sent_sha256"] == "1" * 64
    assert Attachment.objects.get().recording_id == recording.key


def test_attaching_the_same_again_changes_nothing(undone):
    recording = receive("a")
    first = attach("k", recording=recording)
    again = attach("k", recording=recording)
    assert (again.key, again.act_id) == (first.key, None)
    assert Act.objects.filter(act="attachment.received").count() == 1


def test_two_recordings_share_a_file_with_the_same_bytes(undone):
    first, second = receive("a"), receive("b")
    kept = attach("k", recording=first).original
    shared = attach("k", recording=second, original=original("k", object_word="copy")).original
    assert shared.facts.object_id == kept.facts.object_id
    assert Attachment.objects.count() == 2
    acts = Act.objects.filter(act="attachment.received")
    assert {act.facts["object"] for act in acts} == {kept.facts.object_id}


def test_what_an_interruption_left_becomes_an_attachment_of_a_camera(undone):
    adopt_object(original=original("k"), **BY)
    add_device(make="Axis", model="W110", serial="X1", kind="body", **BY)
    made = attach(
        "k", device=queries.device_key(make="Axis", serial="X1"), act="journal.received", kind="journal"
    )
    act = Act.objects.get(pk=made.act_id)
    assert (act.act, act.object) == ("journal.received", f"original:{original('k').object_id}")
    assert Original.objects.get().state == "attached"
