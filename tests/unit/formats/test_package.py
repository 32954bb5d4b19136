from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.ids import format_identifier
from plainview.formats.package import (
    LEAVES,
    MANIFEST,
    OUTSIDE_MANIFESTS,
    PACKAGE_JSON,
    TAGMANIFEST,
    DisclosedLeaf,
    LeafPlace,
    PackageItem,
    PackageManifest,
    check_relative_path,
    chunk_times_path,
    chunks_path,
    format_disclosed_leaf,
    format_manifest,
    format_package,
    parse_disclosed_leaf,
    parse_manifest,
    parse_package,
    proof_path,
)
from vectors.make_format_examples import RECORDING, SALT, WORDS, example_log

FILES = example_log().package_files
PACKAGE = parse_package(FILES[PACKAGE_JSON])
ITEM = PACKAGE.items[0]
LINES = FILES[LEAVES].splitlines()
DIGEST = "0f" * 32


def with_item(**changes: Any) -> PackageManifest:
    return replace(PACKAGE, items=(replace(ITEM, **changes),))


@pytest.mark.parametrize(
    "package",
    [
        PACKAGE,
        replace(PACKAGE, items=()),
        replace(PACKAGE, recipient=None, purpose=None),
        replace(PACKAGE, recipient="B\u00fcro der Verteidigung"),
        with_item(probed=None),
        replace(PACKAGE, items=(ITEM, replace(ITEM, path="data/original/b.mp4"))),
    ],
)
def test_a_package_reads_back_as_it_was_written(package: PackageManifest) -> None:
    assert parse_package(format_package(package)) == package


@pytest.mark.parametrize(
    "package",
    [
        replace(PACKAGE, package="0F" * 16),
        replace(PACKAGE, package="0f"),
        replace(PACKAGE, origin="two words"),
        replace(PACKAGE, tool="plainview\x1b[2J"),
        replace(PACKAGE, recipient="a\nb"),
        replace(PACKAGE, recipient="\u202eesnefed"),
        replace(PACKAGE, purpose="x" * 501),
        replace(PACKAGE, manifest_sha256="0f"),
        replace(PACKAGE, tagmanifest_sha256=DIGEST.upper()),
        with_item(role="copy"),
        with_item(role=["original"]),
        with_item(recording="../../etc/passwd"),
        with_item(recording=RECORDING.lower()),
        with_item(recording=RECORDING[:-1] + "J"),
        with_item(recording=None),
        with_item(sha256="0f"),
        with_item(size_bytes=-1),
        with_item(received=LeafPlace(1, -1)),
        with_item(received=LeafPlace(1, True)),
        with_item(probed=LeafPlace(1, "2")),
        replace(PACKAGE, items=(ITEM, ITEM)),
        replace(PACKAGE, items=(ITEM, replace(ITEM, path=ITEM.path.replace("data", "DATA")))),
    ],
)
def test_a_field_outside_its_rule_is_not_written(package: PackageManifest) -> None:
    with pytest.raises(FormatError):
        format_package(package)


def test_another_spelling_of_a_recording_is_named() -> None:
    with pytest.raises(FormatError, match=f"another spelling of {RECORDING}"):
        format_package(with_item(recording=RECORDING.replace("-", "")))


def test_items_that_are_no_list_are_refused() -> None:
    data = FILES[PACKAGE_JSON]
    with pytest.raises(FormatError, match="items: expected a list"):
        parse_package(data[: data.index(b'"items":') + 8] + b'{},"kind"' + data.partition(b',"kind"')[2])


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "data/original/a.mp4",
        "proof/000000001.tlog-proof",
        "a/b/c/d/e/f/g/h",
        "x" * 100,
        "console.mp4",
        "_/a+b-c_",
    ],
)
def test_a_plain_path_is_taken(path: str) -> None:
    assert check_relative_path(path, what="test") == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "../a", "a/../b", "a/..", "./a", "a/./b", "a//b", "a/", "C:/a", "a\\b"),
        *(
            ".hidden",
            "a/.hidden",
            "-rf",
            "a/-rf",
            "a.",
            "a./b",
            "a b",
            "a\nb",
            "a\x00",
            "a\n",
            "~/a",
            "a%2fb",
            "a?b",
        ),
        *("CON", "con", "nul.mp4", "a/aux", "a/COM1.txt", "lpt9/b", "\u00e9", "\u202ea", "\ud800", "x" * 101),
        "a/b/c/d/e/f/g/h/i",
    ],
)
def test_a_path_that_leaves_the_folder_or_does_not_fit_a_machine_is_refused(path: str) -> None:
    with pytest.raises(FormatError, match="test: path: expected plain names"):
        check_relative_path(path, what="test")


def test_the_paths_we_make_are_ones_we_take() -> None:
    for path in (
        proof_path(LeafPlace(1, 12_345)),
        chunks_path(RECORDING, DIGEST),
        chunk_times_path(RECORDING, DIGEST),
    ):
        assert check_relative_path(path, what="test") == path
    assert proof_path(LeafPlace(1, 1)) == "proof/1-000000001.tlog-proof"


def test_what_stands_outside_the_manifests_holds_or_proves_them() -> None:
    listed = parse_manifest(FILES[MANIFEST]).keys() | parse_manifest(FILES[TAGMANIFEST]).keys()
    assert FILES.keys() - listed == OUTSIDE_MANIFESTS


def test_a_disclosed_leaf_reads_back_as_it_was_written() -> None:
    for line in LINES:
        assert format_disclosed_leaf(parse_disclosed_leaf(line)) == line
    assert parse_disclosed_leaf(LINES[1]).detail == WORDS
    assert parse_disclosed_leaf(LINES[1]).salt == SALT


def test_a_leaf_may_be_disclosed_without_its_words() -> None:
    leaf = replace(parse_disclosed_leaf(LINES[1]), salt=None, detail=None)
    assert parse_disclosed_leaf(format_disclosed_leaf(leaf)) == leaf


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"place": LeafPlace(1, 2)}, "index 2 is not the leaf's own, 1"),
        ({"place": LeafPlace(1, True)}, "place: expected a whole number"),
        ({"place": LeafPlace(0, 1)}, "place: expected a whole number of at least 1"),
        ({"salt": None}, "come together or not at all"),
        ({"detail": None}, "come together or not at all"),
        ({"salt": bytes(32)}, "not those the leaf commits to"),
        ({"salt": bytes(31)}, "salt: expected"),
        ({"detail": {**WORDS, "file_name": "other.mp4"}}, "not those the leaf commits to"),
        ({"detail": [WORDS]}, "not those the leaf commits to"),
    ],
)
def test_words_or_an_index_that_are_not_the_leafs_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        format_disclosed_leaf(replace(parse_disclosed_leaf(LINES[1]), **changes))


@pytest.mark.parametrize("place", ["1", "[1]", "[1,2,3]", "1-2"])
def test_a_place_that_is_not_an_epoch_and_an_index_is_refused(place: str) -> None:
    line = LINES[1].replace(
        b'"place":[1,1]', b'"place":' + (place if place[0] == "[" else f'"{place}"').encode()
    )
    with pytest.raises(FormatError, match="expected an epoch and an index"):
        parse_disclosed_leaf(line)


def test_words_for_a_leaf_that_commits_to_none_are_refused() -> None:
    bare: DisclosedLeaf = parse_disclosed_leaf(LINES[0])
    with pytest.raises(FormatError, match="not those the leaf commits to"):
        format_disclosed_leaf(replace(bare, salt=SALT, detail=WORDS))


def test_a_manifest_reads_back_as_it_was_written() -> None:
    digests = {"b": DIGEST, "a/c": DIGEST, "a.b": DIGEST}
    data = format_manifest(digests)
    assert data.splitlines()[0] == f"{DIGEST}  a.b".encode()
    assert parse_manifest(data) == digests
    assert parse_manifest(format_manifest({})) == {}


@pytest.mark.parametrize(
    "digests",
    [
        {"../a": DIGEST},
        {"\u00e9": DIGEST},
        {"a\nb": DIGEST},
        {"a": DIGEST.upper()},
        {"a": "0f"},
        {"a": DIGEST, "A": DIGEST},
    ],
)
def test_a_manifest_that_would_not_be_read_is_not_written(digests: dict[str, str]) -> None:
    with pytest.raises(FormatError):
        format_manifest(digests)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (f"{DIGEST}  a".encode(), "last line is cut short"),
        (f"{DIGEST} *a\n".encode(), "expected a digest and a path"),
        (f"{DIGEST} a\n".encode(), "expected a digest and a path"),
        (f"{DIGEST}  a\r\n".encode(), "expected a digest and a path"),
        (b"\n", "expected a digest and a path"),
        (f"{DIGEST}  \u00e9\n".encode(), "byte 66 is not ASCII"),
        (f"{DIGEST}  ../a\n".encode(), "expected plain names"),
        (f"{DIGEST}  a\n{DIGEST}  a\n".encode(), "a is listed twice"),
        (f"{DIGEST}  A\n{DIGEST}  a\n".encode(), "differs from another only in case"),
        (f"{DIGEST}  b\n{DIGEST}  a\n".encode(), "a is not in order: b stands before it"),
        (bytes(100_000_001), "at most 100000000 bytes"),
    ],
)
def test_a_malformed_manifest_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        parse_manifest(data)


def test_items_name_any_identifier_we_would_write() -> None:
    item: PackageItem = replace(ITEM, recording=format_identifier(kind="R", year=2031, number=99_999_999))
    assert parse_package(format_package(replace(PACKAGE, items=(item,)))).items == (item,)
