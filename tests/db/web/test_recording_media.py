"""A recording's bytes: pieces, pictures and the waveform, to whom they are sent and how they are kept."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from plainview.custody.models import Act
from plainview.evidence.models import Derivative, Original
from plainview.pipeline.installation import open_derived
from plainview.vault.keys import create_key_store
from plainview.web import media, ranges
from simulators import media_files
from simulators.visitors import anybody, visitor
from simulators.workplaces import derived_bytes


def address(identifier, name="video"):
    return f"/recordings/{identifier}/{name}"


def ask(client, identifier, name="video", **headers):
    return client.get(address(identifier, name), headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def investigator(shown):
    return visitor("investigator")


# --- pieces of a video


def test_an_original_that_browsers_play_is_played_itself_byte_for_byte(investigator, shown):
    answer = ask(investigator, shown.plain)
    assert (answer.status_code, answer["Content-Type"]) == (200, "video/mp4")
    assert answer.content == shown.plain_bytes


def test_a_range_is_answered_with_exactly_its_bytes(investigator, shown):
    size = len(shown.plain_bytes)
    for header, part in (
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-299", slice(100, 300)),
        ("bytes=-7", slice(size - 7, size)),
        (f"bytes={size - 3}-", slice(size - 3, size)),
    ):
        answer = ask(investigator, shown.plain, Range=header)
        assert answer.status_code == 206
        assert answer.content == shown.plain_bytes[part]
        assert answer["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/{size}"
        assert answer["Content-Length"] == str(len(answer.content))


def test_pieces_put_together_are_the_whole(investigator, shown, monkeypatch):
    monkeypatch.setattr(media, "find_piece", lambda *a, **k: ranges.find_piece(*a, **k, most_bytes=1000))
    whole, at = b"", 0
    while at < len(shown.plain_bytes):
        answer = ask(investigator, shown.plain, Range=f"bytes={at}-")
        assert answer.status_code == 206
        assert len(answer.content) <= 1000
        whole += answer.content
        at = len(whole)
    assert whole == shown.plain_bytes


def test_what_is_larger_than_a_piece_is_never_sent_as_if_it_were_whole(investigator, shown, monkeypatch):
    monkeypatch.setattr(media, "find_piece", lambda *a, **k: ranges.find_piece(*a, **k, most_bytes=1000))
    answer = ask(investigator, shown.plain)
    assert (answer.status_code, len(answer.content)) == (206, 1000)
    assert answer["Content-Range"].startswith("bytes 0-999/")


def test_a_viewing_copy_is_played_where_there_is_one(investigator, shown):
    row = Derivative.objects.get(kind="viewing_copy", original__parts__recording__identifier=shown.coded)
    answer = ask(investigator, shown.coded)
    assert answer["Content-Type"] == "video/mp4"
    assert answer.content == derived_bytes(shown.place, row)
    assert [number for _, number in media_files.shown(answer.content)] == list(range(20))


def test_there_is_nothing_to_send_before_the_viewing_copy_is_made(investigator, shown):
    assert ask(investigator, shown.untouched).status_code == 404
    for name in ("poster.jpg", "storyboard.jpg", "waveform.json", "transcript.json"):
        assert ask(investigator, shown.untouched, name).status_code == 404


def test_a_range_past_the_end_is_refused_with_the_size(investigator, shown):
    answer = ask(investigator, shown.plain, Range="bytes=999999999-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(shown.plain_bytes)}")
    assert answer.content == b""


def test_of_several_ranges_the_first_is_sent_and_says_so(investigator, shown):
    answer = ask(investigator, shown.plain, Range="bytes=5-6, 0-1")
    assert (answer.content, answer["Content-Range"][:9]) == (shown.plain_bytes[5:7], "bytes 5-6")


@pytest.mark.parametrize(
    "header", ["bytes=6-5", "lines=1-2", "bytes=", "bytes=a-b", "bytes=" + "0-0," * 5000]
)
def test_nonsense_is_passed_over(investigator, shown, header):
    assert ask(investigator, shown.plain, Range=header).content == shown.plain_bytes


def test_a_player_may_ask_whether_what_it_has_is_still_the_same(investigator, shown):
    etag = ask(investigator, shown.plain)["ETag"]
    assert not etag.startswith("W/")
    same = ask(investigator, shown.plain, Range="bytes=3-4", If_Range=etag)
    other = ask(investigator, shown.plain, Range="bytes=3-4", If_Range='"other"')
    assert (same.status_code, same.content) == (206, shown.plain_bytes[3:5])
    assert other.content == shown.plain_bytes


def test_head_says_what_the_whole_would_be(investigator, shown):
    answer = investigator.head(address(shown.plain), headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Length"] == str(len(shown.plain_bytes))
    assert answer["Accept-Ranges"] == "bytes"


def test_a_video_is_kept_nowhere_and_taken_for_nothing_else(investigator, shown):
    for header in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=99999999-"}):
        answer = ask(investigator, shown.plain, **header)
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "Cookie" in answer["Vary"]


def test_other_methods_are_refused(investigator, shown):
    for name in ("video", "poster.jpg", "storyboard.jpg", "waveform.json", "progress", "transcript.json"):
        assert investigator.post(address(shown.plain, name)).status_code == 405


# --- pictures and the waveform


def test_sheet_and_poster_are_pictures_of_the_recording(investigator, shown):
    facts = Derivative.objects.get(
        kind="storyboard", original__parts__recording__identifier=shown.plain
    ).facts
    sheet = ask(investigator, shown.plain, "storyboard.jpg")
    poster = ask(investigator, shown.plain, "poster.jpg")
    assert sheet["Content-Type"] == poster["Content-Type"] == "image/jpeg"
    assert len(poster.content) < 15_000
    assert len(sheet.content) + len(poster.content) == facts["size_bytes"]
    picture = np.asarray(Image.open(io.BytesIO(poster.content)).convert("L"))
    assert picture.shape == (facts["tile_height_px"], facts["tile_width_px"])
    assert media_files.read_number(picture) == 0
    board = Image.open(io.BytesIO(sheet.content))
    assert board.size[0] == facts["columns"] * facts["tile_width_px"]


def test_whoever_has_a_picture_already_is_told_so_for_next_to_nothing(investigator, shown, monkeypatch):
    etags = set()
    for name in ("poster.jpg", "storyboard.jpg", "waveform.json"):
        answer = ask(investigator, shown.plain, name)
        assert answer["Cache-Control"] == "private, max-age=300"
        etags.add(answer["ETag"])
        with monkeypatch.context() as patch:
            patch.setattr(media, "_open_derivative", None)
            again = ask(investigator, shown.plain, name, If_None_Match=answer["ETag"])
        assert (again.status_code, again.content) == (304, b"")
    assert len(etags) == 3


def test_the_waveform_is_the_sound_that_is_heard(investigator, shown):
    drawn = json.loads(ask(investigator, shown.plain, "waveform.json").content)
    assert len(drawn["low"]) == len(drawn["high"]) >= 3000 // drawn["bin_ms"]
    middle = slice(200 // drawn["bin_ms"], 2800 // drawn["bin_ms"])
    assert all(60 <= high <= 70 for high in drawn["high"][middle])
    assert all(-70 <= low <= -60 for low in drawn["low"][middle])


# --- to whom


def test_bytes_are_sent_to_who_may_see_and_to_nobody_else(shown):
    for name in ("video", "poster.jpg", "storyboard.jpg", "waveform.json", "transcript.json"):
        assert ask(anybody(), shown.plain, name).status_code == 401
        assert ask(visitor("officer"), shown.plain, name).status_code == 404
        assert ask(visitor("administrator"), shown.plain, name).status_code == 404
        assert ask(visitor("custodian"), shown.plain, name).status_code == 200


def test_sending_bytes_is_no_act(investigator, shown):
    before = Act.objects.count()
    for name in ("video", "poster.jpg", "storyboard.jpg", "waveform.json", "transcript.json", "progress"):
        assert ask(investigator, shown.plain, name).status_code == 200
    assert Act.objects.count() == before


# --- when they are not to be had


def test_an_altered_chunk_is_a_sentence_and_not_a_broken_picture(investigator, shown, tmp_path, monkeypatch):
    row = Derivative.objects.get(kind="viewing_copy", original__parts__recording__identifier=shown.coded)
    (path,) = shown.place.derived.root.rglob(row.object_id)
    damaged = open_derived(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with damaged.create(row.object_id) as writer:
        writer.write(data)
        writer.commit()
    monkeypatch.setattr("plainview.web.here.derived", lambda: damaged)
    answer = ask(investigator, shown.coded, Range="bytes=0-9")
    assert (answer.status_code, answer["Content-Type"]) == (500, "text/plain")
    assert b"cannot be read" in answer.content


def test_a_destroyed_key_is_said_to_be_a_deletion(investigator, shown, tmp_path, monkeypatch):
    keys = create_key_store(tmp_path / "keys", recovery_public=os.urandom(32))
    monkeypatch.setattr(
        "plainview.web.here.installation",
        lambda: type("Here", (), {"store": shown.place.installation.store, "keys": keys}),
    )
    for name in ("video", "poster.jpg", "waveform.json"):
        answer = ask(investigator, shown.coded, name)
        # Sound that is not there has no waveform.
        assert answer.status_code in {410, 404}
    assert ask(investigator, shown.coded).content == b"It was deleted: its key was destroyed."
    keys.close()


def test_an_examination_of_another_form_plays_nothing_rather_than_anything(investigator, shown):
    row = Original.objects.get(parts__recording__identifier=shown.untouched)
    row.probes.update(found={"streams": []})
    assert ask(investigator, shown.untouched).status_code == 404
