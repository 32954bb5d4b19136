"""The JSON form of a probe, which comes back from a process that hostile bytes may have taken over."""

import copy
import datetime as dt
import json
import pickle
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.media.chunk_spans import ChunkSpan
from plainview.media.errors import MalformedProbeError, UnusableMediaError
from plainview.media.facts import (
    KINDS,
    SIGNATURES,
    WARNINGS,
    Gap,
    Probe,
    ProbeWarning,
    Stream,
    Tag,
    probe_from_json,
    probe_to_json,
)

WHOLE = st.integers(0, 2**50)
TIMES = st.integers(-2_000_000_000, 9_000_000_000).map(lambda s: dt.datetime.fromtimestamp(s, dt.UTC))
RATES = st.fractions(Fraction(1, 1000), 1000, max_denominator=100_000)


@st.composite
def streams(draw, index):
    start = draw(st.none() | WHOLE)
    return Stream(
        index=index,
        kind=draw(st.sampled_from(KINDS)),
        codec=draw(st.sampled_from([None, "h264", "pcm_s16le"])),
        is_decoded=draw(st.none() | st.booleans()),
        start_ms=start,
        duration_ms=None if start is None else draw(WHOLE),
        packet_count=draw(WHOLE),
        backward_count=draw(WHOLE),
        gap_count=draw(WHOLE),
        gaps=tuple(Gap(a, a + b) for a, b in draw(st.lists(st.tuples(WHOLE, WHOLE), max_size=3))),
        width=draw(st.none() | st.integers(1, 16_384)),
        rotation_deg=draw(st.sampled_from([None, 0, 90, 180, 270])),
        frame_rate=draw(st.none() | RATES),
        is_variable_rate=draw(st.none() | st.booleans()),
        sample_rate_hz=draw(st.none() | st.integers(1, 768_000)),
        pixel_format=draw(st.sampled_from([None, "yuv420p", "yuv422p10le"])),
        is_interlaced=draw(st.none() | st.booleans()),
    )


@st.composite
def probes(draw):
    count = draw(st.integers(1, 5))
    spans = st.none() | st.tuples(WHOLE, WHOLE).map(lambda pair: ChunkSpan(pair[0], sum(pair)))
    return Probe(
        container="mov",
        size_bytes=count * 1024 - draw(st.integers(0, 1023)),
        origin_us=draw(st.integers(-(2**50), 2**50)),
        duration_ms=draw(WHOLE),
        declared_duration_ms=draw(st.none() | WHOLE),
        started_at=draw(st.none() | TIMES),
        streams=tuple(draw(streams(i)) for i in range(draw(st.integers(0, 3)))),
        chunk_bytes=1024,
        chunk_spans=tuple(draw(spans) for _ in range(count)),
        tags=(Tag("encoder", "Ångström 5"),),
        warnings=tuple(ProbeWarning(code, 0) for code in draw(st.sets(st.sampled_from(sorted(WARNINGS))))),
        signatures=tuple(draw(st.sets(st.sampled_from(sorted(SIGNATURES))))),
    )


EXAMPLE = {
    "v": 1,
    "container": "mov",
    "size_bytes": 1500,
    "origin_us": 1400000,
    "duration_ms": 2000,
    "declared_duration_ms": 2048,
    "started_at": "2026-03-14T22:31:05.000000Z",
    "streams": [
        {
            "index": 0,
            "kind": "video",
            "codec": "h264",
            "is_decoded": True,
            "start_ms": 0,
            "duration_ms": 2000,
            "packet_count": 20,
            "backward_count": 0,
            "gap_count": 1,
            "gaps": [{"start_ms": 300, "end_ms": 1800}],
            "width": 128,
            "height": 96,
            "rotation_deg": 0,
            "frame_rate": "30000/1001",
            "is_variable_rate": False,
            "sample_rate_hz": None,
            "channels": None,
            "pixel_format": "yuv420p",
            "is_interlaced": False,
        }
    ],
    "chunk_bytes": 1024,
    "chunk_spans": [[0, 1500], None],
    "tags": [{"name": "encoder", "value": "x"}],
    "signatures": ["c2pa"],
    "warnings": [{"code": "gaps", "stream": 0}],
}


def changed(path, value):
    copied = copy.deepcopy(EXAMPLE)
    *above, last = path
    inner = copied
    for step in above:
        inner = inner[step]
    inner[last] = value
    return copied


@settings(max_examples=40)
@given(probes())
def test_a_probe_survives_its_json_form(probe):
    assert probe_from_json(json.loads(json.dumps(probe_to_json(probe)))) == probe


def test_the_example_reads_and_writes_back_the_same():
    assert probe_to_json(probe_from_json(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["v"], 2),
        (["v"], True),
        (["extra"], 1),
        (["container"], "Mov; rm"),
        (["container"], None),
        (["size_bytes"], 0),
        (["size_bytes"], 1500.0),
        (["size_bytes"], True),
        (["size_bytes"], 2**60),
        (["chunk_bytes"], 0),
        (["origin_us"], 0.5),
        (["duration_ms"], -1),
        (["started_at"], "2026-03-14T22:31:05Z"),
        (["started_at"], "yesterday"),
        (["started_at"], 7),
        (["streams"], {}),
        (["streams", 0, "index"], 1),
        (["streams", 0, "kind"], "picture"),
        (["streams", 0, "kind"], []),
        (["streams", 0, "codec"], "<script>"),
        (["streams", 0, "is_decoded"], 1),
        (["streams", 0, "width"], 0),
        (["streams", 0, "rotation_deg"], 45),
        (["streams", 0, "frame_rate"], "60000/2002"),
        (["streams", 0, "frame_rate"], "30/0"),
        (["streams", 0, "frame_rate"], 30),
        (["streams", 0, "pixel_format"], "YUV 4:2:0"),
        (["streams", 0, "is_interlaced"], 0),
        (["streams", 0, "gaps"], [{"start_ms": 1800, "end_ms": 300}]),
        (["streams", 0, "gaps"], [{"start_ms": 0, "end_ms": 1}] * 101),
        (["streams", 0, "packet_count"], None),
        (["chunk_spans"], [[0, 1500]]),
        (["chunk_spans"], [[0, 1500], None, None]),
        (["chunk_spans", 0], [1500, 0]),
        (["chunk_spans", 0], [0]),
        (["chunk_spans", 0], [-1, 0]),
        (["tags", 0, "value"], "x" * 201),
        (["tags", 0, "value"], "bell\a"),
        (["warnings", 0, "code"], "all fine"),
        (["warnings", 0, "code"], []),
        (["warnings", 0, "stream"], "0"),
        (["signatures"], ["sealing wax"]),
        (["signatures"], [["c2pa"]]),
        (["signatures"], ["c2pa"] * 5),
    ],
)
def test_what_we_would_not_have_written_is_refused(path, value):
    with pytest.raises(MalformedProbeError, match="Probe the original again"):
        probe_from_json(changed(path, value))


@pytest.mark.parametrize("value", [None, [], "x", {}, {**EXAMPLE, "streams": [EXAMPLE["streams"][0]] * 33}])
def test_other_shapes_are_refused(value):
    with pytest.raises(MalformedProbeError):
        probe_from_json(value)


def test_what_was_examined_before_signatures_were_looked_for_says_nothing_of_them():
    assert probe_from_json({name: EXAMPLE[name] for name in EXAMPLE if name != "signatures"}).signatures == ()


def test_too_many_entries_are_refused_before_they_are_read():
    with pytest.raises(MalformedProbeError, match="at most 32"):
        probe_from_json({**EXAMPLE, "tags": [None] * 33})


def test_a_reason_outside_the_closed_set_cannot_be_raised():
    with pytest.raises(ValueError, match="is not a reason"):
        UnusableMediaError("because")


def test_the_reason_survives_the_way_out_of_the_jail():
    error = pickle.loads(pickle.dumps(UnusableMediaError("truncated", "7 bytes are missing.")))
    assert (error.jail_reason, error.detail) == ("truncated", "7 bytes are missing.")
    assert str(error) == "The file is cut off before anything in it can be played. 7 bytes are missing."
