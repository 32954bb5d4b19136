"""Finding where somebody may be speaking."""

import io
import tracemalloc

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.media.errors import MediaError
from plainview.media.speech import (
    LONGEST_SAMPLES,
    RATE_HZ,
    SpeechFinder,
    find_speech,
    pack_speech,
    unpack_speech,
)
from simulators import media_files as made

# A tone that comes and goes four times a second, as syllables do.
LENGTH_S = 20


def syllables(start_ms, end_ms):
    return [(at, at + 150, 0.3) for at in range(start_ms, end_ms, 250)]


def babble(seconds):
    """Give the same as samples."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(at * 440 * 2 * np.pi) * (at % 0.25 < 0.15) * 9000).astype(np.int16)


def stretches(samples, *, at=0, pieces=1):
    """Give (start_s, end_s) of what is found in samples."""
    found = []
    finder = SpeechFinder(found.append)
    for part in np.array_split(samples, pieces):
        finder.put(part, at)
        at += len(part)
    finder.close()
    return [(each.start / RATE_HZ, (each.start + len(each.samples)) / RATE_HZ) for each in found]


def found_in(data):
    found, told = [], []
    report = find_speech(io.BytesIO(data), on_speech=found.append, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    return [(s.start * 1000 // RATE_HZ, (s.start + len(s.samples)) * 1000 // RATE_HZ) for s in found], report


def mixed(samples, level):
    noise = np.random.default_rng(1).standard_normal(len(samples)) * level
    return np.clip(samples + noise, -32_768, 32_767).astype(np.int16)


SECONDS = np.arange(12 * RATE_HZ) / RATE_HZ


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(12 * RATE_HZ, np.int16), id="silence"),
        pytest.param(mixed(np.zeros(12 * RATE_HZ), 3), id="a quiet room"),
        pytest.param(mixed(np.zeros(12 * RATE_HZ), 1000), id="steady noise"),
        pytest.param((np.sin(SECONDS * 2764) * 9000).astype(np.int16), id="a tone"),
        pytest.param(
            mixed(np.sin(SECONDS * 628) * 3000 + np.sin(SECONDS * 1257) * 1500, 100), id="an engine"
        ),
        pytest.param(np.zeros(0, np.int16), id="nothing"),
    ],
)
def test_what_never_changes_is_no_speech(samples):
    assert stretches(samples) == []


@pytest.mark.parametrize("level", [0, 100, 600])
def test_what_comes_and_goes_is_heard_with_room_around_it(level):
    quiet = np.zeros(5 * RATE_HZ, np.int16)
    ((start_s, end_s),) = stretches(mixed(np.concatenate((quiet, babble(3), quiet)), level))
    assert 4.5 <= start_s <= 5
    assert 7.9 <= end_s <= 8.6


def test_a_short_pause_is_part_of_it_and_a_long_one_is_not():
    def said(pause_s):
        return np.concatenate((babble(2), np.zeros(int(pause_s * RATE_HZ), np.int16), babble(2)))

    assert len(stretches(said(0.4))) == 1
    first, second = stretches(said(2))
    assert first[1] < second[0]


def test_a_click_is_no_speech():
    samples = np.zeros(6 * RATE_HZ, np.int16)
    samples[48_000:48_800] = 20_000
    assert stretches(samples) == []


def test_somebody_who_never_pauses_is_cut_into_half_minutes_without_loss():
    found = stretches(babble(100))
    assert all(round((end_s - start_s) * RATE_HZ) <= LONGEST_SAMPLES for start_s, end_s in found)
    assert [start_s for start_s, _ in found[1:]] == [end_s for _, end_s in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, pytest.approx(100, abs=0.3))


def test_how_the_sound_comes_in_pieces_changes_nothing():
    samples = mixed(np.concatenate((babble(2), np.zeros(40_000, np.int16), babble(31))), 50)
    assert stretches(samples) == stretches(samples, pieces=211)


def test_times_are_kept_over_a_gap_and_nothing_is_invented_in_it():
    found = []
    finder = SpeechFinder(found.append)
    finder.put(babble(2), 3 * RATE_HZ)
    finder.put(babble(2), 3600 * RATE_HZ)
    finder.close()
    assert [(s.start // RATE_HZ, len(s.samples) // RATE_HZ) for s in found] == [(3, 2), (3600, 2)]


def test_a_little_missing_sound_is_silence():
    assert stretches(babble(1), at=5 * RATE_HZ) == [(5, 6)]
    found = []
    finder = SpeechFinder(found.append)
    finder.put(babble(2), 0)
    finder.put(babble(2), 2 * RATE_HZ + 3200)
    finder.close()
    (only,) = found
    assert len(only.samples) == pytest.approx(4.2 * RATE_HZ, abs=500)
    assert not only.samples[2 * RATE_HZ : 2 * RATE_HZ + 3200].any()


@pytest.mark.parametrize(
    ("container", "audio", "rate_hz"),
    [("mp4", "aac", 48_000), ("matroska", "pcm_s16le", 8000), ("mpegts", "aac", 44_100)],
)
def test_speech_is_found_where_it_is_in_any_recording(container, audio, rate_hz):
    tones = [*syllables(2000, 5000), *syllables(9000, 12_000), (14_000, 14_001, 0.0)]
    data = made.numbered_file(container, count=140, tones=tones, audio_codec=audio, audio_rate_hz=rate_hz)
    found, report = found_in(data)
    assert found == [
        (pytest.approx(1850, abs=300), pytest.approx(5200, abs=400)),
        (pytest.approx(8850, abs=300), pytest.approx(12_200, abs=400)),
    ]
    assert (report.has_sound, report.left_out, report.is_cut_short) == (True, (), False)


def test_a_recording_without_sound_says_so():
    found, report = found_in(made.media_file(audio_streams=0))
    assert (found, report.has_sound) == ([], False)


def test_the_first_sound_is_used_and_the_others_are_named():
    tones = syllables(0, 4000)
    found, report = found_in(
        made.numbered_file(count=40, tones=tones, more_streams=("video", "audio", "audio"))
    )
    assert len(found) == 1
    assert report.left_out == (3, 4)


def test_a_cut_recording_is_heard_up_to_the_cut():
    data = made.numbered_file(
        count=200,
        tones=syllables(0, 20_000),
        key_every=10,
        options={"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    )
    found, report = found_in(data[: len(data) * 6 // 10])
    assert 8000 < found[-1][1] < 16_000
    assert report.is_cut_short


def sparse_recording(hours):
    """Give a recording with three seconds of sound every ten minutes, made of the same packets each time."""
    encoded = made.numbered_file("matroska", count=1, tones=syllables(0, 3000), audio_codec="pcm_s16le")
    source = av.open(io.BytesIO(encoded))
    packets = [(float(p.pts * p.time_base), bytes(p)) for p in source.demux(audio=0) if p.size]
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for start_s in range(0, hours * 3600, 600):
            for at_s, data in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, stream.time_base
                packet.pts = packet.dts = round((start_s + at_s) / stream.time_base)
                output.mux(packet)
    return target.getvalue()


@pytest.mark.slow
def test_ten_hours_are_gone_through_without_holding_them():
    data = sparse_recording(10)
    starts = []
    tracemalloc.start()
    try:
        report = find_speech(io.BytesIO(data), on_speech=lambda s: starts.append(s.start / RATE_HZ))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.has_sound
    assert starts == [pytest.approx(i * 600, abs=0.5) for i in range(60)]
    assert peak_bytes < 30 << 20


@pytest.mark.slow
def test_ten_hours_of_talk_are_never_held_together():
    minute = mixed(babble(60), 30)
    longest, tracing = [0], []
    finder = SpeechFinder(lambda s: longest.__setitem__(0, max(longest[0], len(s.samples))))
    tracemalloc.start()
    try:
        for i in range(60):
            finder.put(minute, i * len(minute))
            tracing.append(tracemalloc.get_traced_memory()[0])
        finder.put(minute, 10 * 3600 * RATE_HZ)
        finder.close()
    finally:
        tracemalloc.stop()
    assert longest[0] <= LONGEST_SAMPLES
    assert max(tracing[10:]) < max(tracing[:10]) + (4 << 20)


@pytest.mark.parametrize("name", ["jfk.flac", "ami_trn02.wav", "librivox_0870.wav"])
def test_real_speech_is_heard_nearly_whole(name):
    seconds = {"jfk.flac": 11, "ami_trn02.wav": 30, "librivox_0870.wav": 7.1}[name]
    found, _ = found_in(made.shared_media(name).read_bytes())
    assert sum(end - start for start, end in found) / 1000 > 0.85 * seconds


def test_a_real_recording_of_steady_noise_has_no_speech():
    assert found_in(made.shared_media("mics4_noise.flac").read_bytes())[0] == []


_TALK = [(at, at + 150, 0.3) for at in range(0, 3000, 250)]
_SEEDS = [
    made.numbered_file(count=3, tones=_TALK),
    made.numbered_file("mpegts", count=3, tones=_TALK),
    made.numbered_file("matroska", count=3, tones=_TALK, audio_codec="pcm_s16le"),
    made.wav_file(2),
]
_EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True), st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0", b"\x7f"])
    ),
    min_size=1,
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(_SEEDS), edits=_EDITS)
def test_hostile_bytes_are_heard_or_refused_and_nothing_else(seed, edits):
    data = bytearray(seed)
    for place, new in edits:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    packed = []
    try:
        find_speech(io.BytesIO(bytes(data)), on_speech=lambda speech: packed.append(pack_speech(speech)))
    except MediaError:
        return
    assert len(list(unpack_speech(packed))) == len(packed)
