"""Recordings into words, with the real engines."""

import io
import json
import socket

import numpy as np
import pytest
from faster_whisper.transcribe import Segment
from faster_whisper.transcribe import Word as WhisperWord

from plainview.media.engines import chosen_model, find_engine
from plainview.media.errors import ModelError, UnusableMediaError
from plainview.media.speech import LONGEST_SAMPLES, find_speech, pack_speech, unpack_speech
from plainview.media.speech_models import MANIFEST, describe_model, format_manifest
from plainview.media.transcribe import Transcription, transcribe
from plainview.media.transcript import transcript_from_json, transcript_to_json
from plainview.media.whisper import phrase_of
from simulators import media_files as made
from simulators.scribe import Deaf, Scribe
from simulators.tiny_whisper import write_tiny_whisper


def written(data, engine):
    """Transcribe, and check what must hold of every transcript."""
    told = []
    found = transcribe(io.BytesIO(data), engine=engine, on_progress=told.append)
    assert transcript_from_json(json.loads(json.dumps(transcript_to_json(found)))) == found
    assert told == sorted(told)
    assert told[-1] == 1
    free_ms = 0
    for cue in found.cues:
        assert free_ms <= cue.start_ms <= cue.end_ms
        assert cue.words[0].start_ms == cue.start_ms
        assert cue.words[-1].end_ms == cue.end_ms
        free_ms = cue.end_ms
    return found


def install(models, *, name="micro", **shape):
    folder = write_tiny_whisper(models / name, **shape)
    (folder / MANIFEST).write_bytes(format_manifest(describe_model(folder, name=name, source="made here")))
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    install(folder)
    return folder


@pytest.fixture(scope="module")
def whisper(models):
    return find_engine(models)


@pytest.fixture(scope="module")
def sphinx():
    return find_engine(None)


@pytest.fixture(params=["whisper", "sphinx"])
def engine(request):
    return request.getfixturevalue(request.param)


def syllables(*spans_ms):
    return [(at, at + 150, 0.3) for start, end in spans_ms for at in range(start, end, 250)]


def talk(*spans_ms, seconds, **changes):
    tones = [*syllables(*spans_ms), (seconds * 1000 - 1, seconds * 1000, 0.0)]
    return made.numbered_file(count=seconds * 10, tones=tones, **changes)


# --- what any engine is given, and what becomes of it


def test_an_engine_hears_speech_only_and_its_words_get_the_recordings_time():
    scribe = Scribe()
    found = written(talk((5000, 8000), (50_000, 52_000), seconds=60), scribe)
    assert found.speech_ms < 7000
    assert sum(scribe.heard) * 1000 // 16_000 == found.speech_ms
    starts = [cue.start_ms for cue in found.cues]
    assert starts == [pytest.approx(4800, abs=300), pytest.approx(49_800, abs=300)]
    assert found.cues[0].words[1].start_ms == found.cues[0].start_ms + 250
    assert (found.engine, found.notice, found.reason, found.warnings) == ("scribe", "machine", None, ())
    assert found.settings["word_s"] == 0.25
    assert found.settings["speech_detector"] == "webrtc"


def test_an_engine_that_wants_more_gets_stretches_together_up_to_half_a_minute():
    spans = [(at, at + 3000) for at in range(0, 100_000, 10_000)]
    data, alone, together = talk(*spans, seconds=100), Scribe(), Scribe(batch_samples=30 * 16_000)
    each, joined = written(data, alone), written(data, together)
    assert len(alone.heard) == 10
    assert 2 <= len(together.heard) <= 3
    assert max(together.heard) <= 30 * 16_000
    assert [cue.start_ms for cue in joined.cues] == [
        pytest.approx(cue.start_ms, abs=250) for cue in each.cues
    ]


def test_nobody_hears_silence():
    scribe = Scribe()
    found = written(talk(seconds=20), scribe)
    assert (found.cues, found.reason, found.speech_ms, scribe.heard) == ((), "no_speech", 0, [])


def test_no_sound_is_a_reason():
    found = written(made.media_file(audio_streams=0), Scribe())
    assert (found.cues, found.reason) == ((), "no_sound")


def test_an_engine_that_makes_no_words_is_a_reason():
    found = written(talk((0, 4000), seconds=5), Deaf())
    assert (found.cues, found.reason) == ((), "no_words")
    assert found.speech_ms > 3500


def test_what_was_not_heard_is_told():
    found = written(talk((0, 4000), seconds=5, more_streams=("audio", "audio")), Scribe())
    assert (found.left_out, found.warnings) == ((2, 3), ("other_sound",))


def test_a_cut_recording_has_a_transcript_up_to_the_cut():
    data = talk((0, 20_000), seconds=20, key_every=10, options={"movflags": "frag_keyframe+empty_moov"})
    found = written(data[: len(data) * 6 // 10], Scribe())
    assert "ends_early" in found.warnings
    assert 8000 < found.cues[-1].end_ms < 16_000


def test_what_is_no_recording_is_refused_with_its_reason():
    with pytest.raises(UnusableMediaError, match="no kind of audio or video"):
        transcribe(io.BytesIO(b"this is free text named .mp4\n" * 50), engine=Scribe())


def test_speech_that_crosses_a_process_border_makes_the_same_transcript(whisper):
    data = made.shared_media("jfk.flac").read_bytes()
    packed = []
    report = find_speech(io.BytesIO(data), on_speech=lambda speech: packed.append(pack_speech(speech)))
    transcription = Transcription(whisper)
    for speech in unpack_speech(packed):
        transcription.put(speech)
    assert transcription.found(report) == transcribe(io.BytesIO(data), engine=whisper)


# --- the real engines


def test_an_engine_says_the_same_of_the_same_recording_whatever_it_heard_before(engine):
    data = made.shared_media("librivox_0870.wav").read_bytes()
    first = written(data, engine)
    assert first.cues
    written(made.shared_media("jfk.flac").read_bytes(), engine)
    assert written(data, engine) == first


def test_an_engine_bears_sound_that_is_no_language(engine):
    noise = np.random.default_rng(2).standard_normal(LONGEST_SAMPLES) * 5000
    loud = np.abs(np.sin(np.arange(LONGEST_SAMPLES) / 3000)) > 0.4
    listener = engine.begin()
    for samples in ((noise * loud), np.zeros(16_000), noise[:480]):
        for phrase in listener.hear(samples.astype(np.int16)):
            assert all(0 <= word.start_s <= word.end_s for word in phrase)


def test_the_bundled_engine_finds_some_words_of_real_speech_and_says_how_far_to_trust_it(sphinx):
    found = written(made.shared_media("librivox_0880.wav").read_bytes(), sphinx)
    assert (found.engine, found.notice, found.language) == ("pocketsphinx", "hint", "en")
    words = {word.text: word for cue in found.cues for word in cue.words}
    assert {"he", "was", "not", "young", "man"} <= words.keys()
    assert 2000 <= words["young"].start_ms <= words["man"].start_ms <= 2600
    assert not any(set("<>[]()") & set(text) for text in words)
    assert all(0 <= word.confidence <= 1 for word in words.values())


def test_a_model_is_run_without_asking_any_network(models, monkeypatch):
    def refuse(*_):
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = written(made.shared_media("jfk.flac").read_bytes(), find_engine(models))
    assert (found.engine, found.model, found.notice) == ("faster-whisper", "micro", "machine")
    assert found.language
    assert len(found.settings["model_sha256"]) == 64
    assert sum(len(cue.words) for cue in found.cues) > 3


def segment(*, no_speech_prob=0.0, compression_ratio=1.0, words=((0.0, 0.5, " Stop", 0.9),)):
    return Segment(
        id=1,
        seek=0,
        start=0.0,
        end=2.0,
        text=" Stop",
        tokens=[],
        avg_logprob=-0.1,
        compression_ratio=compression_ratio,
        no_speech_prob=no_speech_prob,
        words=[WhisperWord(*word) for word in words],
        temperature=0.0,
    )


def test_words_that_the_model_doubts_stay_and_say_so():
    ((sure,), (silent,), (looping,)) = (
        phrase_of(segment()),
        phrase_of(segment(no_speech_prob=0.95)),
        phrase_of(segment(compression_ratio=3)),
    )
    assert (sure.text, sure.confidence) == (" Stop", 0.9)
    assert silent.confidence == pytest.approx(0.045)
    assert looping.confidence == 0.2


def test_a_phrase_whose_words_have_no_times_is_one_word():
    (only,) = phrase_of(segment(words=()))
    assert (only.start_s, only.end_s, only.text, only.confidence) == (0.0, 2.0, " Stop", None)


# --- which engine


def test_the_bundled_engine_is_used_where_no_model_is_installed(tmp_path):
    assert chosen_model(None) is None
    assert chosen_model(tmp_path / "models") is None


def test_the_largest_model_is_used(models, tmp_path):
    (tmp_path / "micro").symlink_to(models / "micro")
    install(tmp_path, name="larger", width=96)
    assert chosen_model(tmp_path)[1].name == "larger"
    (tmp_path / ".unfinished-0123").mkdir()
    assert chosen_model(tmp_path)[1].name == "larger"


def test_a_model_that_lacks_bytes_is_named_and_nothing_takes_its_place(tmp_path):
    folder = install(tmp_path)
    with (folder / "model.bin").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ModelError, match=r"model\.bin has 1000 bytes"):
        find_engine(tmp_path)


def test_the_tiny_model_is_the_same_each_time(models, tmp_path):
    again = describe_model(write_tiny_whisper(tmp_path / "micro"), name="micro", source="made here")
    assert again == describe_model(models / "micro", name="micro", source="made here")
