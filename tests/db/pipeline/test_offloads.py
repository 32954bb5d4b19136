"""What becomes of what docks hand in: one thing only, with its receipt, whatever came first and whatever broke."""

import io
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from plainview.accounts.actions import add_officer
from plainview.accounts.queries import officer_key
from plainview.evidence import actions, queries
from plainview.evidence.camera_actions import (
    add_dock,
    admit_camera,
    begin_docking,
    ensure_device,
    request_admission,
)
from plainview.evidence.camera_models import Attachment, CameraEvent, CameraJournal, Dock, Marker, Offload
from plainview.evidence.camera_queries import camera_keys_of
from plainview.evidence.models import Device, Original, Recording, SearchRow, Wearer
from plainview.evidence.offload_actions import OfferedFile, begin_offload, store_offload
from plainview.evidence.offload_queries import get_offload
from plainview.formats.camera_orders import CameraRequest, key_fingerprint
from plainview.formats.capture import format_journal_box
from plainview.pipeline import camera_intake, offloads
from plainview.pipeline.camera_watch import watch_cameras
from plainview.pipeline.installation import publish
from plainview.pipeline.intake import settle
from plainview.pipeline.offloads import keep_offloads, take_in_offload
from plainview.pipeline.receipts import receipt_of
from plainview.service.errors import JailError
from plainview.tasks.models import Task
from plainview.vault.fsck import describe_object
from plainview.vault.incoming import begin_incoming, open_incoming
from plainview.vault.intake_keys import intake_public, is_kept_for_cameras
from plainview.verify.receipt import read_receipt
from simulators.custody_rows import START, SYSTEM, LogOfRows, ask
from simulators.journals import CAMERA, SigningCamera
from simulators.plain_jail import PlainJail
from simulators.premises import make_installation, make_intake
from simulators.sealed_files import seal, sealed_footage, sealed_journal

NOW = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)


class Place:
    """A department with one dock and one admitted camera."""

    def __init__(self, data):
        data.mkdir()
        log = LogOfRows(data / "log" / "1", data / "checkpoint-store.sqlite")
        log.start(now=START)
        self.installation = make_installation(data, log)
        self.intake = make_intake(self.installation, now=NOW)
        add_dock(name="Front desk", token_sha256="0" * 64, actor=SYSTEM, now=START)
        self.dock = Dock.objects.get().pk
        self.device = self.admit(SigningCamera())
        self.seal_to = intake_public(self.installation.keys)

    def admit(self, camera, *, is_admitted=True):
        name, serial = camera.camera, camera.camera.partition("/")[2]
        request = CameraRequest(name, "Example", "One", serial, camera.public_key, START)
        known = request_admission(request=request, actor=SYSTEM, now=START)
        if is_admitted:
            admit_camera(
                key=known.key, fingerprint=key_fingerprint(camera.public_key), actor=SYSTEM, now=START
            )
        return known.device

    def hand_in(self, data, *, kind="footage", stream="", device=None, said=None):
        """Do what a dock does, up to the job that takes it in; return the offload's name."""
        store, keys = self.installation.store, self.installation.keys
        name = begin_incoming(store, keys, size_bytes=len(data))
        file = OfferedFile(kind, stream, f"{kind}.sealed", len(data), said or sha256(data).hexdigest(), {})
        begin_offload(
            name=name, dock=self.dock, device=device or self.device, file=file, actor=SYSTEM, now=NOW
        )
        with open_incoming(store, keys, name) as arriving:
            arriving.append(io.BytesIO(data).read, offset_bytes=0)
        store_offload(name=name)
        return name

    def take(self, data, **more):
        name = self.hand_in(data, **more)
        take_in_offload(self.intake, name)
        return get_offload(name)

    def footage(self, recording, **more):
        return self.take(sealed_footage(recording, seal_to=self.seal_to), stream=recording.stream, **more)

    def journal(self, recording, lines=None, **more):
        sealed = sealed_journal(recording, seal_to=self.seal_to, lines=lines)
        return self.take(sealed, kind="journal", stream=recording.stream, **more)

    def is_whole(self):
        """Say whether every object is one that a record names, and every key an object's or the cameras'."""
        store, keys = self.installation.store, self.installation.keys
        known = queries.known_object_ids()
        for object_id in known:
            describe_object(store, keys, object_id)
        unnamed = [each for each in set(keys.object_ids()) - known if not is_kept_for_cameras(keys, each)]
        left = list((store.root / "incoming").iterdir()) or keys.secret_names("incoming/")
        return set(store.names()) == known and not unnamed and not left


@pytest.fixture
def place(tmp_path, database):
    made = Place(tmp_path / "data")
    yield made
    made.installation.keys.close()


@pytest.fixture
def camera():
    return SigningCamera()


def acts(*names):
    rows = ask("SELECT act, object, facts::text FROM custody_act ORDER BY id")
    return [(act, what, json.loads(facts)) for act, what, facts in rows if not names or act in names]


def tasks(kind):
    return [task.about for task in Task.objects.filter(kind=kind, closed_at__isnull=True)]


def receipt_facts(place, offload):
    publish(place.installation)
    return read_receipt(receipt_of(place.installation, offload)).leaf


# --- footage


def test_footage_becomes_a_recording_that_its_camera_proves(place, camera):
    made = camera.record(fragments=4, events=((2, "marker"),))
    offload = place.footage(made)
    recording, journal = Recording.objects.get(), CameraJournal.objects.get()
    assert (offload.state, offload.recording) == ("received", recording.identifier)
    assert Original.objects.get().sha256 == sha256(made.footage).hexdigest()
    assert (recording.source, recording.clock_source, recording.device_id) == (
        "camera",
        "camera",
        place.device.pk,
    )
    assert recording.started_at == recording.trigger_on_at == made.start.at
    assert (recording.trigger_on_reason, recording.trigger_off_reason) == ("button", "button")
    assert (journal.verdict, journal.fragments, journal.proven_fragments, journal.is_closed) == (
        "ok",
        4,
        4,
        True,
    )
    assert (journal.recording, journal.stream, journal.camera_key.name) == (recording, made.stream, CAMERA)
    assert [(row.event, row.position_ms) for row in CameraEvent.objects.all()] == [("marker", 4000)]
    assert Marker.objects.get().start_ms == 4000
    assert tasks("footage_doubted") == []
    assert place.is_whole()


def test_the_receipt_names_the_bytes_as_they_lie_on_the_camera(place, camera):
    made = camera.record()
    sealed = sealed_footage(made, seal_to=place.seal_to)
    offload = place.take(sealed, stream=made.stream)
    leaf = receipt_facts(place, offload)
    assert leaf.act == "recording.received"
    assert (leaf.facts["sent_sha256"], leaf.facts["sent_bytes"]) == (sha256(sealed).hexdigest(), len(sealed))


def test_the_log_says_what_the_check_found(place, camera):
    made = camera.record()
    place.footage(made)
    [(_, about, facts)] = acts("capture.checked")
    assert about == Recording.objects.get().identifier
    assert (facts["verdict"], facts["fragments"], facts["proven"]) == ("ok", 3, 3)
    assert facts["root"] == made.as_previous.root


def test_whoever_the_camera_was_assigned_to_wore_it(place, camera):
    officer = add_officer(badge="4417", name="Reyes", actor=SYSTEM, now=START)
    device = Device.objects.get()
    actions.assign_device(
        device=device,
        officer=officer_key(officer),
        valid_from=camera.now - timedelta(hours=1),
        valid_to=None,
        actor=SYSTEM,
        now=START,
    )
    place.footage(camera.record())
    assert Wearer.objects.get().officer == officer


@pytest.mark.parametrize("is_journal_first", [False, True])
def test_footage_and_journal_belong_together_whichever_comes_first(place, camera, is_journal_first):
    made = camera.record()
    for take in (place.journal, place.footage) if is_journal_first else (place.footage, place.journal):
        assert take(made).state == "received"
    attachment = Attachment.objects.get()
    assert (attachment.kind, attachment.recording) == ("journal", Recording.objects.get())
    assert attachment.original.state == "attached"
    assert attachment.original.sha256 == sha256(made.journal).hexdigest()
    assert CameraJournal.objects.get().verdict == "ok"
    assert place.is_whole()


def test_a_journal_beside_mends_what_the_footage_alone_leaves_open(place, camera):
    made = camera.record()
    without_last_box = made.footage[: made.boxes[-1][0]]
    sealed = seal([without_last_box], seal_to=place.seal_to, recording=made)
    place.take(sealed, stream=made.stream)
    assert CameraJournal.objects.get().verdict == "not_closed"
    place.journal(made)
    assert CameraJournal.objects.get().verdict == "ok"
    assert [facts["verdict"] for _, _, facts in acts("capture.checked")] == ["not_closed", "ok"]


def test_a_loss_of_power_is_not_closed_and_nothing_to_ask_about(place, camera):
    made = camera.record(is_closed=False)
    sealed = sealed_footage(made, seal_to=place.seal_to)[:-7]
    offload = place.take(sealed, stream=made.stream)
    journal = CameraJournal.objects.get()
    # The last fragment was written, and power went before it was signed for.
    assert (offload.state, journal.verdict, journal.is_closed) == ("received", "unproven", False)
    assert journal.proven_fragments == 2
    assert tasks("footage_doubted") == []


def test_altered_footage_is_received_and_somebody_asked(place, camera):
    made = camera.record()
    begins, _ = made.spans[1]
    altered = bytearray(made.footage)
    altered[begins + 150] ^= 1
    offload = place.take(seal([bytes(altered)], seal_to=place.seal_to, recording=made), stream=made.stream)
    journal = CameraJournal.objects.get()
    assert (offload.state, journal.verdict, journal.proven_fragments) == ("received", "altered", 2)
    [finding] = [each for each in journal.findings if each["verdict"] == "altered"]
    assert (finding["start_ms"], finding["end_ms"]) == (2000, 4000)
    assert tasks("footage_doubted") == [offload.recording]


def test_what_an_unknown_camera_signed_is_received_and_somebody_asked(place):
    stranger = SigningCamera("cam.example.org/SN99", seed=9)
    device = place.admit(stranger, is_admitted=False)
    offload = place.footage(stranger.record(), device=device)
    journal = CameraJournal.objects.get()
    assert (offload.state, journal.verdict, journal.camera_key) == ("received", "signer_unknown", None)
    assert tasks("footage_doubted") == [offload.recording]


def test_another_cameras_signature_under_this_cameras_name_shows(place):
    forger = SigningCamera(seed=666)
    place.footage(forger.record())
    assert CameraJournal.objects.get().verdict == "signer_unknown"


def test_a_function_check_is_a_recording_whose_journal_says_so(place, camera):
    place.footage(camera.record(purpose="function_check"))
    assert (Recording.objects.count(), CameraJournal.objects.get().purpose) == (1, "function_check")


@pytest.mark.parametrize("year", [1970, 2040])
def test_a_clock_that_cannot_be_right_is_kept_as_it_was_and_files_by_receipt(place, year):
    camera = SigningCamera(now=datetime(year, 1, 1, tzinfo=UTC))
    place.footage(camera.record())
    recording = Recording.objects.get()
    assert recording.started_at.year == year
    assert recording.identifier.startswith("R-26-")
    assert SearchRow.objects.get().shown_at == NOW


def test_a_clock_that_is_off_is_corrected_for_who_wore_the_camera(place):
    officer = add_officer(badge="4417", name="Reyes", actor=SYSTEM, now=START)
    actions.assign_device(
        device=Device.objects.get(),
        officer=officer_key(officer),
        valid_from=NOW - timedelta(days=1),
        valid_to=None,
        actor=SYSTEM,
        now=START,
    )
    camera = SigningCamera(now=NOW - timedelta(days=2))
    begin_docking(
        dock=place.dock,
        device=place.device,
        clock_error_ms=-2 * 86_400_000,
        clock_doubt_ms=100,
        battery_percent=None,
        files=1,
        actor=SYSTEM,
        now=NOW,
    )
    place.footage(camera.record())
    assert Wearer.objects.get().officer == officer
    assert tasks("camera_clock") == [f"device:{place.device.pseudonym}"]


# --- shifts, and what is missing


def test_a_shift_is_kept_with_what_it_says(place, camera):
    made = camera.record(purpose="shift", events=((0, "docked"), (0, "undocked")))
    offload = place.journal(made)
    journal = CameraJournal.objects.get()
    assert (offload.state, offload.recording, journal.purpose, journal.verdict) == (
        "received",
        None,
        "shift",
        "ok",
    )
    assert [row.event for row in CameraEvent.objects.order_by("seq")] == ["docked", "undocked"]
    assert receipt_facts(place, offload).act == "journal.received"
    assert Recording.objects.count() == 0
    assert place.is_whole()


def test_a_number_that_is_left_out_is_asked_about_once_and_withdrawn_when_it_comes(place, camera):
    first, second, third = camera.record(), camera.record(), camera.record()
    place.footage(first)
    place.footage(third)
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(hours=1)
    assert watch_cameras(now=soon, overdue_after=timedelta(days=9)).missing == 0
    assert watch_cameras(now=later, overdue_after=timedelta(days=9)).missing == 1
    assert watch_cameras(now=later, overdue_after=timedelta(days=9)).missing == 0
    about = f"device:{place.device.pseudonym}/000002"
    assert [(what, facts) for _, what, facts in acts("capture.missing")] == [(about, {"counter": 2})]
    assert tasks("missing_recording") == [about]
    place.journal(second, lines=[b"garbage that says it is the second"])
    assert tasks("missing_recording") == [about]
    place.footage(second)
    assert tasks("missing_recording") == []
    assert Task.objects.get(kind="missing_recording").answer == "withdrawn"


# --- what does not fit


def test_bytes_that_are_not_what_was_announced_are_refused_and_not_kept(place, camera):
    offload = place.take(
        sealed_footage(camera.record(), seal_to=place.seal_to), stream="000001-00000000", said="1" * 64
    )
    assert (offload.state, offload.reason, offload.act_id) == ("refused", "differs", None)
    assert "still has it" in offload.reason_text
    assert Original.objects.count() == 0
    assert place.is_whole()


def test_what_was_sealed_to_another_vault_is_kept_as_it_came(place, camera):
    made = camera.record()
    sealed = sealed_footage(made, seal_to=bytes([9]) * 32)
    offload = place.take(sealed, stream=made.stream)
    original = Original.objects.get()
    assert (offload.state, offload.reason, original.state) == ("quarantined", "wrong_key", "quarantined")
    assert original.sha256 == sha256(sealed).hexdigest()
    leaf = receipt_facts(place, offload)
    assert (leaf.act, leaf.facts["sent_sha256"]) == ("file.quarantined", sha256(sealed).hexdigest())
    assert len(tasks("quarantined_file")) == 1
    assert place.is_whole()


def test_garbage_and_altered_pieces_are_kept_as_they_came(place, camera):
    made = camera.record()
    altered = bytearray(sealed_footage(made, seal_to=place.seal_to))
    altered[len(altered) // 4] ^= 1
    for data, reason in ((b"no camera sealed this" * 99, "not_sealed"), (bytes(altered), "altered_piece")):
        offload = place.take(data, stream=made.stream)
        assert (offload.state, offload.reason) == ("quarantined", reason)
    assert Recording.objects.count() == 0
    assert place.is_whole()


def test_a_file_with_nothing_in_it_is_kept_and_said(place, camera):
    made = camera.record()
    offload = place.take(seal([], seal_to=place.seal_to, recording=made), stream=made.stream)
    assert (offload.state, offload.reason) == ("quarantined", "nothing_recorded")
    assert place.is_whole()


def test_footage_that_cannot_be_played_is_kept_and_its_number_is_not_missing(place, camera):
    made = camera.record(init=b"text and no picture")
    offload = place.footage(made)
    assert (offload.state, offload.reason) == ("quarantined", "not_media")
    assert (CameraJournal.objects.get().recording, CameraJournal.objects.get().counter) == (None, 1)
    assert receipt_facts(place, offload).facts["sent_bytes"] == offload.size_bytes
    assert place.is_whole()


def test_a_replay_is_one_recording_and_a_receipt_each(place, camera):
    made = camera.record()
    first, again = place.footage(made), place.footage(made)
    assert (first.state, again.state, again.recording) == ("received", "duplicate", first.recording)
    assert receipt_facts(place, again).act == "recording.offered_again"
    journals = place.journal(made), place.journal(made)
    assert [each.state for each in journals] == ["received", "duplicate"]
    assert receipt_facts(place, journals[1]).facts["sent_sha256"] == journals[1].sent_sha256
    assert Recording.objects.count() == 1
    assert place.is_whole()


def test_one_camera_in_two_docks_at_once_is_one_recording_and_two_receipts(place, camera):
    made = camera.record()
    sealed = sealed_footage(made, seal_to=place.seal_to)
    names = [place.hand_in(sealed, stream=made.stream) for _ in range(2)]

    class Interrupting(PlainJail):
        def run(self, *asked, **more):
            if not self.seen:
                self.seen.append(1)
                take_in_offload(place.intake, names[1])
            return super().run(*asked, **more)

    take_in_offload(make_intake(place.installation, jail=Interrupting(), now=NOW), names[0])
    states = {name: get_offload(name) for name in names}
    assert sorted(each.state for each in states.values()) == ["duplicate", "received"]
    for each in states.values():
        assert receipt_facts(place, each).facts["sent_sha256"] == sha256(sealed).hexdigest()
    assert Recording.objects.count() == 1
    assert place.is_whole()


def test_a_second_footage_of_one_stream_does_not_take_the_better_ones_journal(place, camera):
    made = camera.record()
    genuine = place.footage(made)
    cut = made.footage[: made.spans[1][0]] + made.footage[made.spans[1][1] :]
    other = place.take(seal([cut], seal_to=place.seal_to, recording=made), stream=made.stream)
    assert (other.state, Recording.objects.count()) == ("received", 2)
    assert CameraJournal.objects.get().recording.identifier == genuine.recording
    assert tasks("footage_doubted") == [other.recording]


def test_garbage_that_calls_itself_a_cameras_journal_spoils_nothing(place, camera):
    made, shift = camera.record(), camera.record(purpose="shift")
    place.footage(made)
    place.journal(shift)
    for recording in (made, shift):
        assert place.journal(recording, lines=[b"{}", b"garbage"]).state == "received"
    assert {row.verdict for row in CameraJournal.objects.all()} == {"ok"}
    later = camera.record()
    place.journal(later, lines=[b"garbage"])
    place.footage(later)
    assert {row.verdict for row in CameraJournal.objects.all()} == {"ok"}
    assert tasks("footage_doubted") == []


def test_another_recordings_journal_shows(place, camera):
    first, second = camera.record(), camera.record()
    boxless = first.footage[: first.boxes[0][0]] + first.footage[first.spans[0][0] : first.spans[0][1]]
    sealed = seal(
        [boxless + b"".join(format_journal_box(line) for line in second.lines)],
        seal_to=place.seal_to,
        recording=first,
    )
    place.take(sealed, stream=first.stream)
    assert CameraJournal.objects.get().verdict == "unproven"


def test_a_file_of_another_maker_is_what_it_is(place):
    device = ensure_device(make="Other", model="", serial="7", actor=SYSTEM, now=START)
    offload = place.take(b"footage " * 2000, kind="file", device=device)
    assert (offload.state, Recording.objects.get().device_id) == ("received", device.pk)
    leaf = receipt_facts(place, offload)
    assert (leaf.act, leaf.facts["sha256"]) == ("recording.received", offload.sent_sha256)
    again = place.take(b"footage " * 2000, kind="file", device=device)
    assert receipt_facts(place, again).facts["sha256"] == offload.sent_sha256
    kept = place.take(b"text", kind="file", device=device)
    assert receipt_facts(place, kept).act == "file.quarantined"
    assert place.is_whole()


# --- interrupted


class Interruption(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("is_restart", [False, True])
@pytest.mark.parametrize(
    ("where", "what"),
    [
        (offloads, "take_in_sealed"),
        (camera_intake, "receive"),
        (camera_intake, "examine"),
        (camera_intake, "receive_capture"),
        (camera_intake, "discard"),
        (offloads, "discard"),
    ],
)
def test_interrupted_anywhere_it_ends_as_one_thing(place, camera, monkeypatch, where, what, is_restart):
    def interrupt(*_, **__):
        raise Interruption

    made = camera.record()
    name = place.hand_in(sealed_footage(made, seal_to=place.seal_to), stream=made.stream)
    with monkeypatch.context() as broken:
        broken.setattr(where, what, interrupt)
        try:
            take_in_offload(place.intake, name)
        except Interruption:
            if is_restart:
                settle(place.intake)
    take_in_offload(place.intake, name)
    settle(place.intake)
    assert get_offload(name).state == "received"
    assert (Recording.objects.count(), CameraJournal.objects.count(), Original.objects.count()) == (1, 1, 1)
    assert place.is_whole()


def test_a_start_leaves_what_waits_to_be_taken_in(place, camera):
    made = camera.record()
    name = place.hand_in(sealed_footage(made, seal_to=place.seal_to), stream=made.stream)
    settle(place.intake)
    take_in_offload(place.intake, name)
    assert get_offload(name).state == "received"


def test_a_jail_that_fails_is_tried_again_and_in_the_end_said(place, camera):
    made = camera.record()
    broken = make_intake(place.installation, jail=PlainJail(is_broken=True), now=NOW)
    name = place.hand_in(sealed_footage(made, seal_to=place.seal_to), stream=made.stream)
    with pytest.raises(JailError):
        take_in_offload(broken, name)
    assert get_offload(name).state == "stored"
    take_in_offload(broken, name, is_last_try=True)
    assert (get_offload(name).state, get_offload(name).reason) == ("refused", "not_examined")
    settle(place.intake)
    assert place.is_whole()


def test_what_nobody_sends_the_rest_of_is_given_up_in_time(place):
    name = begin_incoming(place.installation.store, place.installation.keys, size_bytes=9 << 20)
    file = OfferedFile("footage", "000001-00000000", "f", 9 << 20, "1" * 64, {})
    begin_offload(name=name, dock=place.dock, device=place.device, file=file, actor=SYSTEM, now=NOW)
    assert keep_offloads(place.installation, now=NOW + timedelta(days=6)) == 0
    assert keep_offloads(place.installation, now=NOW + timedelta(days=7)) == 1
    assert (Offload.objects.get().state, acts("offload.dropped")[0][1]) == ("dropped", f"offload:{name}")
    assert place.is_whole()


def test_a_lost_job_comes_again(place, camera):
    made = camera.record()
    place.hand_in(sealed_footage(made, seal_to=place.seal_to), stream=made.stream)
    ask("DELETE FROM procrastinate_jobs")
    keep_offloads(place.installation, now=NOW + timedelta(minutes=11))
    [(lock,)] = ask("SELECT lock FROM procrastinate_jobs WHERE task_name = 'plainview.take_in_offload'")
    assert lock == f"stream:{place.device.pk}/{made.stream}"


def test_a_refused_camera_key_stays_known(place):
    stranger = SigningCamera("cam.example.org/SN5", seed=5)
    device = place.admit(stranger, is_admitted=False)
    assert [key.state for key in camera_keys_of(device)] == ["waiting"]
