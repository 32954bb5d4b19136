"""What goes in, and what probe says of it."""

import datetime as dt
import io
import itertools
import os
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.media.errors import UNUSABLE_REASONS, UnusableMediaError
from plainview.media.facts import Gap, ProbeWarning, probe_from_json, probe_to_json
from plainview.media.probe import _started_at, probe
from simulators import media_files as made


def probe_bytes(data, **options):
    return probe(io.BytesIO(data), **options)


def reason_for(data):
    with pytest.raises(UnusableMediaError) as caught:
        probe_bytes(data)
    return caught.value.jail_reason


def codes(result):
    return [warning.code for warning in result.warnings]


@pytest.mark.parametrize(
    ("data", "container", "codecs"),
    [
        pytest.param(made.progressive_mp4, "mov", ["h264", "aac"], id="mp4"),
        pytest.param(made.fast_start_mp4, "mov", ["h264", "aac"], id="fast-start"),
        pytest.param(made.fragmented_mp4, "mov", ["h264", "aac"], id="fragmented"),
        pytest.param(lambda: made.media_file("mov"), "mov", ["h264", "aac"], id="mov"),
        pytest.param(lambda: made.media_file("matroska"), "matroska", ["h264", "aac"], id="mkv"),
        pytest.param(lambda: made.media_file("mpegts"), "mpegts", ["h264", "aac"], id="ts"),
        pytest.param(lambda: made.media_file("flv"), "flv", ["h264", "aac"], id="flv"),
        pytest.param(lambda: made.media_file("mpeg", audio_streams=0), "mpeg", ["h264"], id="ps"),
        pytest.param(
            lambda: made.media_file("avi", video_codec="mpeg4", audio_codec="libmp3lame"),
            "avi",
            ["mpeg4", "mp3float"],
            id="avi",
        ),
        pytest.param(made.wav_file, "wav", ["pcm_s16le"], id="wav"),
        pytest.param(
            lambda: made.media_file("mp3", video_streams=0, audio_codec="libmp3lame"),
            "mp3",
            ["mp3float"],
            id="mp3",
        ),
        pytest.param(lambda: made.media_file("adts", video_streams=0), "aac", ["aac"], id="adts"),
        pytest.param(
            lambda: made.media_file("flac", video_streams=0, audio_codec="flac"), "flac", ["flac"], id="flac"
        ),
        pytest.param(
            lambda: made.media_file("ogg", video_streams=0, audio_codec="flac"), "ogg", ["flac"], id="ogg"
        ),
    ],
)
def test_what_recorders_write_is_usable_and_quiet(data, container, codecs):
    result = probe_bytes(data())
    assert result.container == container
    assert [s.codec for s in result.streams] == codecs
    assert all(s.is_decoded for s in result.streams)
    assert 1_600 <= result.duration_ms <= 2_200
    assert result.warnings == ()
    assert probe_from_json(probe_to_json(result)) == result


def test_the_facts_of_a_stream_are_exact():
    video, audio = probe_bytes(made.fast_start_mp4()).streams
    assert (video.kind, video.width, video.height, video.rotation_deg) == ("video", 128, 96, 0)
    assert (video.frame_rate, video.is_variable_rate, video.packet_count) == (Fraction(10), False, 20)
    assert (video.start_ms, video.duration_ms, video.gaps) == (0, 2000, ())
    assert (video.pixel_format, video.is_interlaced) == ("yuv420p", False)
    assert (audio.pixel_format, audio.is_interlaced) == (None, None)
    assert (audio.kind, audio.sample_rate_hz, audio.channels) == ("audio", 16_000, 1)
    assert (audio.width, audio.frame_rate, audio.is_variable_rate) == (None, None, None)


def test_video_without_sound_and_sound_without_video_are_usable():
    assert [s.kind for s in probe_bytes(made.fast_start_mp4(audio_streams=0)).streams] == ["video"]
    assert [s.kind for s in probe_bytes(made.fast_start_mp4(video_streams=0)).streams] == ["audio"]


def test_several_streams_are_all_told():
    result = probe_bytes(made.media_file("matroska", video_streams=3, audio_streams=2, seconds=1))
    assert [s.kind for s in result.streams] == ["video"] * 3 + ["audio"] * 2
    assert all(s.is_decoded for s in result.streams)


def test_more_streams_than_any_recorder_writes_are_refused():
    many = made.media_file("matroska", video_streams=40, audio_streams=0, seconds=0.2)
    assert reason_for(many) == "too_many_streams"


def test_a_turned_camera_is_noticed():
    assert probe_bytes(made.fast_start_mp4(rotation_deg=90)).streams[0].rotation_deg == 90


def test_uneven_pictures_are_variable_and_not_a_gap():
    uneven = made.fast_start_mp4(audio_streams=0, frame_times_ms=[0, 100, 150, 400, 500, 900, 1000])
    (video,) = probe_bytes(uneven).streams
    assert video.is_variable_rate is True
    assert video.gap_count == 0


def test_a_stream_that_stops_and_goes_on_has_a_gap_with_its_times():
    stopped = made.media_file(
        "matroska", audio_streams=0, frame_times_ms=[0, 100, 200, 300, 5000, 5100, 5200]
    )
    result = probe_bytes(stopped)
    assert result.streams[0].gaps == (Gap(300, 5000),)
    assert result.warnings == (ProbeWarning("gaps", 0),)


def test_the_stated_start_is_read_as_utc():
    stated = made.fast_start_mp4(metadata={"creation_time": "2026-03-14T22:31:05Z"})
    assert probe_bytes(stated).started_at == dt.datetime(2026, 3, 14, 22, 31, 5, tzinfo=dt.UTC)


def test_a_start_is_never_guessed():
    assert probe_bytes(made.fast_start_mp4()).started_at is None


def test_a_stated_start_that_cannot_be_read_is_a_warning():
    result = probe_bytes(made.media_file("flv", metadata={"creation_time": "yesterday"}))
    assert result.started_at is None
    assert codes(result) == ["unreadable_start_time"]


def test_a_stated_start_keeps_its_instant_whatever_its_zone():
    at = dt.datetime(2026, 3, 14, 22, 31, 5, tzinfo=dt.UTC)
    assert _started_at({"creation_time": "2026-03-14T18:31:05-04:00"}) == (at, [])


def test_the_milliseconds_that_mp4_drops_are_read_from_where_a_camera_writes_them():
    at = dt.datetime(2026, 3, 14, 22, 31, 5, 731_000, tzinfo=dt.UTC)
    tags = {"creation_time": "2026-03-14T22:31:05.731Z", "date": "2026-03-14T22:31:05.731+00:00"}
    assert probe_bytes(made.fast_start_mp4(metadata=tags)).started_at == at


@pytest.mark.parametrize(
    "date",
    ["2026-03-14T22:31:06.000+00:00", "2026-03-14T22:31:05.731", "2026-03-14", "2026", "today", ""],
)
def test_another_date_than_the_stated_start_changes_nothing(date):
    at = dt.datetime(2026, 3, 14, 22, 31, 5, tzinfo=dt.UTC)
    assert _started_at({"creation_time": "2026-03-14T22:31:05Z", "date": date}) == (at, [])
    assert _started_at({"date": date}) == (None, [])


@pytest.mark.parametrize(
    "stated", ["2026-03-14 22:31:05", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", ""]
)
def test_a_stated_start_without_a_zone_or_sense_is_not_guessed_at(stated):
    assert _started_at({"creation_time": stated}) == (None, ["unreadable_start_time"])


# Chunks to seconds.


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_chunks_cover_the_recording_in_order(container):
    result = probe_bytes(made.media_file(container, seconds=4), chunk_bytes=4096)
    spans = [span for span in result.chunk_spans if span is not None]
    assert len(result.chunk_spans) == -(-result.size_bytes // 4096)
    assert spans[0].start_ms == 0
    assert spans[-1].end_ms >= result.duration_ms
    for earlier, later in itertools.pairwise(spans):
        assert earlier.start_ms <= later.start_ms <= earlier.end_ms + 150
        assert later.end_ms - later.start_ms < 2000


def test_times_count_from_the_first_picture_or_sound():
    late = made.media_file("matroska", audio_streams=0, frame_times_ms=[700, 800, 900, 1000])
    result = probe_bytes(late)
    assert result.origin_us == 700_000
    assert result.streams[0].start_ms == 0
    assert result.duration_ms == 400
    assert result.chunk_spans == ((0, 400),)


def test_a_chunk_of_index_only_has_no_time():
    data = made.progressive_mp4()
    result = probe_bytes(data, chunk_bytes=64)
    index_at = data.rindex(b"moov")
    assert result.chunk_spans[index_at // 64 + 1] is None
    assert result.chunk_spans[-1] is None


# What is not a recording.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "empty", id="zero-bytes"),
        pytest.param(b"this is free text named .mp4\n" * 50, "not_media", id="text"),
        pytest.param(bytes(100_000), "not_media", id="zeros"),
        pytest.param(made.box(b"ftyp", b"isom") + made.box(b"free"), "not_media", id="mp4-of-nothing"),
        pytest.param(made.still_picture(), "still_picture", id="jpeg"),
        pytest.param(made.still_picture("png"), "still_picture", id="png"),
        pytest.param(b"GIF89a" + bytes(100), "still_picture", id="gif"),
        pytest.param(made.box(b"ftyp", b"heic\0\0\0\0mif1"), "still_picture", id="heic"),
        pytest.param(b"RIFF\x10\0\0\0WEBPVP8 ", "still_picture", id="webp"),
        pytest.param(made.MINIMAL_PDF, "document", id="pdf"),
        pytest.param(b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "document", id="docx"),
        pytest.param(b"PK\x03\x04" + b"\0" * 26 + b"clip.mp4", "archive", id="zip"),
        pytest.param(b"\x1f\x8b\x08" + bytes(30), "archive", id="gzip"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "playlist", id="hls"),
        pytest.param(b"\xef\xbb\xbfffconcat version 1.0\nfile /etc/passwd\n", "playlist", id="concat"),
        pytest.param(b"RIFF\xff\xff\xff\xffWAVEjunk", "unreadable", id="wav-of-nothing"),
    ],
)
def test_what_is_no_recording_is_told_apart(data, reason):
    assert reason_for(data) == reason


def test_random_bytes_are_never_media():
    assert reason_for(os.urandom(200_000)) == "not_media"


def test_a_file_cannot_make_us_open_another(tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(made.fast_start_mp4())
    for text in (f"#EXTM3U\n#EXTINF:1,\n{secret}\n", f"ffconcat version 1.0\nfile '{secret}'\n"):
        assert reason_for(text.encode()) == "playlist"


def test_a_codec_that_is_not_read_is_said():
    assert reason_for(made.fast_start_mp4(audio_streams=0).replace(b"avc1", b"zzzz")) == "unknown_codec"
    assert codes(probe_bytes(made.fast_start_mp4().replace(b"avc1", b"zzzz"))) == ["unknown_codec"]


def test_pictures_of_noise_are_undecodable():
    data = bytearray(made.fast_start_mp4(audio_streams=0))
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    assert reason_for(bytes(data)) == "undecodable"


@pytest.mark.parametrize(
    ("at", "claim"), [(24, b"\xff\xff\xff\x7f"), (22, b"\x41\x00")], ids=["sample-rate", "channels"]
)
def test_a_header_that_claims_what_no_recorder_writes_is_refused(at, claim):
    data = bytearray(made.wav_file())
    data[at : at + len(claim)] = claim
    assert reason_for(bytes(data)) == "absurd_header"


# Files that were cut.


def test_an_mp4_cut_before_its_index_says_so():
    data = made.progressive_mp4()
    assert reason_for(data[: data.rindex(b"moov") - 4]) == "no_index"


def test_a_file_cut_before_anything_plays_is_truncated():
    data = made.fast_start_mp4()
    assert reason_for(data[: data.index(b"mdat") + 8]) == "truncated"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(made.fast_start_mp4, id="fast-start"),
        pytest.param(made.fragmented_mp4, id="fragmented"),
        pytest.param(lambda seconds: made.media_file("mpegts", seconds=seconds), id="ts"),
        pytest.param(lambda seconds: made.media_file("matroska", seconds=seconds), id="mkv"),
        pytest.param(
            lambda seconds: made.media_file("flac", video_streams=0, audio_codec="flac", seconds=seconds),
            id="flac",
        ),
        pytest.param(made.wav_file, id="wav"),
    ],
)
def test_a_file_cut_short_plays_to_the_cut_and_says_so(make):
    data = make(seconds=6)
    result = probe_bytes(data[: len(data) * 6 // 10 + 1])
    assert codes(result) == ["ends_early"]
    assert 1_500 <= result.duration_ms < 5_000


@pytest.mark.parametrize("make", [made.progressive_mp4, made.fast_start_mp4, made.fragmented_mp4])
def test_a_cut_anywhere_is_usable_or_has_its_reason(make):
    data = make()
    for size in range(1, len(data), 331):
        try:
            result = probe_bytes(data[:size])
        except UnusableMediaError as error:
            assert error.jail_reason in ("no_index", "truncated", "not_media")  # noqa: PT017 one of two outcomes
        else:
            assert "ends_early" in codes(result) or make is made.fragmented_mp4


# Hostile bytes and failing readers.


_SEEDS = [
    made.fast_start_mp4(seconds=1),
    made.fragmented_mp4(seconds=1),
    made.media_file("matroska", seconds=1),
    made.media_file("mpegts", seconds=1),
    made.media_file("avi", seconds=1, video_codec="mpeg4", audio_codec="libmp3lame"),
    made.wav_file(1),
]
_EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(
            [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"moov", b"\0", b"\xff"]
        ),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(_SEEDS), edits=_EDITS, head_only=st.booleans(), keep=st.floats(0.05, 1))
def test_hostile_bytes_are_described_or_refused_and_nothing_else(seed, edits, head_only, keep):
    data = bytearray(seed[: int(len(seed) * keep) + 1])
    reach = min(len(data), 1500) if head_only else len(data)
    for place, new in edits:
        at = int(place * reach)
        data[at : at + len(new)] = new
    try:
        result = probe_bytes(bytes(data))
    except UnusableMediaError as error:
        assert error.jail_reason in UNUSABLE_REASONS  # noqa: PT017 one of two outcomes
    else:
        assert probe_from_json(probe_to_json(result)) == result


class FailingFile(io.BytesIO):
    """Reads well until a byte that cannot be read, as a chunk that does not decrypt."""

    def __init__(self, data, fails_at):
        super().__init__(data)
        self.fails_at = fails_at

    def read(self, size=-1):
        if self.tell() + max(size, 0) > self.fails_at:
            raise TimeoutError("the disk does not answer")
        return super().read(size)


@pytest.mark.parametrize("share", [0, 0.3, 0.8])
def test_a_reader_that_fails_is_not_blamed_on_the_media(share):
    data = made.progressive_mp4(seconds=20)
    with pytest.raises(TimeoutError, match="does not answer"):
        probe(FailingFile(data, int(len(data) * share)))


def test_the_file_name_plays_no_part(tmp_path):
    path = tmp_path / "recording.m3u8"
    path.write_bytes(made.fast_start_mp4())
    with path.open("rb") as file:
        assert probe(file).container == "mov"


# Real files, with what is known of them from elsewhere (the media folder's README).


@pytest.mark.parametrize(
    ("name", "duration_ms", "streams"),
    [
        ("asl_night.mkv", 2_267, [("h264", 640, 480, Fraction(30))]),
        ("car-detection.mp4", 30_165, [("h264", 768, 432, Fraction(25, 2)), ("aac", 48_000, 2)]),
        ("carphone.mp4", 4_004, [("h264", 176, 144, Fraction(30_000, 1001))]),
        ("crowd_1080p.mp4", 4_212, [("h264", 1920, 1080, Fraction(25)), ("aac", 48_000, 2)]),
        ("dashcam_day.mp4", 8_853, [("aac", 48_000, 2), ("h264", 960, 540, Fraction(25))]),
        ("shaky_handheld.mp4", 10_000, [("h264", 340, 256, Fraction(28))]),
        ("jfk.flac", 11_000, [("flac", 44_100, 2)]),
        ("mics4_speech.flac", 10_000, [("flac", 16_000, 4)]),
        ("ami_trn01.wav", 30_000, [("pcm_f32le", 16_000, 1)]),
    ],
)
def test_real_files_are_told_as_they_are(name, duration_ms, streams):
    with made.shared_media(name).open("rb") as file:
        result = probe(file)
    told = [
        (s.codec, s.width, s.height, s.frame_rate)
        if s.kind == "video"
        else (s.codec, s.sample_rate_hz, s.channels)
        for s in result.streams
    ]
    assert told == streams
    assert result.duration_ms == duration_ms
    assert result.warnings == ()


def test_a_worn_cameras_data_tracks_and_tags_are_told():
    with made.shared_media("gopro_worn.mp4").open("rb") as file:
        result = probe(file)
    assert [s.kind for s in result.streams] == ["video", "audio", "data", "data", "data"]
    assert result.started_at == dt.datetime(2017, 4, 17, 19, 27, 57, tzinfo=dt.UTC)
    assert {tag.name: tag.value for tag in result.tags}["firmware"] == "HD5.02.02.00.00"
    assert (result.duration_ms, result.declared_duration_ms) == (12_078, 13_013)
    assert [span.start_ms // 1000 for span in result.chunk_spans] == [0, 3, 6, 9]


def test_two_pictures_two_sounds_and_two_subtitles_are_told():
    with made.shared_media("multi_stream.mp4").open("rb") as file:
        result = probe(file)
    assert [s.kind for s in result.streams] == ["video", "audio", "subtitle"] * 2
    assert [s.is_decoded for s in result.streams] == [True, True, None] * 2


X264_IDENTIFIER = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_a_signature_between_the_pictures_is_reported_and_the_encoders_own_words_are_not(container):
    plain = made.media_file(container)
    assert X264_IDENTIFIER in plain
    signed = plain.replace(X264_IDENTIFIER, bytes.fromhex("5369676e656420566964656f2e2e2e30"))
    assert probe_bytes(plain).signatures == ()
    assert probe_bytes(signed).signatures == ("axis_signed_video",)


def test_a_signature_in_a_box_of_its_own_is_reported():
    plain = made.fragmented_mp4()
    box = (
        (8 + 16 + 4).to_bytes(4, "big")
        + b"uuid"
        + bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
        + b"abcd"
    )
    assert probe_bytes(plain + box).signatures == ("c2pa",)
