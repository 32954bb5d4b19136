"""One press of a button on a camera of a connected system becomes one recording, however it was sent."""

import json
from datetime import timedelta

import pytest

from plainview.accounts.actions import add_officer
from plainview.custody.models import Act, Words
from plainview.evidence import queries
from plainview.evidence.camera_models import (
    Attachment,
    DestinationContainer,
    DestinationObject,
    Marker,
    Track,
)
from plainview.evidence.destination_queries import arriving_object_ids
from plainview.evidence.models import Device, Original, Part, Recording, Wearer
from plainview.pipeline import destination_intake
from plainview.pipeline.destination_intake import keep_destinations, take_in_container
from plainview.pipeline.intake import settle
from plainview.service.errors import JailError
from plainview.vault.reader import open_object
from simulators.axis_system import (
    BUFFER,
    SERIAL,
    TRIGGERED_AT,
    USER,
    Sent,
    bookmark,
    clip,
    encrypted,
    press,
    track,
)
from simulators.custody_rows import CLERK, START
from simulators.plain_jail import PlainJail
from simulators.premises import make_intake

FOOTAGE, MORE, LAST = b"footage " * 20_000, b"more footage " * 1000, b"the last of it " * 1000


def acts(name):
    return list(Act.objects.filter(act=name).order_by("id"))


def container(pressed):
    return DestinationContainer.objects.get(name=pressed.name)


def part_names():
    return list(Part.objects.order_by("number").values_list("offered_name", flat=True))


def plaintext(department, original):
    installation = department.installation
    with open_object(installation.store, installation.keys, original.object_id) as reader:
        return reader.read()


def vault_is_whole(department):
    """Say whether every object of the vault is an original's, and nothing else lies there."""
    return set(department.installation.store.names()) == queries.known_object_ids()


def tasks():
    return [(act.facts["kind"], act.object) for act in acts("task.opened")]


# --- one press, one recording


def test_the_clips_of_one_press_are_the_parts_of_one_recording_in_the_order_they_were_made(
    department, system
):
    pressed = press(FOOTAGE, MORE, LAST)
    assert system.begin(pressed) == 201
    assert [system.put(pressed.name, sent) for sent in reversed(pressed.objects)] == [201, 201, 201]
    assert system.complete(pressed) == 204
    assert department.take_in() == 1
    recording = Recording.objects.get()
    assert part_names() == [sent.name for sent in pressed.objects]
    assert (recording.source, recording.clock_source) == ("camera", "camera")
    assert recording.zone == "America/New_York"
    assert recording.trigger_on_at - recording.started_at == BUFFER
    assert (recording.trigger_on_reason, recording.trigger_off_reason) == ("Button", "Button")
    assert recording.ended_at == TRIGGERED_AT - BUFFER + timedelta(seconds=30)
    device = Device.objects.get()
    assert (device.make, device.serial, device.model) == ("Axis", SERIAL, "W110")
    assert recording.device_id == device.pk
    assert (container(pressed).state, container(pressed).recording_id) == ("received", recording.pk)
    received = acts("recording.received")
    assert [act.facts.get("part") for act in received] == [None, 2, 3]
    made = acts("destination.made")[0].object
    assert {act.facts["destination"] for act in received} == {made.partition(":")[2]}
    assert vault_is_whole(department)


def test_what_was_sent_is_what_is_kept_to_the_byte(department, system):
    system.hand_in(press(FOOTAGE))
    department.take_in()
    assert plaintext(department, Original.objects.get()) == FOOTAGE


def test_nothing_is_a_recording_before_its_system_says_complete(department, system):
    pressed = press(FOOTAGE)
    system.begin(pressed)
    system.put(pressed.name, pressed.objects[0])
    assert department.take_in() == 0
    assert Recording.objects.count() == 0


def test_bookmarks_and_the_track_come_along(department, system):
    beside = [
        bookmark(
            "Driver says he was alone.",
            at=TRIGGERED_AT,
            CategoryName="Traffic stop",
            CategoryID="1",
            Tags="TriggerOn:Button",
        ),
        bookmark(at=TRIGGERED_AT + timedelta(seconds=5), number=2),
        track((0.0, 13.221184, 55.718409), (12.5, 13.220701, 55.718702)),
    ]
    pressed = press(FOOTAGE, beside=beside)
    system.hand_in(pressed)
    department.take_in()
    said, silent = Marker.objects.order_by("start_ms")
    assert (said.start_ms, said.category, said.text) == (30_000, "Traffic stop", "Driver says he was alone.")
    assert said.particulars["tags"] == "TriggerOn:Button"
    assert (silent.start_ms, silent.text) == (35_000, "")
    assert Track.objects.get().points == [
        [0, 55.718409, 13.221184, None],
        [12500, 55.718702, 13.220701, None],
    ]
    assert sorted(Attachment.objects.values_list("kind", flat=True)) == ["bookmark", "track"]
    assert set(Original.objects.values_list("state", flat=True)) == {"usable", "attached"}
    assert vault_is_whole(department)


def test_a_user_whose_number_is_on_the_roster_is_the_wearer(department, system):
    officer = add_officer(badge="4417", name="Ana Reyes", actor=CLERK, now=START)
    system.put("Users", Sent(USER, b"", {"Name": "Reyes, A.", "UserID": "4417", "Active": "True"}))
    system.hand_in(press(FOOTAGE))
    department.take_in()
    wearer = Wearer.objects.get()
    assert (wearer.officer_id, wearer.basis) == (officer.pk, "camera")


def test_a_user_nobody_knows_leaves_the_wearer_unknown_and_the_recording_kept(department, system):
    system.put("Users", Sent(USER, b"", {"Name": "Somebody", "UserID": "none"}))
    system.hand_in(press(FOOTAGE))
    department.take_in()
    assert Recording.objects.count() == 1
    assert Wearer.objects.count() == 0


def test_a_camera_is_known_once_it_is_registered_and_once_only(department, system):
    for _ in range(2):
        assert system.put("Devices", Sent(SERIAL, b"", {"Name": "Car 12", "Model": "W120"})) == 201
    system.hand_in(press(FOOTAGE))
    department.take_in()
    assert [(d.serial, d.model) for d in Device.objects.all()] == [(SERIAL, "W120")]
    assert len(acts("device.added")) == 1


def test_times_that_no_metadata_says_are_looked_for_in_the_file(department, system):
    pressed = press(FOOTAGE)
    system.ask("PUT", pressed.name)
    system.put(pressed.name, pressed.objects[0])
    system.complete(pressed)
    department.take_in()
    recording = Recording.objects.get()
    assert (recording.started_at, recording.clock_source) == (None, "unknown")
    assert Device.objects.get().serial == SERIAL


# --- again, late, or never


def test_every_call_made_twice_makes_one_recording(department, system):
    pressed = press(FOOTAGE, MORE, beside=[bookmark("Seen.")])
    assert system.begin(pressed) == 201
    assert system.begin(pressed) == 202
    for sent in pressed.objects:
        assert (system.put(pressed.name, sent), system.put(pressed.name, sent)) == (201, 201)
    assert (system.complete(pressed), system.complete(pressed)) == (204, 204)
    department.take_in()
    assert system.hand_in(pressed) == [202, 201, 201, 201, 204]
    assert department.take_in() == 0
    assert (Recording.objects.count(), Part.objects.count(), Marker.objects.count()) == (1, 2, 1)
    assert vault_is_whole(department)


def test_a_clip_that_comes_late_is_one_more_part(department, system):
    pressed = press(FOOTAGE, MORE)
    system.begin(pressed)
    system.put(pressed.name, pressed.objects[0])
    system.complete(pressed)
    department.take_in()
    assert system.put(pressed.name, pressed.objects[1]) == 201
    assert container(pressed).state == "complete"
    department.take_in()
    assert part_names() == [sent.name for sent in pressed.objects]
    assert container(pressed).state == "received"


def test_metadata_that_comes_late_is_kept_and_changes_no_recording(department, system):
    pressed = press(FOOTAGE)
    system.hand_in(pressed)
    department.take_in()
    before = Recording.objects.values().get()
    late = {"X-Container-Meta-Triggeroff": "Power", "X-Container-Meta-Starttimeiso": "2001-01-01T00:00:00Z"}
    assert system.ask("POST", pressed.name, headers=late).status_code == 204
    assert container(pressed).metadata["triggeroff"] == "Power"
    assert Recording.objects.values().get() == before


def test_other_bytes_under_the_same_name_stand_in_its_place_and_the_first_are_kept(department, system):
    pressed = press(FOOTAGE)
    system.begin(pressed)
    system.put(pressed.name, pressed.objects[0])
    other = Sent(pressed.objects[0].name, MORE, pressed.objects[0].metadata)
    assert system.put(pressed.name, other) == 201
    system.complete(pressed)
    department.take_in()
    assert plaintext(department, Part.objects.get().original) == MORE
    aside = Original.objects.get(state="quarantined")
    assert plaintext(department, aside) == FOOTAGE
    assert aside.reason == "replaced"


def test_what_its_system_never_completed_is_taken_in_as_far_as_it_came_and_says_so(department, system):
    pressed = press(FOOTAGE)
    system.begin(pressed)
    system.put(pressed.name, pressed.objects[0])
    begun = DestinationContainer.objects.get(name=pressed.name).begun_at
    assert keep_destinations(now=begun + timedelta(hours=71)) == 0
    assert keep_destinations(now=begun + timedelta(hours=73)) == 1
    department.take_in()
    assert part_names() == [pressed.objects[0].name]
    assert container(pressed).reason == "never_complete"
    assert tasks() == [("import_unclear", Recording.objects.get().identifier)]


def test_a_job_that_was_lost_is_looked_for(department, system):
    pressed = press(FOOTAGE)
    system.hand_in(pressed)
    department.take_in()
    DestinationContainer.objects.filter(name=pressed.name).update(state="complete")
    keep_destinations(now=container(pressed).begun_at + timedelta(minutes=11))
    assert department.take_in() == 1
    assert container(pressed).state == "received"


def test_the_same_footage_by_another_connection_is_the_recording_it_was(department, system):
    system.hand_in(press(FOOTAGE))
    department.take_in()
    other = department.connect()
    other.hand_in(press(FOOTAGE))
    department.take_in()
    assert Recording.objects.count() == 1
    assert set(DestinationContainer.objects.values_list("recording_id", flat=True)) == {
        Recording.objects.get().pk
    }
    assert len(acts("recording.offered_again")) == 1
    assert vault_is_whole(department)


def test_a_recording_without_a_clip_is_asked_about(department, system):
    pressed = press(beside=[bookmark("Forgot to press.")])
    system.hand_in(pressed)
    department.take_in()
    assert Recording.objects.count() == 0
    assert Attachment.objects.get().recording is None
    assert [kind for kind, _ in tasks()] == ["import_unclear"]
    assert f"It came as {pressed.name} from Station 1." in Words.objects.latest("act_id").detail["why"]


# --- interruptions


def test_a_start_leaves_alone_what_systems_are_handing_in(department, system):
    pressed = press(FOOTAGE)
    system.begin(pressed)
    system.put(pressed.name, pressed.objects[0])
    assert settle(department.intake) == 0
    assert arriving_object_ids() == set(department.installation.store.names())
    system.complete(pressed)
    department.take_in()
    assert Recording.objects.count() == 1


class StoppedError(BaseException):
    """Stands for a loss of power."""


def test_interrupted_after_any_step_it_goes_on_to_the_same_recording(department, monkeypatch):
    system = department.connect(is_encrypted=True)
    stopped = [step for step in range(20) if is_stopped_and_goes_on(department, monkeypatch, system, step)]
    assert stopped == list(range(len(stopped)))
    assert 10 <= len(stopped) < 20
    assert vault_is_whole(department)


def is_stopped_and_goes_on(department, monkeypatch, system, step):
    """Stop after a step, start again, and see one recording; say whether there was such a step."""
    first = press(b"footage %d" % step * 1000, b"more %d" % step * 1000).objects
    beside = [*encrypted(first[1], system.connection), bookmark(f"Seen {step}."), track((step, 1.0, 2.0))]
    beside = [*encrypted(first[0], system.connection), *beside]
    pressed = press(beside=beside, at=TRIGGERED_AT + timedelta(hours=step))
    system.hand_in(pressed)
    undo = stop_after(monkeypatch, step)
    try:
        department.take_in()
        is_stopped = False
    except StoppedError:
        is_stopped = True
    for place, name, real in undo:
        monkeypatch.setattr(place, name, real)
    if is_stopped:
        settle(department.intake)
        take_in_container(department.intake, container(pressed).pk)
    recording = container(pressed).recording
    assert [part.offered_name for part in recording.parts.order_by("number")] == [each.name for each in first]
    assert (recording.markers.count(), recording.tracks.count()) == (1, 1)
    assert container(pressed).state == "received"
    return is_stopped


STEPS = ("receive", "discard", "publish")
DEEDS = ("receive_clip", "attach_object", "forget_sent_object", "end_container")


def stop_after(monkeypatch, step):
    """Stop after so many of the steps that change something; return what puts them back."""
    left = [step]

    def stopping(real):
        def done(*arguments, **given):
            made = real(*arguments, **given)
            if left[0] == 0:
                raise StoppedError
            left[0] -= 1
            return made

        return done

    steps = [(destination_intake, name) for name in STEPS]
    steps += [(destination_intake.actions, name) for name in DEEDS]
    before = [(place, name, getattr(place, name)) for place, name in steps]
    for place, name, real in before:
        monkeypatch.setattr(place, name, stopping(real))
    return before


def test_a_jail_that_fails_changes_nothing_and_leaves_nothing(department):
    system = department.connect(is_encrypted=True)
    sent = press(FOOTAGE).objects[0]
    pressed = press(beside=encrypted(sent, system.connection))
    system.hand_in(pressed)
    broken = make_intake(department.installation, jail=PlainJail(is_broken=True))
    with pytest.raises(JailError):
        take_in_container(broken, container(pressed).pk)
    assert set(department.installation.store.names()) == arriving_object_ids()
    department.take_in()
    assert Recording.objects.count() == 1


def test_an_object_that_the_disk_lost_is_asked_about_and_the_others_are_taken_in(department, system):
    pressed = press(FOOTAGE, MORE)
    system.hand_in(pressed)
    lost = DestinationObject.objects.get(name=pressed.objects[0].name)
    department.installation.store.delete(lost.object_id)
    department.take_in()
    assert part_names() == [pressed.objects[1].name]
    assert tasks() == [("import_unclear", f"container:{container(pressed).pk}")]
    assert container(pressed).state == "complete"


# --- what was encrypted on its way


def test_an_encrypted_clip_is_kept_as_what_it_decrypts_to_and_its_leaf_says_what_came(department):
    system = department.connect(is_encrypted=True)
    sent = press(FOOTAGE).objects[0]
    locked, key = encrypted(sent, system.connection)
    system.hand_in(press(beside=[locked, key]))
    department.take_in()
    assert plaintext(department, Part.objects.get().original) == FOOTAGE
    facts = acts("recording.received")[0].facts
    came = DestinationObject.objects.get(name=locked.name)
    assert (facts["sent_sha256"], facts["sent_bytes"]) == (came.sha256, len(locked.data))
    assert facts["content_key"] == system.connection["PublicKeyId"]
    assert Attachment.objects.get().kind == "key"
    assert vault_is_whole(department)


def test_a_track_is_decrypted_too(department):
    system = department.connect(is_encrypted=True)
    locked, key = encrypted(track((0.0, 13.0, 55.0)), system.connection)
    clip_sent, clip_key = encrypted(press(FOOTAGE).objects[0], system.connection)
    system.hand_in(press(beside=[clip_sent, clip_key, locked, key]))
    department.take_in()
    assert Track.objects.get().points == [[0, 55.0, 13.0, None]]
    assert json.loads(plaintext(department, Attachment.objects.get(kind="track").original))
    assert vault_is_whole(department)


def test_a_recording_older_than_its_connection_opens_with_the_key_it_names(department):
    first, second = department.connect(is_encrypted=True), department.connect(is_encrypted=True)
    second.hand_in(press(beside=encrypted(press(FOOTAGE).objects[0], first.connection)))
    department.take_in()
    assert plaintext(department, Part.objects.get().original) == FOOTAGE


def broken_key(system, sent):
    return Sent(sent.name, b'{"EncryptedKey": "', sent.metadata)


def another_key(system, sent):
    said = json.loads(sent.data) | {"ContentEncryptionIV": "AAAA"}
    return Sent(sent.name, json.dumps(said).encode(), sent.metadata)


@pytest.mark.parametrize("spoil", [broken_key, another_key])
def test_a_clip_whose_key_file_is_broken_is_kept_as_it_came_with_the_reason(department, spoil):
    system = department.connect(is_encrypted=True)
    locked, key = encrypted(press(FOOTAGE).objects[0], system.connection)
    system.hand_in(press(beside=[locked, spoil(system, key)]))
    department.take_in()
    kept = Original.objects.get(state="quarantined")
    assert kept.reason == "not_decrypted"
    assert plaintext(department, kept) == locked.data
    assert "quarantined_file" in [kind for kind, _ in tasks()]


def test_a_clip_encrypted_to_somebody_elses_key_is_kept_as_it_came(department):
    ours, theirs = department.connect(is_encrypted=True), department.connect(is_encrypted=True)
    named_wrongly = theirs.connection | {"PublicKeyId": ours.connection["PublicKeyId"]}
    ours.hand_in(press(beside=encrypted(press(FOOTAGE).objects[0], named_wrongly)))
    department.take_in()
    assert Original.objects.get(state="quarantined").reason == "not_decrypted"
    assert Recording.objects.count() == 0


def test_an_altered_clip_is_kept_as_it_came(department):
    system = department.connect(is_encrypted=True)
    locked, key = encrypted(press(FOOTAGE).objects[0], system.connection)
    cut = Sent(locked.name, locked.data[:-16], locked.metadata)
    system.hand_in(press(beside=[cut, key]))
    department.take_in()
    kept = Original.objects.get(state="quarantined")
    assert plaintext(department, kept) == cut.data
    assert vault_is_whole(department)


def test_what_decrypts_to_no_footage_is_kept_as_it_came(department):
    system = department.connect(is_encrypted=True)
    locked, key = encrypted(clip(b"text and no picture", TRIGGERED_AT), system.connection)
    system.hand_in(press(beside=[locked, key]))
    department.take_in()
    kept = Original.objects.get(state="quarantined")
    assert (kept.reason, plaintext(department, kept)) == ("not_media", locked.data)
    assert vault_is_whole(department)


def test_an_encrypted_clip_by_a_connection_without_a_key_is_kept_as_it_came(department, system):
    made = department.connect(is_encrypted=True).connection
    locked, key = encrypted(press(FOOTAGE).objects[0], made | {"PublicKeyId": ""})
    system.hand_in(press(beside=[locked, key]))
    department.take_in()
    assert Original.objects.get(state="quarantined").reason == "not_decrypted"


# --- what cannot be used, and what was refused before


def test_a_clip_that_cannot_be_played_is_kept_and_the_others_are_the_recording(department, system):
    system.hand_in(press(b"text is no footage", MORE))
    department.take_in()
    assert Original.objects.get(state="quarantined").reason == "not_media"
    assert Part.objects.count() == 1


def test_rejected_content_is_taken_whatever_it_is_and_a_person_is_asked(department, system):
    name = "RejectedContent_UnknownTime_5f0f7a4e-1f7e-4a8e-8d15-6f1b1f8c6d11"
    why = {"X-Container-Meta-Rejectedcontentreason": "corrupt%20data"}
    assert system.ask("PUT", name, headers=why).status_code == 201
    for number, data in enumerate([FOOTAGE, b"\0\0\0", b"text"]):
        assert system.put(name, clip(data, TRIGGERED_AT, number)) == 201
        department.take_in()
    assert Original.objects.filter(state="quarantined", reason="rejected_content").count() == 3
    assert [kind for kind, _ in tasks()] == ["quarantined_file"] * 3
    assert DestinationContainer.objects.get(name=name).state == "rejected"
    assert Recording.objects.count() == 0


def test_objects_that_no_specification_names_are_kept(department, system):
    system.hand_in(press(FOOTAGE, beside=[Sent("notes.docx", b"PK\x03\x04"), Sent("empty.mp4")]))
    department.take_in()
    assert Original.objects.get(state="quarantined").offered_name == "notes.docx"
    assert Part.objects.count() == 1


def test_two_cameras_with_the_same_note_share_its_bytes(department, system):
    system.hand_in(press(FOOTAGE, beside=[bookmark("Fight.")]))
    system.hand_in(press(MORE, at=TRIGGERED_AT + timedelta(hours=1), beside=[bookmark("Fight.")]))
    department.take_in()
    assert Attachment.objects.count() == 2
    assert Original.objects.filter(state="attached").count() == 1
    assert vault_is_whole(department)


def test_a_recording_with_ten_thousand_bookmarks_is_one_recording_and_the_next_object_is_refused(
    department, system
):
    pressed = press(FOOTAGE)
    system.begin(pressed)
    assert system.put(pressed.name, pressed.objects[0]) == 201
    nothing = {"kind": "bookmark", "size_bytes": 0, "md5": "", "sha256": "", "received_at": START}
    DestinationObject.objects.bulk_create(
        DestinationObject(container=container(pressed), name=f"bookmark_{number}", **nothing)
        for number in range(9_999)
    )
    assert system.put(pressed.name, Sent("bookmark_late", b"x")) == 400
    system.complete(pressed)
    department.take_in()
    assert (Recording.objects.count(), Marker.objects.count()) == (1, 9_999)
