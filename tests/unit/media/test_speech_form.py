"""Speech on its way from the decoder jail to an engine."""

import numpy as np
import pytest

from plainview.media.errors import MalformedSpeechError
from plainview.media.speech import (
    LONGEST_SAMPLES,
    Speech,
    SpeechReport,
    pack_speech,
    speech_report_from_json,
    speech_report_to_json,
    unpack_speech,
)

STRETCHES = [
    Speech(start=0, samples=np.arange(-500, 500, dtype=np.int16)),
    Speech(start=1000, samples=np.full(3, 32_767, np.int16)),
    Speech(start=2**31, samples=np.zeros(LONGEST_SAMPLES, np.int16)),
]
PACKED = b"".join(map(pack_speech, STRETCHES))


@pytest.mark.parametrize("length", [1, 7, 4096, len(PACKED)])
def test_speech_in_pieces_of_any_length_is_the_same(length):
    data = PACKED if length > 7 else b"".join(map(pack_speech, STRETCHES[:2]))
    got = list(unpack_speech(data[at : at + length] for at in range(0, len(data), length)))
    assert [each.start for each in got] == [each.start for each in STRETCHES[: len(got)]]
    assert all((a.samples == b.samples).all() for a, b in zip(got, STRETCHES, strict=False))
    assert len(got) == (3 if length > 7 else 2)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(PACKED[:-1], "ends inside", id="cut"),
        pytest.param(PACKED + b"\0", "ends inside", id="more"),
        pytest.param(pack_speech(STRETCHES[1]) + pack_speech(STRETCHES[0]), "start", id="back in time"),
        pytest.param(
            pack_speech(STRETCHES[0]) + pack_speech(Speech(999, np.ones(1, np.int16))), "start", id="overlap"
        ),
        pytest.param(b"\xff" * 12, "start", id="too late"),
        pytest.param(bytes(12), "samples", id="nothing"),
        pytest.param(bytes(8) + b"\xff" * 4, "samples", id="too long"),
    ],
)
def test_what_would_not_have_been_given_is_refused(data, problem):
    with pytest.raises(MalformedSpeechError, match=problem):
        list(unpack_speech([data]))


REPORT = SpeechReport(has_sound=True, left_out=(2, 3), damaged_count=4, is_cut_short=False)


def test_a_report_reads_back_the_same():
    assert speech_report_from_json(speech_report_to_json(REPORT)) == REPORT


@pytest.mark.parametrize(
    "change",
    [
        {"has_sound": 1},
        {"is_cut_short": None},
        {"left_out": [True]},
        {"left_out": [0] * 10_000},
        {"left_out": 2},
        {"damaged_count": -1},
        {"more": 1},
    ],
)
def test_a_report_that_would_not_have_been_written_is_refused(change):
    with pytest.raises(MalformedSpeechError):
        speech_report_from_json({**speech_report_to_json(REPORT), **change})
