from plainview.formats.chunks import ChunkList, ChunkTimes
from plainview.verify.original import (
    AlteredPart,
    Digests,
    ReceivedFacts,
    describe_altered,
    find_altered_parts,
    format_footage_time,
)

FACTS = ReceivedFacts("R-26-00004217-I", 30, "0" * 64, bytes(32))


def test_more_places_than_a_person_reads_are_counted():
    parts = tuple(AlteredPart(2 * at + 1, 2 * at + 1) for at in range(13))
    assert describe_altered(Digests(30, "", ()), FACTS, parts).endswith("MiB 19, 3 more places")


def test_a_chunk_without_footage_is_named_by_its_mib_alone():
    old, new = ChunkList(1, (b"a",)), Digests(1, "", (b"b",))
    assert find_altered_parts(new, old, ChunkTimes((None,))) == (AlteredPart(1, 1),)


def test_what_was_added_after_the_end_has_no_seconds():
    old, new = ChunkList(1, (b"a",)), Digests(2, "", (b"a", b"b"))
    assert find_altered_parts(new, old, ChunkTimes(((0, 9),))) == (AlteredPart(2, 2),)


def test_without_a_chunk_list_no_place_is_named():
    assert find_altered_parts(Digests(1, "", (b"b",)), None, None) == ()
    assert describe_altered(Digests(30, "", ()), FACTS, ()) == "its bytes are not those that were received"


def test_times_are_written_as_a_player_shows_them():
    assert [format_footage_time(ms) for ms in (0, 8040, 60_000, 3_728_040)] == [
        "0:00.000",
        "0:08.040",
        "1:00.000",
        "1:02:08.040",
    ]
