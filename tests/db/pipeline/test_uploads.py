"""What becomes of an upload once every byte has come: one thing only, however often it was interrupted."""

import io
import json
from datetime import timedelta

import pytest

from plainview.accounts.rules import Viewer
from plainview.evidence import queries, upload_actions
from plainview.evidence.models import Original, Part, Recording, Upload
from plainview.evidence.upload_actions import begin_upload, drop_upload, end_upload, store_upload
from plainview.evidence.upload_queries import KEPT_FOR, access_upload, get_upload, open_upload_names
from plainview.pipeline import uploads
from plainview.pipeline.intake import settle
from plainview.pipeline.uploads import give_up, keep_uploads, take_in_upload
from plainview.service.errors import JailError
from plainview.vault.errors import StoreFullError
from plainview.vault.fsck import describe_object
from plainview.vault.incoming import begin_incoming, incoming_offset, open_incoming
from plainview.vault.log_errors import LogError
from plainview.vault.receive import receive
from simulators.custody_rows import START, SYSTEM, ask
from simulators.plain_jail import PlainJail
from simulators.premises import add_person, make_installation, make_intake

FOOTAGE, TEXT = b"footage " * 200_000, b"text " * 100


@pytest.fixture
def installation(tmp_path, log):
    made = make_installation(tmp_path / "data", log)
    yield made
    made.keys.close()


@pytest.fixture
def intake(installation):
    return make_intake(installation)


@pytest.fixture
def officer(log):
    return add_person("officer")


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "data").mkdir()


def hand_in(installation, user, data=FOOTAGE, *, at=START, is_stored=True, sent=None):
    """Do what the pages do, up to the job that takes it in; return the upload's name."""
    store, keys = installation.store, installation.keys
    name = begin_incoming(store, keys, size_bytes=len(data))
    begin_upload(
        name=name, user=user.pk, offered_name="clip.mp4", size_bytes=len(data), actor=actor_of(user), now=at
    )
    with open_incoming(store, keys, name) as arriving:
        arriving.append(io.BytesIO(data[:sent]).read, offset_bytes=0)
    if is_stored:
        store_upload(name=name)
    return name


def actor_of(user):
    return upload_actions.Actor(f"user:{user.pseudonym}")


def acts():
    rows = ask("SELECT act, object, actor, why, facts::text FROM custody_act ORDER BY id")
    return [
        {"act": act, "object": object_, "actor": actor, "why": why, "facts": json.loads(facts)}
        for act, object_, actor, why, facts in rows
        if act.split(".")[0] in {"upload", "recording", "file", "object"}
    ]


def jobs():
    return ask(
        "SELECT task_name, args->>'name', queueing_lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
    )


def jobs_for(name):
    return [job for job in jobs() if job[1] == name]


def vault_is_whole(installation):
    """Say whether every object is a recording's or kept, and nothing arrives."""
    store, keys = installation.store, installation.keys
    known = queries.known_object_ids()
    for object_id in known:
        describe_object(store, keys, object_id)
    left = list((store.root / "incoming").iterdir()) or keys.secret_names("incoming/")
    return set(store.names()) == known == set(keys.object_ids()) and not left


# --- what it becomes


def test_footage_becomes_a_recording_of_whoever_handed_it_in(installation, intake, officer):
    name = hand_in(installation, officer)
    take_in_upload(intake, name)
    upload = get_upload(name)
    original = Original.objects.get()
    assert (upload.state, upload.reason, upload.reason_text) == ("received", "", "")
    assert upload.recording == Recording.objects.get().identifier
    assert (original.object_id, original.size_bytes) == (name, len(FOOTAGE))
    assert [act["act"] for act in acts()] == ["upload.begun", "recording.received", "recording.probed"]
    assert {act["actor"] for act in acts()} == {f"user:{officer.pseudonym}"}
    assert vault_is_whole(installation)


def test_begun_is_an_act_that_names_nobody(installation, officer):
    name = hand_in(installation, officer)
    assert acts() == [
        {
            "act": "upload.begun",
            "object": f"upload:{name}",
            "actor": f"user:{officer.pseudonym}",
            "why": None,
            "facts": {"size_bytes": len(FOOTAGE)},
        }
    ]


def test_what_cannot_be_used_is_kept_with_its_reason(installation, intake, officer):
    name = hand_in(installation, officer, TEXT)
    take_in_upload(intake, name)
    upload = get_upload(name)
    assert (upload.state, upload.reason, upload.recording) == ("quarantined", "not_media", None)
    assert upload.reason_text == "Kept, not usable. It holds no picture."
    assert vault_is_whole(installation)


def test_two_tabs_with_one_file_are_one_recording_and_one_duplicate(installation, intake, officer):
    names = [hand_in(installation, officer) for _ in range(2)]
    for name in names:
        take_in_upload(intake, name)
    first, second = map(get_upload, names)
    assert (first.state, second.state) == ("received", "duplicate")
    assert first.recording == second.recording == Recording.objects.get().identifier
    assert acts()[-1]["act"] == "recording.offered_again"
    assert vault_is_whole(installation)


def test_somebody_elses_bytes_received_in_the_same_moment_make_a_duplicate(
    installation, intake, officer, monkeypatch
):
    name = hand_in(installation, officer)
    other = hand_in(installation, add_person("officer"))

    class Interrupting(PlainJail):
        def run(self, *asked, **more):
            if not self.seen:
                self.seen.append(1)
                take_in_upload(make_intake(installation), other)
            return super().run(*asked, **more)

    take_in_upload(make_intake(installation, jail=Interrupting()), name)
    assert (get_upload(other).state, get_upload(name).state) == ("received", "duplicate")
    assert vault_is_whole(installation)


def test_a_duplicate_of_what_is_kept_in_quarantine_names_no_recording(installation, intake, officer):
    names = [hand_in(installation, officer, TEXT) for _ in range(2)]
    for name in names:
        take_in_upload(intake, name)
    assert (get_upload(names[1]).state, get_upload(names[1]).recording) == ("duplicate", None)


def test_of_what_it_is_a_duplicate_is_told_only_to_who_may_know(installation, intake, officer):
    custodian = add_person("custodian")
    first, second, third = (
        hand_in(installation, custodian),
        hand_in(installation, officer),
        hand_in(installation, custodian),
    )
    for name in (first, second, third):
        take_in_upload(intake, name)
    may_not = Viewer(user=officer.pk, roles=frozenset({"officer"}))
    may = Viewer(user=custodian.pk, roles=frozenset({"custodian"}))
    identifier = Recording.objects.get().identifier
    assert access_upload(viewer=may_not, name=second).recording is None
    assert access_upload(viewer=may, name=third).recording == identifier
    # What somebody handed in themselves they know, whatever their roles.
    assert access_upload(viewer=Viewer(user=custodian.pk), name=first).recording == identifier


def test_bytes_that_an_interruption_left_without_a_recording_get_one(installation, intake, officer):
    stored = receive(io.BytesIO(FOOTAGE), store=installation.store, keys=installation.keys)
    assert settle(intake) == 1
    name = hand_in(installation, officer)
    take_in_upload(intake, name)
    assert get_upload(name).state == "received"
    assert Original.objects.get().object_id == stored.object_id
    assert vault_is_whole(installation)


# --- interrupted


class Interruption(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("data", [FOOTAGE, TEXT])
@pytest.mark.parametrize("place", ["take_stored", "publish", "end_upload", "discard"])
@pytest.mark.parametrize("is_restart", [False, True])
def test_interrupted_anywhere_it_ends_as_one_thing(
    installation, intake, officer, monkeypatch, place, data, is_restart
):
    def interrupt(*_, **__):
        raise Interruption

    names = [hand_in(installation, officer, data) for _ in range(2)]
    for name in names:
        with monkeypatch.context() as broken:
            broken.setattr(uploads, place, interrupt)
            try:
                take_in_upload(intake, name)
            except Interruption:
                if is_restart:
                    settle(intake)
        take_in_upload(intake, name)
    settle(intake)
    first, second = map(get_upload, names)
    assert (first.state, second.state) == ("received" if data is FOOTAGE else "quarantined", "duplicate")
    assert Original.objects.count() == 1
    assert Part.objects.count() == (data is FOOTAGE)
    assert vault_is_whole(installation)


def test_a_start_leaves_what_still_arrives_and_forgets_what_no_record_names(installation, intake, officer):
    arriving = hand_in(installation, officer, is_stored=False, sent=1 << 20)
    unheard = begin_incoming(installation.store, installation.keys, size_bytes=9)
    assert settle(intake) == 0
    assert incoming_offset(installation.store, arriving) == 1 << 20
    assert not (installation.store.root / "incoming" / f"{unheard}.sealed").exists()


def test_a_log_that_cannot_be_published_leaves_it_unanswered(installation, intake, officer, monkeypatch):
    def fail(_):
        raise LogError("no")

    name = hand_in(installation, officer)
    with monkeypatch.context() as broken:
        broken.setattr(uploads, "publish", fail)
        with pytest.raises(LogError):
            take_in_upload(intake, name)
    assert get_upload(name).state == "stored"
    take_in_upload(intake, name)
    assert get_upload(name).state == "received"
    assert Recording.objects.count() == 1


# --- refused


def test_what_the_disk_lost_is_refused_and_said(installation, intake, officer):
    name = hand_in(installation, officer)
    for path in (installation.store.root / "incoming").iterdir():
        path.unlink()
    take_in_upload(intake, name)
    upload = get_upload(name)
    assert (upload.state, upload.reason) == ("refused", "lost")
    assert "Send the file again." in upload.reason_text
    assert vault_is_whole(installation)


def test_what_the_disk_gives_back_differently_is_refused_and_not_kept(installation, intake, officer):
    name = hand_in(installation, officer)
    path = installation.store.root / "incoming" / f"{name}.sealed"
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\0\0\0")
    take_in_upload(intake, name)
    assert (get_upload(name).state, get_upload(name).reason) == ("refused", "read_back_differs")
    assert vault_is_whole(installation)


def test_a_jail_that_fails_is_tried_again_and_in_the_end_said(installation, officer):
    intake = make_intake(installation, jail=PlainJail(is_broken=True))
    name = hand_in(installation, officer)
    with pytest.raises(JailError):
        take_in_upload(intake, name)
    assert get_upload(name).state == "stored"
    take_in_upload(intake, name, is_last_try=True)
    assert (get_upload(name).state, get_upload(name).reason) == ("refused", "not_examined")
    assert vault_is_whole(installation)


def test_a_full_disk_loses_nothing(installation, intake, officer, monkeypatch):
    def full(*_):
        raise StoreFullError("naming", None, "no space")

    name = hand_in(installation, officer)
    with monkeypatch.context() as broken:
        broken.setattr(uploads, "finish_incoming", full)
        with pytest.raises(StoreFullError):
            take_in_upload(intake, name)
    take_in_upload(intake, name)
    assert get_upload(name).state == "received"


def test_what_is_not_stored_is_left_alone(installation, intake, officer):
    name = hand_in(installation, officer, is_stored=False, sent=1 << 20)
    take_in_upload(intake, name)
    take_in_upload(intake, "00" * 16)
    assert get_upload(name).state == "receiving"


# --- jobs, and time


def test_the_last_byte_brings_one_job(installation, officer):
    name = hand_in(installation, officer)
    store_upload(name=name)
    assert jobs_for(name) == [("plainview.take_in_upload", name, f"upload:{name}")]
    assert open_upload_names() == {name}


def test_what_nobody_sends_the_rest_of_is_given_up_in_time(installation, officer):
    late = hand_in(installation, officer, is_stored=False, sent=1 << 20)
    young = hand_in(installation, officer, is_stored=False, sent=1 << 20, at=START + timedelta(days=1))
    now = START + KEPT_FOR
    assert keep_uploads(installation, now=now - timedelta(seconds=1)) == 0
    assert keep_uploads(installation, now=now) == 1
    assert (get_upload(late).state, get_upload(late).reason, get_upload(young).state) == (
        "dropped",
        "expired",
        "receiving",
    )
    assert acts()[-1] == {
        "act": "upload.dropped",
        "object": f"upload:{late}",
        "actor": "system:uploads",
        "why": "expired",
        "facts": {},
    }
    assert installation.keys.secret_names("incoming/") == [f"incoming/{young}"]
    assert get_upload(late).is_gone(now)
    assert get_upload(young).is_gone(now + timedelta(days=1))
    assert not get_upload(young).is_gone(now)


def test_what_is_whole_and_was_not_noted_is_noted(installation, officer):
    name = hand_in(installation, officer, is_stored=False)
    lost = hand_in(installation, officer, TEXT, is_stored=False)
    (installation.store.root / "incoming" / f"{lost}.sealed").unlink()
    assert keep_uploads(installation, now=START + timedelta(minutes=1)) == 0
    assert (get_upload(name).state, get_upload(lost).state) == ("stored", "receiving")
    assert len(jobs_for(name)) == 1


def test_a_lost_job_comes_again_and_one_that_waits_is_enough(installation, officer):
    name = hand_in(installation, officer)
    keep_uploads(installation, now=START + timedelta(hours=1))
    assert len(jobs_for(name)) == 1
    ask("DELETE FROM procrastinate_jobs")
    keep_uploads(installation, now=START + timedelta(minutes=10))
    assert jobs_for(name) == []
    keep_uploads(installation, now=START + timedelta(minutes=11))
    assert len(jobs_for(name)) == 1


def test_giving_up_too_late_changes_nothing(installation, intake, officer):
    name = hand_in(installation, officer)
    upload = get_upload(name)
    assert not give_up(installation, upload, "cancelled", "", SYSTEM, now=START)
    take_in_upload(intake, name)
    assert get_upload(name).state == "received"
    assert not drop_upload(name=name, reason="cancelled", reason_text="", actor=SYSTEM, now=START)


def test_an_end_that_is_none_is_a_mistake_and_a_second_end_changes_nothing(installation, intake, officer):
    name = hand_in(installation, officer)
    with pytest.raises(ValueError, match="expected one of"):
        end_upload(name=name, state="dropped", recording=None, reason="", reason_text="", now=START)
    take_in_upload(intake, name)
    end_upload(name=name, state="refused", recording=None, reason="x", reason_text="", now=START)
    assert get_upload(name).state == "received"


def test_looking_at_what_is_gone_brings_no_job(installation, officer):
    upload_actions.look_at_upload(name="00" * 16)
    assert jobs_for("00" * 16) == []


def test_a_name_is_printable_and_cut(installation, officer):
    begin_upload(
        name="ab" * 16,
        user=officer.pk,
        offered_name="\u202egpj.exe" + "x" * 300,
        size_bytes=1,
        actor=SYSTEM,
        now=START,
    )
    name = Upload.objects.get().offered_name
    assert name.startswith("<U+202E>gpj")
    assert len(name) == 255
