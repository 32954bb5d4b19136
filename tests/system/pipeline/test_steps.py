"""Each step of a real recording: in the real jail, into the real store, with the real database."""

import contextlib
import hashlib
import io
import os
from dataclasses import replace
from pathlib import Path

import av
import pytest
from django.db import DatabaseError

from plainview.evidence import step_actions, step_queries
from plainview.evidence.models import Cue, Derivative, Step, Transcript
from plainview.evidence.rules import MOST_ATTEMPTS
from plainview.media.sample_transcripts import format_sample
from plainview.media.transcript import Cue as SpokenCue
from plainview.pipeline import derivatives, steps
from plainview.pipeline.derived_store import settle_derived, sweep_derived
from plainview.service.errors import JailError
from plainview.service.jail import Limits
from plainview.vault.errors import KeyMissingError, StoreFaultError, StoreFullError
from simulators.custody_rows import START
from simulators.media_files import media_file, numbered_file, shared_media, shown, wav_file
from simulators.workplaces import derived_bytes, receive_file

KINDS = {"viewing_copy", "storyboard", "waveform"}


def large_file(**changes):
    """A recording that browsers could play, and that is too large."""
    return numbered_file(**{"size": (2048, 1152), "count": 30, "tones": [(0, 3000, 0.5)]} | changes)


def do(place, original, name="derive", times=0):
    steps.run_step(place, original=original.key, name=name, times=times)


def made_of(original):
    return {row.kind: row for row in Derivative.objects.filter(original_id=original.key)}


def step(original, name="derive"):
    row = Step.objects.get(original_id=original.key, name=name)
    return row.state, row.attempts, row.reason


# --- derivatives


def test_a_viewing_copy_a_storyboard_and_a_waveform_are_made_and_kept(place, tmp_path):
    original = receive_file(place, tmp_path, large_file())
    do(place, original)
    assert step(original) == ("done", 1, "")
    made = made_of(original)
    assert set(made) == KINDS
    copy = derived_bytes(place, made["viewing_copy"])
    assert hashlib.sha256(copy).hexdigest() == made["viewing_copy"].sha256
    assert len(copy) == made["viewing_copy"].size_bytes
    # Its index comes first, although it was written last.
    assert copy.index(b"moov") < copy.index(b"mdat")
    assert [number for _, number in shown(copy)] == list(range(30))
    facts = made["viewing_copy"].facts
    assert (facts["width_px"], facts["height_px"], facts["has_sound"]) == (1280, 720, True)
    assert (facts["reason"], facts["picture_count"]) == ("large", 30)
    assert made["viewing_copy"].settings["crf"] == "23"
    assert derived_bytes(place, made["storyboard"]).startswith(b"\xff\xd8")
    assert len(derived_bytes(place, made["waveform"])) == made["waveform"].facts["size_bytes"]
    assert set(place.derived.names()) == step_queries.derivative_object_ids()
    assert not any(place.installation.store.names(name) for name in ()), (
        "only originals lie in the vault's store"
    )


def test_what_browsers_play_by_itself_gets_no_copy(place, tmp_path):
    original = receive_file(place, tmp_path, media_file(options={"movflags": "faststart"}))
    do(place, original)
    assert set(made_of(original)) == {"storyboard", "waveform"}
    assert step(original)[0] == "done"


def test_sound_alone_gets_a_waveform(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(place, original)
    assert set(made_of(original)) == {"waveform"}


def test_destroying_the_originals_key_makes_everything_of_it_unreadable(place, tmp_path):
    original = receive_file(place, tmp_path, large_file(count=5))
    do(place, original)
    place.installation.keys.destroy_object_key(original.facts.object_id)
    for row in made_of(original).values():
        with pytest.raises(KeyMissingError):
            derived_bytes(place, row)


def test_doing_a_done_step_again_changes_nothing(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(place, original)
    before = list(Derivative.objects.values())
    do(place, original)
    assert list(Derivative.objects.values()) == before


def test_progress_is_written_down_at_most_once_a_second_and_with_short_statements(
    place, tmp_path, monkeypatch
):
    original = receive_file(place, tmp_path, large_file())
    noted = []
    monkeypatch.setattr(
        "plainview.pipeline.workplace.note_progress",
        lambda claim, fraction: noted.append(fraction) or step_actions.note_progress(claim, fraction),
    )
    seconds = iter(range(1000))
    do(replace(place, monotonic=lambda: next(seconds) / 2), original)
    assert noted
    assert all(0 <= fraction < 1 for fraction in noted)
    assert Step.objects.get(original_id=original.key, name="derive").fraction == 1


# --- transcripts


def test_what_is_said_is_decoded_in_the_jail_and_heard_outside(place, tmp_path):
    original = receive_file(place, tmp_path, shared_media("jfk.flac").read_bytes(), "jfk.flac")
    do(place, original, "transcript")
    assert step(original, "transcript") == ("done", 1, "")
    transcript = Transcript.objects.get()
    assert (transcript.engine, transcript.notice, transcript.language) == ("scribe", "machine", "en")
    assert transcript.input_sha256 == original.facts.sha256
    assert transcript.settings["speech_ms"] > 5000
    cues = list(Cue.objects.order_by("number"))
    assert cues
    assert cues[0].words[0][2] == "word0"


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("make_crash", ("waiting", 1, "engine_stopped")),
        ("make_liar", ("waiting", 1, "engine_stopped")),
        ("no_such_engine", ("waiting", 1, "engine_stopped")),
        ("make_no_model", ("waiting", 0, "model")),
        ("make_babble", ("done", 1, "")),
    ],
)
def test_an_engine_that_fails_takes_nothing_with_it(place, tmp_path, engine, expected):
    original = receive_file(place, tmp_path, shared_media("jfk.flac").read_bytes(), "jfk.flac")
    do(replace(place, engine=f"simulators.scribe:{engine}"), original, "transcript")
    assert step(original, "transcript") == expected
    assert Transcript.objects.count() == (expected[0] == "done")
    assert processes_named("hearer") == []


@pytest.mark.parametrize("is_silent", [True, False])
def test_an_engine_that_does_not_end_is_ended(place, tmp_path, monkeypatch, is_silent):
    original = receive_file(place, tmp_path, shared_media("jfk.flac").read_bytes(), "jfk.flac")
    asked = []
    slow = replace(
        place, engine="simulators.scribe:make_sleeper", is_stopping=lambda: asked.append(1) or len(asked) > 2
    )
    if is_silent:
        monkeypatch.setattr("plainview.pipeline.hearing.QUIET_LIMIT_S", 2.0)
        slow = replace(slow, is_stopping=lambda: False)
    do(slow, original, "transcript")
    assert step(original, "transcript") == (
        ("waiting", 1, "engine_stopped") if is_silent else ("waiting", 0, "")
    )
    assert processes_named("hearer") == []


def processes_named(word):
    """Return the processes that run a module of ours with this in its name."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            status = (entry / "status").read_text()
            if f"plainview.pipeline.{word}".encode() in words and f"PPid:\t{os.getpid()}\n" in status:
                found.append(int(entry.name))
    return found


def test_a_recording_without_sound_has_a_transcript_without_words_that_says_so(place, tmp_path):
    original = receive_file(place, tmp_path, media_file(audio_streams=0))
    do(place, original, "transcript")
    transcript = Transcript.objects.get()
    assert (transcript.settings["reason"], transcript.cues.count()) == ("no_sound", 0)


def test_a_sample_transcript_stands_for_what_an_engine_would_hear(place, tmp_path):
    original = receive_file(place, tmp_path, media_file())
    place.samples.mkdir()
    sha256 = original.facts.sha256
    cues = [SpokenCue(100, 900, "Stop there.", ())]
    (place.samples / f"{sha256}.json").write_bytes(
        format_sample(original_sha256=sha256, language="en", cues=cues)
    )
    do(place, original, "transcript")
    transcript = Transcript.objects.get()
    assert (transcript.notice, transcript.engine) == ("sample", "typed")
    assert transcript.cues.get().text == "Stop there."


def test_a_sample_that_is_none_is_the_samples_fault(place, tmp_path):
    original = receive_file(place, tmp_path, media_file())
    place.samples.mkdir()
    (place.samples / f"{original.facts.sha256}.json").write_bytes(b"{")
    do(place, original, "transcript")
    assert step(original, "transcript") == ("parked", 1, "sample_unusable")


# --- trouble


def bad_jail(place, **changes):
    """The real jail, given other limits or another task than asked for."""

    class Jail:
        def run(self, task, *, limits, **asked):
            given = {"limits": limits} | changes
            return place.jail.run(given.pop("task", task), **asked | given)

    return replace(place, jail=Jail())


def broken(place, error):
    class Jail:
        def run(self, *_, **__):
            raise error

    return replace(place, jail=Jail())


def test_a_decoder_without_memory_is_tried_again(place, tmp_path):
    original = receive_file(place, tmp_path, large_file(count=5))
    do(bad_jail(place, limits=Limits(memory_bytes=16 << 20)), original)
    assert step(original)[:2] == ("waiting", 1)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("write_endlessly", "too much output"),
        ("write_raw", "unreadable output"),
        ("return_much", "unknown fields"),
        ("write_with_head_last", "unknown fields"),
        ("hold_a_terabyte", "too much output"),
    ],
)
def test_a_decoder_that_was_taken_over_gives_nothing(place, tmp_path, task, text):
    original = receive_file(place, tmp_path, wav_file())
    given = {"raw": b"x" * 99, "count": 10, "times": 1}
    jail = bad_jail(place, task=f"simulators.hostile_tasks:{task}", argument=given)
    do(jail, original)
    do(jail, original, "transcript")
    for name in ("derive", "transcript"):
        assert step(original, name) == ("waiting", 1, "decoder_stopped")
    assert text in Step.objects.get(original_id=original.key, name="derive").reason_text
    assert list(place.derived.names()) == []


def test_a_decoder_that_is_stopped_counts_and_the_third_time_asks_a_person(place, tmp_path):
    original = receive_file(place, tmp_path, large_file(count=5))
    poor = bad_jail(place, task="simulators.hostile_tasks:write_then_die")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        do(poor, original)
        assert step(original) == (
            "waiting" if attempt < MOST_ATTEMPTS else "parked",
            attempt,
            "decoder_stopped",
        )
    assert made_of(original) == {}
    assert list(place.derived.names()) == []


def test_what_the_bytes_are_to_blame_for_is_not_tried_again(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(bad_jail(place, task="simulators.hostile_tasks:raise_known"), original)
    assert step(original) == ("parked", 1, "not a recording")


def test_a_jail_that_cannot_begin_is_our_fault(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(bad_jail(place, task="plainview.pipeline.jailed_steps:no_such_task"), original)
    assert step(original) == ("waiting", 0, "decoder_unavailable")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (JailError("no"), "decoder_unavailable"),
        (StoreFullError("writing", "x", "no space"), "disk_full"),
        (StoreFaultError("writing", "x", "input/output error", 5), "disk_fault"),
        (MemoryError(), "memory"),
        (OSError(24, "too many open files"), "machine"),
    ],
)
def test_what_this_machine_is_to_blame_for_waits_and_does_not_count(place, tmp_path, error, reason):
    original = receive_file(place, tmp_path, wav_file())
    for times in range(5):
        do(broken(place, error), original, times=times)
        assert step(original) == ("waiting", 0, reason)
    do(place, original)
    assert step(original) == ("done", 1, "")


def test_an_error_of_the_program_counts_so_that_it_cannot_go_on_for_ever(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    for _ in range(MOST_ATTEMPTS):
        do(broken(place, ZeroDivisionError("secret")), original)
    assert step(original) == ("parked", 3, "unexpected")
    assert "secret" not in Step.objects.get(original_id=original.key, name="derive").reason_text


def test_a_database_that_goes_away_is_left_to_who_looks_after_lost_steps(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    with pytest.raises(DatabaseError):
        do(broken(place, DatabaseError("gone")), original)
    assert step(original)[0] == "doing"


def test_an_original_whose_key_was_destroyed_cannot_be_worked_on(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    place.installation.keys.destroy_object_key(original.facts.object_id)
    do(place, original)
    assert step(original) == ("parked", 1, "key_destroyed")


def test_a_disk_that_fills_during_a_copy_leaves_nothing_and_the_step_waits(place, tmp_path, monkeypatch):
    original = receive_file(place, tmp_path, large_file())
    written = []

    def write(fd, data):
        written.append(len(data))
        if sum(written) > 30_000:
            raise OSError(28, "No space left on device")
        return os.write(fd, data)

    monkeypatch.setattr(place.derived.files, "write", write)
    do(place, original)
    assert step(original) == ("waiting", 0, "disk_full")
    assert "full" in Step.objects.get(original_id=original.key, name="derive").reason_text
    monkeypatch.undo()
    assert [path for path in place.derived.root.rglob("*") if path.is_file()] == []
    do(place, original)
    assert set(made_of(original)) == KINDS


def test_a_worker_that_stops_gives_its_step_back(place, tmp_path):
    original = receive_file(place, tmp_path, large_file())
    ticks = iter([False, True])
    seconds = iter(range(0, 10_000, 2))
    do(replace(place, is_stopping=lambda: next(ticks, True), monotonic=lambda: next(seconds)), original)
    assert step(original) == ("waiting", 0, "")
    assert list(place.derived.names()) == []


def test_a_step_that_somebody_else_took_over_is_let_go(place, tmp_path, monkeypatch):
    original = receive_file(place, tmp_path, large_file())

    def take_over(*_):
        step_actions.claim_step(original=original.key, name="derive", actor=steps.WORKER, now=START)
        return False

    monkeypatch.setattr("plainview.pipeline.workplace.note_progress", take_over)
    seconds = iter(range(0, 10_000, 2))
    do(replace(place, monotonic=lambda: next(seconds)), original)
    assert step(original)[:2] == ("doing", 2)
    assert list(place.derived.names()) == []


def test_a_result_that_came_too_late_is_thrown_away(place, tmp_path, monkeypatch):
    original = receive_file(place, tmp_path, wav_file())
    make = derivatives.make_derivatives

    def make_slowly(*given):
        made = make(*given)
        do(replace(place), original)
        return made

    monkeypatch.setattr(steps, "make_derivatives", make_slowly)
    with monkeypatch.context() as inner:
        inner.setattr(steps, "claim_step", first_then_again(steps.claim_step, make, inner))
        do(place, original)
    assert set(place.derived.names()) == step_queries.derivative_object_ids()
    assert Derivative.objects.count() == 1
    assert step(original)[0] == "done"


def first_then_again(claim, make, patch):
    """The second claim of a step works as it should."""
    claims = []

    def claim_once(**asked):
        claims.append(asked)
        if len(claims) == 2:
            patch.setattr(steps, "make_derivatives", make)
        return claim(**asked)

    return claim_once


# --- the store of derivatives


def test_objects_that_no_row_names_are_swept_while_nobody_works(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(place, original)
    with place.derived.create("0" * 32) as writer:
        writer.write(b"what a killed worker had finished")
        writer.commit()
    step_actions.claim_step(original=original.key, name="transcript", actor=steps.WORKER, now=START)
    other = receive_file(place, tmp_path, media_file(), "other.mp4")
    step_actions.claim_step(original=other.key, name="derive", actor=steps.WORKER, now=START)
    assert sweep_derived(place.derived, now=START) == (0, 0)
    do(place, other)
    assert sweep_derived(place.derived, now=START) == (1, 0)
    assert set(place.derived.names()) == step_queries.derivative_object_ids()


def test_what_a_store_lost_is_made_anew(place, tmp_path):
    original = receive_file(place, tmp_path, wav_file())
    do(place, original)
    place.derived.delete(made_of(original)["waveform"].object_id)
    assert sweep_derived(place.derived, now=START) == (0, 1)
    do(place, original)
    assert step(original)[0] == "done"
    assert sweep_derived(place.derived, now=START) == (0, 0)


def test_halves_of_objects_are_swept_before_workers_start(place):
    writer = place.derived.create("1" * 32)
    writer.write(b"half")
    assert settle_derived(place.derived) == 1


def test_a_copy_of_a_long_recording_comes_out_whole(place, tmp_path):
    """More than one chunk of head and body, through the pipe and the encrypting writer."""
    original = receive_file(place, tmp_path, shared_media("asl_night.mkv").read_bytes(), "night.mkv")
    do(place, original)
    row = made_of(original).get("viewing_copy")
    assert row is not None
    data = derived_bytes(place, row)
    assert hashlib.sha256(data).hexdigest() == row.sha256
    with av.open(io.BytesIO(data)) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == row.facts["picture_count"]
