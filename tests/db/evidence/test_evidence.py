from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.accounts.actions import add_officer
from plainview.accounts.errors import SpanError
from plainview.accounts.queries import officer_key
from plainview.accounts.rules import Viewer
from plainview.custody.models import Act, Words
from plainview.evidence import queries
from plainview.evidence.actions import (
    add_device,
    adopt_object,
    assign_device,
    offer_again,
    printable_words,
    quarantine_file,
    receive_recording,
    set_wearer,
    skip_recording_numbers,
)
from plainview.evidence.errors import AlreadyReceivedError, DeviceTakenError, NoSuchRecordingError, TimesError
from plainview.evidence.models import Device, Original, Part, Probe, Recording, Wearer
from plainview.evidence.rules import CaptureTimes
from plainview.formats.ids import check_identifier, format_identifier
from plainview.formats.leaf import commitment
from simulators.custody_rows import CLERK, START
from simulators.databases import at_once
from simulators.roster import CHUNK_TIMES, PROBE, TIMES, UNKNOWN_TIMES, digest, original, receive

HOUR = timedelta(hours=1)
BY = {"actor": CLERK, "now": START}
OPERATOR = Viewer(is_operator=True)


def device(serial="X100", **more):
    asked = {"make": "Axis", "model": "W110", "serial": serial, "kind": "body", **BY} | more
    return add_device(**asked)


def officer(badge="4711"):
    return add_officer(badge=badge, name="B. Officer", **BY)


def quarantine(word, **more):
    asked = {
        "original": original(word),
        "reason": "no_video",
        "reason_text": "It holds no video.",
        "offered_name": "clip.mp4",
        **BY,
    } | more
    return quarantine_file(**asked)


def acts(*names):
    """Return the newest acts, which must be these, the last one last."""
    rows = list(Act.objects.order_by("-id")[: len(names)])[::-1]
    assert tuple(row.act for row in rows) == names
    for row in rows:
        assert (row.actor, row.at, row.outcome) == (CLERK.pseudonym, START, "ok")
    return rows


def words_of(act):
    """Return the words behind an act's detail, having checked that they fit its commitment."""
    kept = Words.objects.get(act_id=act.pk)
    assert act.detail == commitment(salt=bytes(kept.detail_salt), words=kept.detail)
    return kept.detail


def original_facts(word):
    facts = original(word)
    return {
        "object": facts.object_id,
        "object_sha256": facts.object_sha256,
        "sha256": facts.sha256,
        "chunk_root": facts.chunk_root,
        "size_bytes": facts.size_bytes,
    }


# --- each action and its act


def test_receiving_a_recording_is_an_act_with_its_digests_and_another_for_what_was_found(undone):
    recording = receive("a")
    received, probed = acts("recording.received", "recording.probed")
    assert received.object == probed.object == recording.identifier
    assert received.facts == original_facts("a")
    assert words_of(received) == {"offered_name": "clip.mp4"}
    assert probed.facts == {
        "sha256": original("a").sha256,
        "chunk_times_sha256": sha256(CHUNK_TIMES).hexdigest(),
        "tool": "plainview.media 0.1.0",
    }
    assert Probe.objects.get().act_id == probed.pk


def test_a_file_that_cannot_be_used_is_kept_and_the_act_says_why(undone):
    quarantine("a")
    act, asked = acts("file.quarantined", "task.opened")
    assert asked.object == act.object
    assert (act.object, act.why) == (f"original:{original('a').object_id}", "no_video")
    assert act.facts == original_facts("a")
    assert words_of(act) == {"offered_name": "clip.mp4", "reason": "It holds no video."}
    known = queries.original_by_sha256(original("a").sha256)
    assert (known.state, known.reason, known.reason_text) == ("quarantined", "no_video", "It holds no video.")


def test_offering_the_same_bytes_again_is_an_act_on_the_recording(undone):
    recording = receive("a")
    known = queries.original_by_sha256(original("a").sha256)
    offer_again(original=known, recording=recording, offered_name="copy.mp4", **BY)
    (act,) = acts("recording.offered_again")
    assert (act.object, act.facts) == (recording.identifier, {"sha256": original("a").sha256})
    assert words_of(act) == {"offered_name": "copy.mp4"}
    assert Recording.objects.count() == 1


def test_offering_again_what_is_quarantined_is_an_act_on_the_original(undone):
    quarantine("a")
    known = queries.original_by_sha256(original("a").sha256)
    assert queries.first_recording_of(known) is None
    offer_again(original=known, recording=None, offered_name="copy.mp4", **BY)
    (act,) = acts("recording.offered_again")
    assert act.object == f"original:{original('a').object_id}"


def test_adopting_stored_bytes_is_an_act(undone):
    adopt_object(original=original("a"), **BY)
    (act,) = acts("object.adopted")
    assert (act.object, act.facts) == (f"original:{original('a').object_id}", original_facts("a"))
    assert queries.original_by_sha256(original("a").sha256).state == "adopted"


def test_adding_a_device_is_an_act_that_names_no_serial_number(undone):
    added = device()
    (act,) = acts("device.added")
    assert (act.object, act.facts) == (f"device:{added.pseudonym}", {"kind": "body"})
    assert words_of(act) == {"make": "Axis", "model": "W110", "serial": "X100"}
    assert "X100" not in str(Act.objects.values().get())


def test_assigning_a_device_is_an_act(undone):
    camera, who = device(), officer_key(officer())
    assign_device(device=camera, officer=who, valid_from=START, valid_to=START + HOUR, **BY)
    (act,) = acts("device.assigned")
    assert (act.object, act.facts) == (f"device:{camera.pseudonym}", {"officer": who.pseudonym})
    assert words_of(act) == {"from": START.isoformat(), "to": (START + HOUR).isoformat()}
    assign_device(device=camera, officer=None, valid_from=START, valid_to=None, **BY)
    (act,) = acts("device.assigned")
    assert act.facts == {"officer": "none"}
    assert words_of(act) == {"from": START.isoformat(), "to": None}


def test_saying_who_wore_the_camera_is_an_act_with_its_reason(undone):
    recording, who = receive("a"), officer_key(officer())
    set_wearer(recording=recording, officer=who, reason="badge seen at 02:13", **BY)
    (act,) = acts("wearer.set")
    assert (act.object, act.facts) == (recording.identifier, {"officer": who.pseudonym})
    assert words_of(act) == {"reason": "badge seen at 02:13"}
    set_wearer(recording=recording, officer=None, reason="a mistake", **BY)
    (act,) = acts("wearer.set")
    assert act.facts == {"officer": "none"}


def test_saying_again_what_is_believed_is_no_act(undone):
    recording, camera, who = receive("a"), device(), officer_key(officer())
    set_wearer(recording=recording, officer=who, reason="seen", **BY)
    assign_device(device=camera, officer=who, valid_from=START, valid_to=None, **BY)
    count = Act.objects.count()
    set_wearer(recording=recording, officer=who, reason="seen again", **BY)
    assign_device(device=camera, officer=who, valid_from=START + HOUR, valid_to=START + 2 * HOUR, **BY)
    set_wearer(recording=receive("b"), officer=None, reason="nobody knows", **BY)
    set_wearer(
        recording=queries.access_recording(viewer=OPERATOR, identifier=recording.identifier),
        officer=who,
        reason="",
        **BY,
    )
    assert [act.act for act in Act.objects.order_by("id")[count:]] == [
        "recording.received",
        "recording.probed",
        "wearer.set",
    ]


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda: receive("a"), AlreadyReceivedError),
        (lambda: quarantine("a"), AlreadyReceivedError),
        (lambda: receive("a", original=original("a", object_word="another copy")), AlreadyReceivedError),
        (lambda: receive("b", times=CaptureTimes(None, None, "UTC", "file")), TimesError),
        (device, DeviceTakenError),
        (
            lambda: assign_device(
                device=Device.objects.get(), officer=None, valid_from=START, valid_to=START, **BY
            ),
            SpanError,
        ),
    ],
)
def test_what_is_refused_leaves_neither_row_nor_act(undone, refused, error):
    receive("a")
    device()
    before = [list(model.objects.values()) for model in (Act, Original, Recording, Part, Probe, Device)]
    with pytest.raises(error):
        refused()
    assert [
        list(model.objects.values()) for model in (Act, Original, Recording, Part, Probe, Device)
    ] == before


def test_bytes_in_quarantine_are_received_and_no_recording_is_made_of_them(undone):
    quarantine("a")
    with pytest.raises(AlreadyReceivedError) as refused:
        receive("a")
    assert refused.value.sha256 == original("a").sha256


def test_a_broken_rule_that_is_not_about_the_bytes_is_not_called_received_before(undone):
    for wrong in ({"source": "drawer"},):
        with pytest.raises(IntegrityError, match="evidence_recording_source_known"):
            receive("a", **wrong)
    with pytest.raises(IntegrityError, match="evidence_device_kind_known"):
        device(kind="drone")


# --- two at once


def test_of_many_who_receive_the_same_bytes_at_once_one_makes_a_recording(database):
    outcomes = at_once(
        *(lambda n=n: receive("a", original=original("a", object_word=f"copy {n}")) for n in range(5))
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyReceivedError)]
    assert len(refused) == 4, outcomes
    assert (Recording.objects.count(), Original.objects.count(), Part.objects.count()) == (1, 1, 1)
    assert Act.objects.filter(act="recording.received").count() == 1


def test_of_one_who_receives_and_one_who_quarantines_one_wins(database):
    outcomes = at_once(lambda: receive("a"), lambda: quarantine("a"))
    assert sum(isinstance(outcome, AlreadyReceivedError) for outcome in outcomes) == 1, outcomes
    assert Original.objects.count() == 1
    assert Act.objects.filter(act__in=["recording.received", "file.quarantined"]).count() == 1


def test_of_many_who_use_an_adopted_original_at_once_one_makes_a_recording(database):
    adopt_object(original=original("a"), **BY)
    outcomes = at_once(*(lambda: receive("a") for _ in range(4)))
    assert sum(isinstance(outcome, AlreadyReceivedError) for outcome in outcomes) == 3, outcomes
    assert (Recording.objects.count(), Original.objects.count()) == (1, 1)


def test_different_bytes_received_at_once_get_different_identifiers(database):
    outcomes = at_once(*(lambda word=word: receive(word) for word in "abcd"))
    assert len({recording.identifier for recording in outcomes}) == 4, outcomes


def test_of_two_who_add_the_same_device_at_once_one_is_told(database):
    outcomes = at_once(device, device)
    assert sum(isinstance(outcome, DeviceTakenError) for outcome in outcomes) == 1, outcomes
    assert Act.objects.count() == 1


def test_of_many_who_set_the_wearer_at_once_one_is_believed(database):
    recording = receive("a")
    people = [officer_key(officer(str(n))) for n in range(3)]
    at_once(
        *(lambda who=who: set_wearer(recording=recording, officer=who, reason="", **BY) for who in people)
    )
    assert Wearer.objects.filter(superseded_at__isnull=True).count() == 1
    assert Wearer.objects.count() == Act.objects.filter(act="wearer.set").count() == 3


# --- originals


def test_an_adopted_original_becomes_a_recording_when_it_is_offered_again(undone):
    adopt_object(original=original("a"), **BY)
    recording = receive("a", offered_name="clip.mp4")
    (only,) = queries.originals_of(recording)
    assert (only.state, only.offered_name, only.facts) == ("usable", "clip.mp4", original("a"))
    assert Original.objects.count() == 1


def test_an_adopted_original_that_proves_unusable_is_quarantined(undone):
    adopt_object(original=original("a"), **BY)
    quarantine("a")
    assert queries.original_by_sha256(original("a").sha256).state == "quarantined"
    assert Original.objects.count() == 1


def test_another_copy_of_adopted_bytes_does_not_pass_for_the_adopted_object(undone):
    # The act would name an object that no row names.
    adopt_object(original=original("a"), **BY)
    with pytest.raises(AlreadyReceivedError):
        receive("a", original=original("a", object_word="another copy"))
    assert queries.known_object_ids() == {original("a").object_id}


def test_an_original_that_recordings_share_counts_its_references(undone):
    first, second = receive("a"), receive("b")
    shared = queries.original_by_sha256(original("a").sha256)
    assert queries.reference_count(shared) == 1
    Part.objects.create(recording_id=second.key, number=2, original_id=shared.key, offered_name="a.mp4")
    assert queries.reference_count(shared) == 2
    assert queries.first_recording_of(shared) == first
    assert [one.facts.sha256 for one in queries.originals_of(second)] == [
        digest("bytes", "b"),
        digest("bytes", "a"),
    ]
    Part.objects.filter(recording_id=first.key).delete()
    assert queries.reference_count(shared) == 1


def test_an_original_in_use_cannot_be_removed_from_the_records(undone):
    receive("a")
    with pytest.raises(IntegrityError, match=r"evidence_original|protected"), transaction.atomic():
        Original.objects.all().delete()


def test_originals_are_found_by_digest_size_and_object(undone):
    receive("a")
    quarantine("b")
    assert queries.original_by_sha256(digest("nothing")) is None
    assert queries.original_by_object(original("b").object_id).facts == original("b")
    assert queries.original_by_object("0" * 32) is None
    assert queries.has_original_of_size(2_411_585)
    assert not queries.has_original_of_size(1)
    assert queries.known_object_ids() == {original("a").object_id, original("b").object_id}
    assert [one.state for one in queries.all_originals()] == ["usable", "quarantined"]


def test_the_newest_examination_gives_the_table_of_seconds(undone):
    receive("a")
    known = queries.original_by_sha256(original("a").sha256)
    Probe.objects.create(
        original_id=known.key,
        made_at=START + HOUR,
        tool="newer",
        found={},
        chunk_times=b"newer",
        confinement={},
        act_id=0,
    )
    assert queries.chunk_times_of(known) == b"newer"
    quarantine("b")
    assert queries.chunk_times_of(queries.original_by_sha256(original("b").sha256)) is None


def test_examinations_are_kept_with_the_act_that_vouches_for_them(undone):
    receive("a")
    (kept,) = queries.kept_probes()
    act = Act.objects.get(pk=kept.act_id)
    assert (act.act, act.facts["chunk_times_sha256"]) == ("recording.probed", kept.chunk_times_sha256)


def test_every_recording_is_listed_with_its_objects(undone):
    first, second = receive("a"), receive("b")
    Part.objects.filter(recording_id=second.key).delete()
    assert list(queries.recorded_objects()) == [
        (first.identifier, original("a").object_id),
        (second.identifier, ""),
    ]


# --- names


@pytest.mark.parametrize(
    ("name", "shown", "kept"),
    [
        ("clip\n.mp4", "clip<U+000A>.mp4", "clip\n.mp4"),
        ("\u202e4pm.exe", "<U+202E>4pm.exe", "\u202e4pm.exe"),
        ("a\udcff.mp4", "a<U+DCFF>.mp4", "a\\udcff.mp4"),
        ("a\0b", "a<U+0000>b", "a\\x00b"),
        ("../../etc/passwd", "../../etc/passwd", "../../etc/passwd"),
        ("", "unnamed", ""),
        ("x" * 300, "x" * 255, "x" * 300),
        ("\n" * 255, ("<U+000A>" * 32)[:255], "\n" * 255),
    ],
)
def test_a_name_is_kept_as_offered_and_shown_so_that_it_cannot_deceive(undone, name, shown, kept):
    recording = receive("a", offered_name=name)
    assert Part.objects.get().offered_name == Original.objects.get().offered_name == shown
    assert words_of(Act.objects.get(act="recording.received")) == {"offered_name": kept}
    offer_again(original=queries.originals_of(recording)[0], recording=recording, offered_name=name, **BY)
    quarantine("b", offered_name=name)
    assert words_of(Act.objects.get(act="file.quarantined"))["offered_name"] == kept


@given(name=st.text(max_size=300))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_whatever_stops_a_recording_from_being_received(undone, name):
    with transaction.atomic():
        receive("a", offered_name=name)
        assert words_of(Act.objects.get(act="recording.received")) == {"offered_name": printable_words(name)}
        transaction.set_rollback(True)


# --- recordings


def test_identifiers_count_up_carry_the_year_at_the_place_and_check(undone):
    first = receive("a")
    second = receive("b", times=UNKNOWN_TIMES)
    assert check_identifier(first.identifier) == first.identifier
    numbers = [int(one.identifier.split("-")[2]) for one in (first, second)]
    assert numbers[1] == numbers[0] + 1
    assert first.identifier.startswith("R-26-")


def test_a_number_that_a_refusal_used_up_is_skipped_and_not_given_twice(undone):
    first = receive("a")
    with pytest.raises(AlreadyReceivedError):
        receive("a", original=original("a", object_word="another"))
    second = receive("b")
    assert second.identifier != first.identifier


def test_numbers_can_be_left_out_after_a_loss(undone):
    first = int(receive("a").identifier.split("-")[2])
    skip_recording_numbers(1000)
    assert int(receive("b").identifier.split("-")[2]) == first + 1001


def test_a_recording_is_found_by_what_a_person_types(undone):
    recording = receive("a")
    for typed in (recording.identifier, recording.identifier.lower(), recording.identifier.replace("-", " ")):
        assert queries.access_recording(viewer=OPERATOR, identifier=typed) == recording
    assert recording.times == TIMES


def test_absent_mistyped_and_forbidden_answer_alike(undone):
    recording = receive("a")
    absent = format_identifier(kind="R", year=2031, number=99_999_999)
    answers = []
    for viewer, identifier in (
        (OPERATOR, absent),
        (OPERATOR, recording.identifier[:-1] + "_"),
        (Viewer(is_operator=False), recording.identifier),
    ):
        with pytest.raises(NoSuchRecordingError) as refused:
            queries.access_recording(viewer=viewer, identifier=identifier)
        answers.append(str(refused.value).replace(identifier, "X"))
        assert refused.value.identifier == identifier
    assert len(set(answers)) == 1
    assert list(queries.access_recordings(viewer=Viewer(is_operator=False))) == []


def test_recordings_are_listed_newest_received_first(undone):
    first = receive("a")
    second = receive("b", now=START + HOUR)
    third = receive("c")
    assert list(queries.access_recordings(viewer=OPERATOR)) == [second, third, first]


# --- who wore it


def test_a_recording_of_an_assigned_device_is_assumed_to_be_its_wearers(undone):
    camera, who = device(), officer()
    assign_device(device=camera, officer=officer_key(who), valid_from=TIMES.started_at, valid_to=None, **BY)
    believed = queries.wearer_of(receive("a", device=camera))
    assert (believed.officer, believed.basis) == (who, "assignment")


@pytest.mark.parametrize(
    "case", ["no device", "no start", "not assigned", "assigned to nobody", "assigned later"]
)
def test_where_nothing_says_who_wore_it_nobody_is_assumed(undone, case):
    camera, who = device(), officer_key(officer())
    if case in ("assigned to nobody", "assigned later"):
        later = TIMES.started_at + timedelta(microseconds=case == "assigned later")
        assign_device(
            device=camera,
            officer=None if case == "assigned to nobody" else who,
            valid_from=later,
            valid_to=None,
            **BY,
        )
    recording = receive(
        "a",
        device=None if case == "no device" else camera,
        times=UNKNOWN_TIMES if case == "no start" else TIMES,
    )
    assert queries.wearer_of(recording) is None


def test_what_was_believed_of_a_wearer_stays_readable(undone):
    recording, (first, second) = receive("a"), [officer(badge) for badge in "12"]
    for n, who in enumerate((first, second), 1):
        set_wearer(
            recording=recording, officer=officer_key(who), reason="", actor=CLERK, now=START + n * HOUR
        )
    believed = [queries.wearer_of(recording, known_at=START + n * HOUR) for n in range(4)]
    assert [one and one.officer for one in believed] == [None, first, second, second]
    assert queries.wearer_of(recording).officer == second


HOURS = st.integers(0, 8)


@given(
    spans=st.lists(st.tuples(st.integers(0, 2), HOURS, st.none() | st.integers(1, 5)), min_size=1, max_size=6)
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_corrections_a_device_has_the_wearer_said_last_and_what_was_believed_stays(undone, spans):
    with transaction.atomic():
        camera, people = device(), [None, officer("1"), officer("2")]
        said, believed = [], []
        for number, (which, first, length) in enumerate(spans, 1):
            start = START + first * HOUR
            end = None if length is None else start + length * HOUR
            who, now = people[which], START + timedelta(days=number)
            key = None if who is None else officer_key(who)
            assign_device(device=camera, officer=key, valid_from=start, valid_to=end, actor=CLERK, now=now)
            said.append((who, start, end))
            believed.append((now, wearers(camera, known_at=None)))
        for at, answer in wearers(camera, known_at=None).items():
            assert answer == next(
                (who for who, s, e in reversed(said) if s <= at and (e is None or at < e)), None
            )
        for now, then in believed:
            assert wearers(camera, known_at=now) == then
        transaction.set_rollback(True)


def wearers(camera, *, known_at):
    found = {}
    for n in range(-1, 15, 3):
        row = queries.device_wearer_at(camera, at=START + n * HOUR, known_at=known_at)
        found[START + n * HOUR] = None if row is None else row.officer
    return found


def test_the_examination_is_part_of_the_receiving(undone):
    assert PROBE.confinement == {"network": "none"}
    receive("a")
    assert Probe.objects.get().confinement == {"network": "none"}


def test_receiving_again_through_the_action_itself_needs_no_new_object(undone):
    adopt_object(original=original("a"), **BY)
    recording = receive_recording(
        original=original("a"),
        probe=PROBE,
        times=UNKNOWN_TIMES,
        offered_name="a",
        source="outside",
        **BY,
    )
    assert Act.objects.get(act="recording.received").facts["object"] == original("a").object_id
    assert recording.times == UNKNOWN_TIMES
