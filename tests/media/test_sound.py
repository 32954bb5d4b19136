"""Sound joined so that the n-th sample belongs at n / rate."""

import av
import numpy as np
import pytest

from plainview.media.sound import Continuous


def part(level, *, ms=100, rate_hz=16_000, form="s16", layout="mono"):
    channels = 1 if layout == "mono" else 2
    samples = np.full((1, rate_hz * ms // 1000 * channels), level * 32_000, np.int16)
    if form == "fltp":
        samples = np.full((channels, rate_hz * ms // 1000), level, np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format=form, layout=layout)
    frame.sample_rate = rate_hz
    return frame


def joined(parts, *, rate_hz=16_000):
    """Give what comes out of (at_ms, frame) parts, and how many parts were left out."""
    sound = Continuous(rate_hz=rate_hz, layout="mono")
    out, next_pts = [], 0
    for at_ms, frame in parts:
        frames = [(f.pts, f.to_ndarray()[0].copy()) for f in sound.put(frame, int(at_ms * 1000))]
        for pts, samples in frames:
            assert pts == next_pts
            next_pts += len(samples)
            out.append(samples)
    out += [f.to_ndarray()[0].copy() for f in sound.close()]
    return np.concatenate(out), sound.overlap_count


def test_what_follows_on_is_joined_as_it_is():
    heard, overlaps = joined([(0, part(0.2)), (100, part(0.4)), (200, part(0.6))])
    assert len(heard) == 4800
    assert heard[[0, 1599, 1600, 3199, 3200, 4799]] == pytest.approx([0.2, 0.2, 0.4, 0.4, 0.6, 0.6], abs=0.03)
    assert overlaps == 0


def test_a_gap_becomes_silence_of_its_length():
    heard, _ = joined([(0, part(0.5)), (1000, part(0.5))])
    assert len(heard) == 17_600
    assert not heard[1600:16_000].any()
    assert heard[16_000:].min() > 0.4


def test_sound_that_begins_late_is_preceded_by_silence():
    heard, _ = joined([(250, part(0.5))])
    assert len(heard) == 5600
    assert not heard[:4000].any()


def test_times_that_jitter_are_no_gaps():
    heard, overlaps = joined([(0, part(0.5)), (101, part(0.5)), (199, part(0.5)), (333, part(0.5))])
    assert len(heard) == 6400
    assert overlaps == 0


def test_a_clock_that_drifts_is_put_right_now_and_then():
    heard, _ = joined([(i * 101, part(0.5)) for i in range(200)])
    assert abs(len(heard) - 199 * 101 * 16 - 1600) <= 40 * 16


def test_sound_whose_time_is_filled_is_left_out():
    heard, overlaps = joined([(0, part(0.5)), (100, part(0.5)), (0, part(0.9)), (200, part(0.5))])
    assert len(heard) == 4800
    assert heard.max() < 0.6
    assert overlaps == 1


def test_sound_before_the_first_picture_or_sound_is_left_out():
    heard, overlaps = joined([(-130, part(0.9)), (-30, part(0.9)), (70, part(0.5))])
    assert len(heard) == 1600 + 70 * 16
    assert not heard[: 70 * 16].any()
    assert heard.max() < 0.6
    assert overlaps == 0


def test_a_change_of_form_midway_is_joined():
    heard, _ = joined(
        [(0, part(0.5)), (100, part(0.5, form="fltp", layout="stereo", rate_hz=48_000)), (200, part(0.5))]
    )
    assert abs(len(heard) - 4800) <= 16
    assert heard[2000:2800].mean() > 0.4
