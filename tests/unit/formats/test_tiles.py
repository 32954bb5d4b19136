from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.tiles import (
    bundles_of,
    entries_path,
    pack_entries,
    pack_tile,
    tile_path,
    tiles_of,
    unpack_entries,
    unpack_tile,
)


def test_a_log_of_70000_entries_has_the_files_the_specification_lists() -> None:
    paths = [tile_path(level=level, number=number, width=width) for level, number, width in tiles_of(70_000)]
    assert paths[:2] == ["tile/0/000", "tile/0/001"]
    assert paths[272:] == [
        *("tile/0/272", "tile/0/273.p/112"),
        *("tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"),
    ]
    bundles = [entries_path(number=number, width=width) for number, width in bundles_of(70_000)]
    assert bundles[0] == "tile/entries/000"
    assert bundles[-1] == "tile/entries/273.p/112"
    assert len(bundles) == 274


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "000"),
        (999, "999"),
        (1_000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (1_000_000, "x001/x000/000"),
    ],
)
def test_tile_numbers_are_spelled_in_groups_of_three(number: int, path: str) -> None:
    assert tile_path(level=3, number=number, width=256) == f"tile/3/{path}"
    assert entries_path(number=number, width=1) == f"tile/entries/{path}.p/1"


@settings(max_examples=60)
@given(st.integers(0, 256**2 + 600))
def test_tiles_hold_every_hash_of_their_level_once(size: int) -> None:
    tiles = list(tiles_of(size))
    for level in range(4):
        widths = [width for at, _, width in tiles if at == level]
        assert sum(widths) == size // 256**level
        assert all(width == 256 for width in widths[:-1])
    assert sum(width for _, width in bundles_of(size)) == size


def test_an_empty_log_has_no_files() -> None:
    assert list(tiles_of(0)) == []
    assert list(bundles_of(0)) == []


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20))
def test_entries_come_out_of_a_bundle_as_they_went_in(entries: list[bytes]) -> None:
    assert unpack_entries(pack_entries(entries), width=len(entries)) == entries


def test_the_longest_entry_fits_a_bundle_and_a_longer_one_does_not() -> None:
    longest = b"x" * 65_535
    assert unpack_entries(pack_entries([longest]), width=1) == [longest]
    for entry in (longest + b"x", b""):
        with pytest.raises(FormatError, match="expected 1 to 65535 bytes"):
            pack_entries([entry])


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x00", b"\x00\x00\x00\x01a"])
def test_a_bundle_that_ends_early_or_holds_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="entry 0 of 1 is empty or cut short"):
        unpack_entries(data, width=1)


def test_a_bundle_that_goes_on_after_its_last_entry_is_refused() -> None:
    with pytest.raises(FormatError, match="3 bytes after the last of 1 entries"):
        unpack_entries(pack_entries([b"a", b"b"]), width=1)


def test_a_tile_of_another_length_is_refused() -> None:
    for length in (0, 31, 33, 96):
        with pytest.raises(FormatError, match=f"2 hashes in 64 bytes, got {length}"):
            unpack_tile(bytes(length), width=2)


@pytest.mark.parametrize("hashes", [[], [bytes(32)] * 257, [bytes(31)], [bytes(32), bytes(33)]])
def test_a_tile_is_written_of_1_to_256_hashes_only(hashes: list[bytes]) -> None:
    with pytest.raises(FormatError, match="expected 1 to 256 hashes of 32 bytes"):
        pack_tile(hashes)


def test_hashes_come_out_of_a_tile_as_they_went_in() -> None:
    hashes = [bytes([number]) * 32 for number in range(256)]
    assert unpack_tile(pack_tile(hashes), width=256) == hashes
