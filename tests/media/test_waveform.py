"""Waveforms: what is drawn where, beside sounds whose times and loudness are known."""

import io
import wave

import numpy as np
import pytest

from plainview.media.derive import derive
from plainview.media.derived import Span
from plainview.media.errors import UnderivableMediaError
from plainview.media.probe import probe
from plainview.media.waveform import make_waveform
from simulators import media_files as made


def waveform_of(data):
    target = io.BytesIO()
    facts = make_waveform(io.BytesIO(data), target)
    assert facts.size_bytes == len(target.getvalue())
    return facts, target.getvalue()


def pairs(facts, data, level=0):
    form = facts.levels[level]
    flat = np.frombuffer(data, np.int8, count=2 * form.bin_count, offset=form.from_byte)
    return flat.reshape(-1, 2).astype(int)


def pcm(samples, rate_hz):
    """A WAV of int16 samples [channels, n]."""
    target = io.BytesIO()
    with wave.open(target, "wb") as output:
        output.setnchannels(len(samples))
        output.setsampwidth(2)
        output.setframerate(rate_hz)
        output.writeframes(np.ascontiguousarray(samples.T).astype("<i2").tobytes())
    return target.getvalue()


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_every_sample_counts_in_its_own_bin(rate_hz):
    rng = np.random.default_rng(rate_hz)
    samples = rng.integers(-32_768, 32_768, (1, rate_hz * 5 // 2))
    facts, data = waveform_of(pcm(samples, rate_hz))
    drawn = pairs(facts, data)
    bins = np.arange(samples.shape[1]) * 50 // rate_hz
    assert len(drawn) == bins[-1] + 1 == 125
    for i in range(len(drawn)):
        part = samples[0, bins == i] / 32_768
        assert (drawn[i] == [np.floor(part.min() * 127), np.ceil(part.max() * 127)]).all()


def test_the_loudest_channel_is_drawn():
    time = np.arange(16_000) / 16_000
    quiet, loud = np.sin(time * 2000) * 2000, np.sin(time * 3000) * 20_000
    facts, data = waveform_of(pcm(np.stack([quiet, loud, quiet * 0]), 16_000))
    assert (np.abs(pairs(facts, data)).max(axis=1) >= 70).all()


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_tones_and_silence_are_where_they_were(container):
    spans = [(0, 1000, 0.0), (1000, 1400, 0.5), (1400, 3000, 0.0), (3000, 3200, 0.25), (3200, 4000, 0.0)]
    facts, data = waveform_of(made.numbered_file(container, count=40, tones=spans, audio_rate_hz=48_000))
    loud = np.abs(pairs(facts, data)).max(axis=1)
    assert loud[52:68].min() > 55
    assert 28 <= loud[152:158].max() <= 40
    assert loud[5:45].max() <= 1
    assert 1400 <= facts.silent[-1].start_ms <= 1500
    assert facts.missing_count == 0


def test_sound_that_is_not_there_is_not_silence():
    gap = [(0, 1000, 0.5), (1000, 3000, None), (3000, 4500, 0.5)]
    original = made.numbered_file("matroska", count=60, tones=gap)
    facts, data = waveform_of(original)
    drawn = pairs(facts, data)
    assert (drawn[60:140] == [127, -128]).all()
    assert facts.silent == ()
    middle, after = facts.missing
    assert abs(middle.start_ms - 1000) <= 100
    assert abs(middle.end_ms - 3000) <= 100
    assert after.end_ms == probe(io.BytesIO(original)).duration_ms


def test_a_muted_recording_is_silent_throughout():
    facts, _ = waveform_of(pcm(np.zeros((1, 32_000), int), 16_000))
    assert (facts.silent_count, facts.silent) == (1, (Span(0, 2000),))


def test_the_faintest_sound_that_is_no_silence_shows():
    facts, data = waveform_of(pcm(np.tile([40, -40], 16_000)[None, :], 16_000))
    assert (pairs(facts, data) == [-1, 1]).all()
    assert facts.silent == ()


def test_coarser_levels_keep_every_peak():
    samples = np.zeros((1, 16_000 * 60), int)
    samples[0, 16_000 * 31] = 32_767
    samples[0, 16_000 * 47] = -32_768
    facts, data = waveform_of(pcm(samples, 16_000))
    assert [(level.bin_ms, level.bin_count) for level in facts.levels] == [(20, 3000), (80, 750)]
    for i, level in enumerate(facts.levels):
        drawn = pairs(facts, data, i)
        assert drawn[31_000 // level.bin_ms, 1] == 127
        assert drawn[47_000 // level.bin_ms, 0] == -127
        assert np.count_nonzero(drawn) == 2


def test_floats_that_are_no_numbers_do_no_harm():
    data = bytearray(made.media_file("wav", video_streams=0, audio_codec="pcm_s16le"))
    start = data.index(b"data") + 8
    floats = np.full((len(data) - start) // 4, 0.5, "<f4")
    floats[100:5000:7] = np.nan
    floats[5000:5010] = np.inf
    data[start : start + 4 * len(floats)] = floats.tobytes()
    form = data.index(b"fmt ") + 8
    data[form : form + 2] = (3).to_bytes(2, "little")
    data[form + 8 : form + 12] = (64_000).to_bytes(4, "little")
    data[form + 12 : form + 14] = (4).to_bytes(2, "little")
    data[form + 14 : form + 16] = (32).to_bytes(2, "little")
    facts, drawn = waveform_of(bytes(data))
    assert pairs(facts, drawn).max() == 127


def test_the_same_is_drawn_beside_a_viewing_copy():
    original = made.numbered_file(count=30, tones=[(0, 1000, 0.3), (1000, 3000, 0.0)])
    target = io.BytesIO()
    facts = derive(io.BytesIO(original), viewing_copy=io.BytesIO(), storyboard=None, waveform=target).waveform
    assert (facts, target.getvalue()) == waveform_of(original)


def test_pictures_alone_have_no_waveform():
    with pytest.raises(UnderivableMediaError) as caught:
        waveform_of(made.numbered_file(count=2))
    assert caught.value.jail_reason == "no_sound"


@pytest.mark.parametrize("name", ["jfk.flac", "mics4_speech.flac", "ami_trn01.wav", "gopro_worn.mp4"])
def test_real_sound_is_drawn_to_its_end(name):
    with made.shared_media(name).open("rb") as file:
        target = io.BytesIO()
        facts = make_waveform(file, target)
    drawn = pairs(facts, target.getvalue())
    assert (drawn[:, 0] <= drawn[:, 1])[: len(drawn) - 2].all()
    assert np.ptp(drawn) > 5
