"""Cards of other makers: found by a pattern, erased only where it says so."""

import json
from dataclasses import replace

import pytest

from plainview.dock.card import Card, fitting_pattern, list_paths, read_pattern
from plainview.dock.errors import CameraError
from plainview.dock.find import Mounted
from plainview.dock.mounted import MountedCamera
from plainview.dock.offload import open_folder
from plainview.dock.rules import FileState

PATTERN = {
    "kind": "plainview-folder-pattern",
    "v": 1,
    "name": "Cards for tests",
    "make": "Example",
    "zone": "Europe/Berlin",
    "footage": ["DCIM/{serial}_{started}_{part}.MP4"],
    "started": "%Y%m%d_%H%M%S",
    "same": ["serial", "started"],
    "sidecars": [
        {
            "path": ["DCIM/{serial}_{started}.JSON"],
            "read": "json",
            "belongs": "group",
            "fields": {"badge": "/officer"},
        }
    ],
}


@pytest.fixture
def card(tmp_path):
    root = tmp_path / "card"
    (root / "DCIM").mkdir(parents=True)
    for part in (1, 2):
        (root / f"DCIM/BC42_20260315_075207_{part}.MP4").write_bytes(b"part %d" % part)
    (root / "DCIM/BC42_20260315_075207.JSON").write_text('{"officer": "4417"}')
    (root / "README.TXT").write_text("not footage")
    return root


def pattern(tmp_path, **changes):
    path = tmp_path / "pattern.json"
    path.write_text(json.dumps(PATTERN | changes))
    return read_pattern(path)


def test_the_parts_of_a_recording_go_together_with_what_their_names_and_sidecar_say(card, tmp_path):
    source = Card(card, pattern(tmp_path))
    assert (source.about().make, source.about().serial) == ("Example", "BC42")
    files = source.files()
    assert [file.name for file in files] == ["BC42_20260315_075207_1.MP4", "BC42_20260315_075207_2.MP4"]
    assert len({file.group for file in files}) == 1
    assert files[0].particulars["badge"] == "4417"
    assert files[0].particulars["started_at"] == "2026-03-15T06:52:07.000Z"
    assert not any(file.may_erase for file in files)


def test_where_a_card_may_be_erased_what_comes_along_is_handed_in_too(card, tmp_path):
    files = Card(card, pattern(tmp_path, may_erase=True)).files()
    assert [file.name for file in files][-1] == "BC42_20260315_075207.JSON"
    assert all(file.may_erase for file in files)


def test_what_was_handed_in_is_erased_and_what_changed_since_is_kept(card, tmp_path):
    from hashlib import sha256

    source = Card(card, pattern(tmp_path, may_erase=True))
    states = [
        FileState(file, "checked", sha256((card / file.path).read_bytes()).hexdigest(), receipt=b"{}")
        for file in source.files()
    ]
    changed = [replace(states[0], sha256="0" * 64), *states[1:]]
    assert "another than was handed in" in source.erase(changed)
    assert len(source.files()) == 3
    assert source.erase(states) == ""
    assert list_paths(card) == ["README.TXT"]


def test_a_name_whose_time_nobody_can_read_is_handed_in_without_one(card, tmp_path):
    where_unknown = pattern(tmp_path, zone="place")
    assert Card(card, where_unknown).files()[0].particulars["started_at"] is None
    there = Card(card, where_unknown, zone="Europe/Berlin")
    assert there.files()[0].particulars["started_at"] == "2026-03-15T06:52:07.000Z"


def test_a_sidecar_that_cannot_be_read_holds_nothing_up(card, tmp_path):
    (card / "DCIM/BC42_20260315_075207.JSON").write_text("{")
    assert Card(card, pattern(tmp_path)).files()[0].particulars["badge"] == ""


def test_a_card_of_several_cameras_has_no_serial_number_of_its_own(card, tmp_path):
    (card / "DCIM/BC77_20260315_075207_1.MP4").write_bytes(b"another camera's")
    assert Card(card, pattern(tmp_path)).about().serial == ""


def test_the_first_pattern_that_finds_footage_counts(card, tmp_path):
    other = pattern(tmp_path, name="another", footage=["VIDEO/*.AVI"], started=None, same=[], sidecars=[])
    ours = pattern(tmp_path)
    assert fitting_pattern(card, [other, ours]) == ours
    assert fitting_pattern(card, []) is None
    assert open_folder(card, log_keys=(), patterns=[other, ours]).key == str(card)
    with pytest.raises(CameraError, match="1 patterns"):
        open_folder(card, log_keys=(), patterns=[other])


def test_a_pattern_that_makes_no_sense_is_refused_with_its_name(tmp_path):
    with pytest.raises(CameraError, match=r"pattern\.json: .*footage"):
        pattern(tmp_path, footage=[])
    with pytest.raises(CameraError, match="no file"):
        read_pattern(tmp_path / "absent.json")


def test_cards_and_cameras_are_found_wherever_a_path_leads(card, tmp_path):
    finder = Mounted([f"{tmp_path}/*"], log_keys=(), patterns=[pattern(tmp_path)])
    (tmp_path / "empty").mkdir()
    assert set(finder.look()) == {str(card)}
    camera = tmp_path / "usb"
    camera.mkdir()
    (camera / "camera.json").write_text("{}")
    found = finder.look()
    assert set(found) == {str(card), str(camera)}
    assert isinstance(found[str(camera)](), MountedCamera)
    assert isinstance(found[str(card)](), Card)
    card.rename(tmp_path / ".." / f"{tmp_path.name}-pulled")
    assert set(finder.look()) == {str(camera)}


def test_a_camera_whose_description_is_none_is_said(tmp_path):
    (tmp_path / "camera.json").write_text('{"camera": "no name"}')
    with pytest.raises(CameraError, match=r"camera\.json"):
        MountedCamera(tmp_path, log_keys=()).about()
    (tmp_path / "camera.json").write_text("[")
    with pytest.raises(CameraError, match="no description"):
        MountedCamera(tmp_path, log_keys=()).about()
