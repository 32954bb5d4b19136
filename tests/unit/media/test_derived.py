"""The JSON form of what was made, which comes back from a process that hostile bytes may have taken over."""

import copy
import json
import pickle

import pytest

from plainview.media.derived import (
    Derived,
    Lens,
    Span,
    Storyboard,
    ViewingCopy,
    Waveform,
    WaveformLevel,
    derived_from_json,
    derived_to_json,
)
from plainview.media.errors import MalformedDerivedError, UnderivableMediaError

DERIVED = Derived(
    viewing_copy=ViewingCopy(
        size_bytes=9000,
        head_bytes=8000,
        duration_ms=2000,
        width_px=1280,
        height_px=720,
        picture_count=60,
        repeated_count=0,
        paced_count=60,
        damaged_count=1,
        backward_count=0,
        has_sound=True,
        left_out=(2, 3),
        warnings=("damaged_part", "dull_colours"),
    ),
    storyboard=Storyboard(
        size_bytes=500,
        poster_bytes=200,
        tile_width_px=160,
        tile_height_px=90,
        columns=2,
        every_ms=1000,
        times_ms=(0, 1000),
        lens=Lens("partly_blocked", blocked_permille=83, dark_permille=0, even_permille=6, mean_level=104),
    ),
    waveform=Waveform(
        size_bytes=260,
        levels=(WaveformLevel(20, 100, 0), WaveformLevel(80, 30, 200)),
        silent_count=1,
        silent=(Span(0, 1000),),
        missing_count=0,
        missing=(),
    ),
)


def changed(path, value):
    copied = copy.deepcopy(derived_to_json(DERIVED))
    *above, last = path
    inner = copied
    for step in above:
        inner = inner[step]
    inner[last] = value
    return copied


@pytest.mark.parametrize("derived", [DERIVED, Derived(None, None, None)])
def test_what_was_made_survives_its_json_form(derived):
    assert derived_from_json(json.loads(json.dumps(derived_to_json(derived)))) == derived


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["v"], 2),
        (["extra"], 1),
        (["viewing_copy"], []),
        (["viewing_copy", "size_bytes"], -1),
        (["viewing_copy", "size_bytes"], 2**53),
        (["viewing_copy", "size_bytes"], 1.0),
        (["viewing_copy", "width_px"], None),
        (["viewing_copy", "width_px"], 0),
        (["viewing_copy", "has_sound"], 1),
        (["viewing_copy", "left_out"], [0] * 33),
        (["storyboard", "poster_bytes"], 500),
        (["storyboard", "poster_bytes"], 0),
        (["viewing_copy", "left_out"], {}),
        (["viewing_copy", "warnings"], ["dull_colours", "damaged_part"]),
        (["viewing_copy", "warnings"], ["dull_colours", "dull_colours"]),
        (["viewing_copy", "warnings"], ["all fine"]),
        (["viewing_copy", "warnings"], [[]]),
        (["storyboard", "times_ms"], []),
        (["storyboard", "times_ms"], [1000, 0]),
        (["storyboard", "times_ms"], [0, 0]),
        (["storyboard", "times_ms"], list(range(101))),
        (["storyboard", "columns"], 0),
        (["storyboard", "lens", "verdict"], "fine"),
        (["storyboard", "lens", "verdict"], []),
        (["storyboard", "lens", "blocked_permille"], 995),
        (["storyboard", "lens", "dark_permille"], -1),
        (["storyboard", "lens", "mean_level"], 256),
        (["storyboard", "lens"], {}),
        (["waveform", "levels"], []),
        (["waveform", "levels", 1, "from_byte"], 100),
        (["waveform", "levels", 0, "bin_count"], 0),
        (["waveform", "size_bytes"], 261),
        (["waveform", "silent"], [{"start_ms": 5, "end_ms": 5}]),
        (["waveform", "silent"], [{"start_ms": 5}]),
        (["waveform", "missing"], [{"start_ms": 0, "end_ms": 1}] * 501),
    ],
)
def test_what_we_would_not_have_written_is_refused(path, value):
    with pytest.raises(MalformedDerivedError, match="Make it again"):
        derived_from_json(changed(path, value))


@pytest.mark.parametrize("value", [None, [], "x", {}])
def test_other_shapes_are_refused(value):
    with pytest.raises(MalformedDerivedError):
        derived_from_json(value)


def test_a_refusal_crosses_processes_with_its_reason():
    error = pickle.loads(pickle.dumps(UnderivableMediaError("too_long", "Expected less.")))
    assert (error.jail_reason, error.detail) == ("too_long", "Expected less.")
    assert str(error).endswith("Expected less.")
