"""What a folder of another maker's holds becomes recordings, once, however often it is imported or interrupted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plainview.accounts.actions import add_officer
from plainview.evidence.camera_models import Attachment, Marker, Track
from plainview.evidence.models import Device, Original, Part, Recording, Wearer
from plainview.formats.folder_pattern import parse_folder_pattern
from plainview.formats.particulars import Particulars, particulars_record
from plainview.pipeline import imports, offloads
from plainview.pipeline.import_plan import make_plan
from plainview.pipeline.imports import import_recordings, preview
from plainview.pipeline.intake import settle, take_one
from plainview.tasks.models import Task
from plainview.vault.errors import StoreFullError
from simulators.custody_rows import START, SYSTEM, ask
from simulators.plain_jail import PlainJail
from simulators.premises import make_installation, make_intake

PATTERNS = Path(__file__).parents[3] / "docs" / "patterns"
LIST = "File name,Device serial,Officer ID,Start time,End time,Activation,Category\n"
FIRST, SECOND = "BC-1_20260314_235207_01.mp4", "BC-1_20260314_235207_02.mp4"
ONE = f"{FIRST},BC-1,4417,2026-03-14 23:52:07,,light_bar,Traffic\n"
GPX = (
    '<gpx><trk><trkseg><trkpt lat="1.5" lon="2"><time>2026-03-15T06:52:09Z</time></trkpt>'
    '<trkpt lat="9" lon="9"><time>2026-03-15T09:52:09Z</time></trkpt></trkseg></trk></gpx>'
)
BEGAN = datetime(2026, 3, 15, 6, 52, 7, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path, log):
    (tmp_path / "data").mkdir()
    made = make_installation(tmp_path / "data", log)
    yield made
    made.keys.close()


@pytest.fixture
def intake(installation):
    return make_intake(installation)


@pytest.fixture
def card(tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / FIRST).write_bytes(b"footage one")
    (folder / SECOND).write_bytes(b"footage two!")
    (folder / "index.csv").write_text(LIST + ONE)
    (folder / FIRST.replace("mp4", "gpx")).write_text(GPX)
    return folder


def plan(card, intake, pattern="csv-beside-footage"):
    data = (PATTERNS / f"{pattern}.json").read_bytes()
    return make_plan(
        parse_folder_pattern(data), card, data=intake.installation.data, place="America/Los_Angeles"
    )


def import_all(card, intake, pattern="csv-beside-footage", **more):
    return list(import_recordings(intake, plan(card, intake, pattern), **more))


def acts(act):
    return ask(f"SELECT object, facts::text FROM custody_act WHERE act = '{act}' ORDER BY id")


def test_parts_of_one_press_become_one_recording_with_what_is_said_of_it(card, intake):
    officer = add_officer(name="Ana Reyes", badge="4417", user=None, actor=SYSTEM, now=START)
    (made,) = import_all(card, intake)
    assert (made.status, [each.status for each in made.files]) == ("received", ["received", "received"])
    row = Recording.objects.get()
    assert (row.identifier, row.source, row.clock_source) == (made.recording, "import", "file")
    assert (row.started_at, row.ended_at) == (BEGAN, BEGAN + timedelta(seconds=20))
    assert (row.trigger_on_reason, row.trigger_on_at) == ("light_bar", None)
    assert (row.device.make, row.device.serial, row.device.kind) == ("Example", "BC-1", "body")
    assert Wearer.objects.get().officer_id == officer.pk
    assert list(Part.objects.order_by("number").values_list("number", "offered_name")) == [
        (1, FIRST),
        (2, SECOND),
    ]
    assert Track.objects.get().points == [[2000, 1.5, 2.0, None]]
    assert set(Attachment.objects.values_list("kind", flat=True)) == {"track", "sidecar"}
    marker = Marker.objects.get()
    assert (marker.source, marker.category) == ("import", "Traffic")
    assert marker.particulars["started_at_said_by"] == "index.csv, line 2"
    assert [json.loads(facts).get("part") for _, facts in acts("recording.received")] == [None, 2]
    assert len(acts("attachment.received")) == 2
    assert not Task.objects.filter(kind="import_unclear").exists()


def test_importing_again_makes_nothing_new_and_tells_what_is_said_otherwise(card, intake):
    (first,) = import_all(card, intake)
    (card / "index.csv").write_text(LIST + ONE.replace("4417", "9").replace("23:52:07", "23:59:00"))
    (again,) = import_all(card, intake)
    assert (again.status, again.recording) == ("here", first.recording)
    assert any(
        note.startswith(f"start: {first.recording} has 2026-03-15 06:52:07 UTC") for note in again.notes
    )
    assert f"wearer: {first.recording} has none, now 9 is said" in again.notes
    assert [each.status for each in again.beside] == ["here", "attached"]
    assert Recording.objects.count() == 1
    assert Recording.objects.get().started_at == BEGAN
    assert Part.objects.count() == 2
    assert Track.objects.count() == 1
    (third,) = import_all(card, intake)
    assert [each.status for each in third.beside] == ["here", "here"]


def test_a_preview_changes_nothing_and_says_what_is_here(card, intake):
    before = ask("SELECT count(*) FROM custody_act")
    (seen,) = preview(plan(card, intake))
    assert (seen.status, seen.camera, seen.is_new_camera) == ("new", "Example BC-1", True)
    assert seen.wearer == "4417, not on the roster"
    assert ask("SELECT count(*) FROM custody_act") == before
    assert not Original.objects.exists()
    assert not Device.objects.exists()
    (made,) = import_all(card, intake)
    (card / "index.csv").write_text(LIST + ONE.replace("23:52:07", "23:59:00"))
    (seen,) = preview(plan(card, intake))
    assert (seen.status, seen.recordings, seen.is_new_camera) == ("here", (made.recording,), False)
    assert seen.differences[0].startswith("start: ")
    (card / SECOND).write_bytes(b"footage 2nd!")
    assert next(preview(plan(card, intake))).status == "partly here"


def test_what_nobody_can_tell_becomes_a_task(card, intake):
    (card / FIRST).rename(card / FIRST.replace("_01", "_04"))
    (card / "index.csv").unlink()
    import_all(card, intake)
    assert Task.objects.get(kind="import_unclear").why == "Part 3 is not there."


def test_an_unknown_badge_becomes_a_task_and_the_recording_is_made(card, intake):
    (made,) = import_all(card, intake)
    task = Task.objects.get(kind="import_unclear")
    assert (task.about, task.why) == (
        made.recording,
        "Badge 4417 (index.csv, line 2) is nobody's on the roster.",
    )


def test_footage_held_back_is_not_taken_and_is_once_the_list_is_mended(card, intake):
    (card / "index.csv").write_text(LIST + ONE.replace("2026-03-14", "2026-14-03"))
    assert next(preview(plan(card, intake))).status == "held back"
    (held,) = import_all(card, intake)
    assert (held.status, Original.objects.count()) == ("held back", 0)
    (card / "index.csv").write_text(LIST + ONE)
    assert import_all(card, intake)[0].status == "received"


class FullDisk:
    """A vault's way in that finds no room once, for the second part."""

    def __init__(self):
        self.calls = 0

    def __call__(self, file, **options):
        self.calls += 1
        if self.calls == 2:
            raise StoreFullError("write", "objects", "no room")
        return REAL(file, **options)


REAL = imports.receive


def test_a_part_that_is_refused_stops_the_recording_and_the_next_import_ends_it(card, intake, monkeypatch):
    (card / SECOND.replace("_02", "_03")).write_bytes(b"footage three")
    monkeypatch.setattr("plainview.pipeline.intake.receive", FullDisk())
    (stopped,) = import_all(card, intake)
    assert [each.status for each in stopped.files] == ["received", "refused"]
    assert "1 more parts were not tried" in stopped.notes[-1]
    (ended,) = import_all(card, intake)
    assert [each.status for each in ended.files] == ["duplicate", "received", "received"]
    assert ended.recording == stopped.recording
    row = Recording.objects.get()
    assert (Part.objects.count(), row.ended_at) == (3, BEGAN + timedelta(seconds=30))


def test_nothing_is_made_where_the_first_part_is_refused(card, intake, installation):
    (made,) = import_all(card, make_intake(installation, jail=PlainJail(is_broken=True)))
    assert (made.status, Recording.objects.count(), Attachment.objects.count()) == ("refused", 0, 0)
    assert made.files[0].reason == "not_examined"


def test_a_part_that_another_recording_holds_stays_there(card, intake):
    (card / FIRST).rename(card / "kept")
    (card / "index.csv").unlink()
    (other,) = (each for each in import_all(card, intake, keeps_others=False) if each.files)
    (card / "kept").rename(card / FIRST)
    (made,) = import_all(card, intake)
    assert made.status == "received"
    assert f"{SECOND} is a part of another recording already." in made.notes
    assert made.files[1].recording == other.recording
    assert Recording.objects.count() == 2


def test_files_that_the_pattern_says_nothing_of_are_kept_or_left_as_asked(card, intake):
    (card / "manual.txt").write_bytes(b"text of a manual")
    (card / "lone.gpx").write_text(GPX)
    made = import_all(card, intake, keeps_others=False)
    assert [(each.paths[0], each.status) for each in made[1:]] == [("lone.gpx", "attached")]
    # The same bytes are the track of the recording.
    assert Original.objects.filter(state="attached").count() == 2
    kept = import_all(card, intake)[-1]
    assert (kept.paths, kept.status) == (("manual.txt",), "quarantined")
    assert import_all(card, intake)[-1].status == "here"


def test_a_list_is_beside_every_recording_that_it_speaks_of(card, intake):
    name = "BC-1_20260315_010000_01.mp4"
    (card / name).write_bytes(b"footage of later")
    (card / "index.csv").write_text(
        LIST + ONE + f"{name},BC-1,4417,2026-03-15 01:00:00,2026-03-15 01:09:00,,\n"
    )
    import_all(card, intake)
    assert Attachment.objects.filter(offered_name="index.csv").count() == 2
    later = Recording.objects.get(started_at=datetime(2026, 3, 15, 8, tzinfo=UTC))
    assert later.ended_at == datetime(2026, 3, 15, 8, 9, tzinfo=UTC)
    assert Device.objects.count() == 1


def test_what_came_along_and_is_gone_or_empty_is_refused_with_a_reason(card, intake):
    planned = plan(card, intake)
    (card / "index.csv").write_bytes(b"")
    (card / FIRST.replace("mp4", "gpx")).unlink()
    (made,) = import_recordings(intake, planned)
    assert made.status == "received"
    assert {each.status for each in made.beside} == {"refused"}
    assert Attachment.objects.count() == 0


def test_a_track_of_a_recording_without_a_start_is_kept_and_not_laid_beside_it(card, intake):
    (made,) = import_all(card, intake, "generic-folder")[:1]
    assert Recording.objects.get(identifier=made.recording).started_at is None
    assert Attachment.objects.filter(kind="track").exists()
    assert not Track.objects.exists()


class PowerCutError(Exception):
    """The machine stops here."""


@pytest.mark.parametrize("step", ["receive_imported", "add_imported_part", "attach_imported", "publish"])
@pytest.mark.parametrize("is_done", [False, True])
def test_cut_off_anywhere_the_next_import_ends_it(card, intake, monkeypatch, step, is_done):
    real = getattr(imports, step)

    def cut(*given, **named):
        if is_done:
            real(*given, **named)
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(imports, step, cut)
        with pytest.raises(PowerCutError):
            import_all(card, intake)
    settle(intake)
    import_all(card, intake)
    assert Recording.objects.count() == 1
    assert list(Part.objects.order_by("number").values_list("offered_name", flat=True)) == [FIRST, SECOND]
    assert Recording.objects.get().ended_at == BEGAN + timedelta(seconds=20)
    assert Attachment.objects.count() == 2
    assert Track.objects.count() == Marker.objects.count() == 1
    assert settle(intake) == 0


@dataclass
class Handed:
    particulars: dict


def test_what_a_dock_says_of_a_file_counts_as_far_as_it_can_be_right(card, intake):
    said = Particulars(badge="4417", category="Traffic", started_at=BEGAN, ended_at=BEGAN - timedelta(1))
    with_said = offloads._with_said(intake, Handed(particulars_record(said)))
    outcome = take_one(with_said, card / FIRST)
    row = Recording.objects.get(identifier=outcome.recording)
    assert (row.started_at, row.ended_at) == (BEGAN, BEGAN + timedelta(seconds=10))
    assert Marker.objects.get().particulars["category_said_by"] == imports.THE_DOCK
    assert Task.objects.get(kind="import_unclear").about == outcome.recording
    assert offloads._with_said(intake, Handed({"mood": "calm"})) is intake


def test_every_outcome_is_covered_by_a_published_checkpoint(card, intake, monkeypatch):
    published = []
    monkeypatch.setattr(imports, "publish", lambda installation: published.append(Recording.objects.count()))
    steps = import_recordings(intake, plan(card, intake))
    next(steps)
    assert published == [1]
