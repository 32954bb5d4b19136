"""The sample transcripts: typed from the script, in each recording's own time."""

import pytest

from plainview.demo.cameras import length_s
from plainview.demo.ordinary import RECORDINGS
from plainview.demo.script import spoken_in
from plainview.demo.story import CAMERAS

LENGTHS_S = {
    **{key: length_s(camera) for key, camera in CAMERAS.items()},
    **{each.key: each.seconds for each in RECORDINGS},
}


@pytest.mark.parametrize("key", LENGTHS_S)
def test_every_line_lies_within_its_recording_and_its_words_within_it_in_order(key):
    lines = spoken_in(key)
    assert lines
    assert [line.start_ms for line in lines] == sorted(line.start_ms for line in lines)
    for line in lines:
        starts = [start_ms for start_ms, _, _ in line.words]
        assert starts == sorted(starts)
        assert 0 <= line.start_ms <= line.end_ms <= LENGTHS_S[key] * 1000
        assert " ".join(word for _, _, word in line.words) == line.text


def test_what_was_said_before_a_camera_had_sound_is_not_in_its_transcript():
    assert all(line.start_ms >= 30_000 for line in spoken_in("okafor"))  # its buffer has no sound


def test_a_clock_that_drifts_moves_the_words_with_it():
    late = spoken_in("okafor")[-1]
    assert late.text == "Yes. Thirty seconds."
    assert late.start_ms == round((348.0 - 92.0) * 1000 * (1 + 40e-6))


def test_an_unknown_recording_has_no_script():
    with pytest.raises(KeyError):
        spoken_in("nothing")
