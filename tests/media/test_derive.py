"""Everything from one decode."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.media.derive import derive
from plainview.media.derived import derived_from_json, derived_to_json
from plainview.media.errors import MediaError, UnusableMediaError
from plainview.media.probe import probe
from simulators import media_files as made


def everything(data, **options):
    files = {name: io.BytesIO() for name in ("viewing_copy", "storyboard", "waveform")}
    made_of_it = derive(io.BytesIO(data), **files, **options)
    assert derived_from_json(json.loads(json.dumps(derived_to_json(made_of_it)))) == made_of_it
    return made_of_it, {name: file.getvalue() for name, file in files.items()}


def test_one_decode_makes_all_three():
    original = made.numbered_file(count=40, tones=[(0, 4000, 0.3)])
    result, files = everything(original)
    assert result.viewing_copy.picture_count == 40
    assert result.storyboard.times_ms == (0, 1000, 2000, 3000)
    assert result.waveform.levels[0].bin_count == 200
    assert [len(data) for data in files.values()] == [
        result.viewing_copy.size_bytes,
        result.storyboard.size_bytes,
        result.waveform.size_bytes,
    ]


def test_what_watches_does_not_change_the_copy():
    original = made.numbered_file(count=40, tones=[(0, 4000, 0.3)])
    _, files = everything(original)
    alone = io.BytesIO()
    derive(io.BytesIO(original), viewing_copy=alone, storyboard=None, waveform=None)
    assert alone.getvalue() == files["viewing_copy"]


@pytest.mark.parametrize(
    ("data", "there"),
    [
        pytest.param(made.wav_file, ("waveform",), id="sound"),
        pytest.param(lambda: made.numbered_file(count=5), ("storyboard",), id="pictures"),
        pytest.param(made.fast_start_mp4, ("storyboard", "waveform"), id="both"),
    ],
)
@pytest.mark.parametrize("with_copy", [True, False])
def test_what_a_recording_lacks_stays_none(data, there, with_copy):
    files = {name: io.BytesIO() for name in ("storyboard", "waveform")}
    told = []
    result = derive(
        io.BytesIO(data()), viewing_copy=io.BytesIO() if with_copy else None, **files, on_progress=told.append
    )
    assert (result.viewing_copy is not None) == with_copy
    for name, file in files.items():
        assert (getattr(result, name) is not None) == (name in there) == bool(file.getvalue())
    assert told[-1] == 1


def test_a_probe_that_is_given_is_not_made_again():
    original = made.fast_start_mp4()
    assert everything(original, probed=probe(io.BytesIO(original))) == everything(original)


def test_what_is_no_recording_is_refused_with_its_reason():
    with pytest.raises(UnusableMediaError) as caught:
        everything(b"this is free text named .mp4\n" * 50)
    assert caught.value.jail_reason == "not_media"


_SEEDS = [
    made.numbered_file(count=30, tones=[(0, 3000, 0.3)]),
    made.numbered_file("mpegts", count=30, tones=[(0, 3000, 0.3)]),
    made.numbered_file("matroska", count=30, tones=[(0, 3000, 0.3)], audio_codec="pcm_s16le"),
    made.wav_file(1),
]
_EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True), st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0", b"\x7f"])
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(_SEEDS), edits=_EDITS)
def test_hostile_bytes_are_drawn_or_refused_and_nothing_else(seed, edits):
    data = bytearray(seed)
    for place, new in edits:
        at = int(place * len(data))
        data[at : at + len(new)] = new
    try:
        result = derive(
            io.BytesIO(bytes(data)), viewing_copy=None, storyboard=io.BytesIO(), waveform=io.BytesIO()
        )
    except MediaError:
        return
    assert derived_from_json(json.loads(json.dumps(derived_to_json(result)))) == result
