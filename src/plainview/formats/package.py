"""Packages: a folder for one named recipient that proves itself.

package.json, one line:
    {"at":"2026-11-22T16:40:00.000Z","items":[{"path":"data/original/2026-03-14_2352_R-26-00004217-I.mp4",
    "probed":[1,2],"received":[1,1],"recording":"R-26-00004217-I","role":"original","sha256":"..","size_bytes":2411585}],
    "kind":"plainview-package","manifest_sha256":"..","origin":"example.org/custody/1","package":"..","purpose":null,
    "recipient":null,"tagmanifest_sha256":"..","tool":"plainview 0.1.0","v":1}

The two manifests list every file but the three that stand outside them (OUTSIDE_MANIFESTS); package.json holds the
manifests' hashes; the SHA-256 of package.json is in the package.exported leaf; package.receipt.json proves that leaf.
proof/leaves.jsonl holds the leaves that are disclosed, one DisclosedLeaf a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import (
    HEX_16_BYTES,
    HEX_32_BYTES,
    LINE,
    check_count,
    check_record,
    check_text,
)
from plainview.formats.ids import check_identifier
from plainview.formats.leaf import CustodyLeaf, commitment, parse_leaf
from plainview.formats.note import KEY_NAME
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

PACKAGE_KIND = "plainview-package"
PACKAGE_LIMIT_BYTES = 100_000_000
MANIFEST = "manifest-sha256.txt"
TAGMANIFEST = "tagmanifest-sha256.txt"
PACKAGE_JSON = "package.json"
PACKAGE_RECEIPT = "package.receipt.json"
LEAVES = "proof/leaves.jsonl"
POLICY = "proof/log.policy"
# They cannot be listed: each holds, or proves, the hash of what lists the rest.
OUTSIDE_MANIFESTS = frozenset({TAGMANIFEST, PACKAGE_JSON, PACKAGE_RECEIPT})

ROLES = frozenset({"original"})
ITEM_KEYS = frozenset({"path", "role", "recording", "sha256", "size_bytes", "received", "probed"})
# No name is hidden, ends in a dot, looks like an option, or is a device on Windows.
_NAME = r"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:[./]|\Z))[A-Za-z0-9_](?:[A-Za-z0-9._+-]{0,98}[A-Za-z0-9_+-])?"
_RELATIVE_PATH = re.compile(rf"{_NAME}(?:/{_NAME}){{0,7}}\Z", re.ASCII)
_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  ([^\n\r]+)\Z")


@dataclass(frozen=True)
class LeafPlace:
    """Where a leaf is: in which of the department's logs, counted from 1, and its index there, from 0.

    A second log begins only where the first could not go on; its origin ends in the same number.
    """

    epoch: int
    index: int


@dataclass(frozen=True)
class PackageItem:
    """A file of footage in a package and the leaves that speak for it.

    Attributes:
        path: below the package's folder, with /.
        role: original.
        recording: its identifier.
        sha256: of the file, 64 hex digits.
        size_bytes: of the file.
        received: where its received leaf is.
        probed: where the leaf is that commits to its table of chunk times, or None.
    """

    path: str
    role: str
    recording: str
    sha256: str
    size_bytes: int
    received: LeafPlace
    probed: LeafPlace | None


@dataclass(frozen=True)
class PackageManifest:
    """What package.json says.

    Attributes:
        package: random id, 32 hex digits.
        at: when it was made.
        origin: the log that speaks for it.
        tool: program and version that made it.
        recipient: for whom, or None where nobody was named.
        purpose: for what, or None.
        manifest_sha256: of manifest-sha256.txt, 64 hex digits.
        tagmanifest_sha256: of tagmanifest-sha256.txt, 64 hex digits.
        items: the footage.
    """

    package: str
    at: datetime
    origin: str
    tool: str
    recipient: str | None
    purpose: str | None
    manifest_sha256: str
    tagmanifest_sha256: str
    items: tuple[PackageItem, ...]


@dataclass(frozen=True)
class DisclosedLeaf:
    """A leaf in a package, with the words behind its commitment where they are disclosed."""

    place: LeafPlace
    entry: bytes
    leaf: CustodyLeaf
    salt: bytes | None
    detail: dict[str, Any] | None


def proof_path(place: LeafPlace) -> str:
    """Return where in a package the proof of a leaf lies."""
    return f"proof/{place.epoch}-{place.index:09d}.tlog-proof"


def chunks_path(recording: str, sha256: str) -> str:
    """Return where in a package the chunk hashes of an original lie."""
    return f"proof/{recording}_{sha256[:16]}.chunks.json"


def chunk_times_path(recording: str, sha256: str) -> str:
    """Return where in a package the table from chunk to seconds of an original lies."""
    return f"proof/{recording}_{sha256[:16]}.times.json"


def check_relative_path(path: str, *, what: str) -> str:
    """Return path if it stays below the package's folder and any file system can hold it.

    Raises:
        FormatError: absolute, climbing, hidden, deeper than 8, a name over 100 characters, one no Windows machine can
            hold, or characters outside A-Z a-z 0-9 . _ + -
    """
    if _RELATIVE_PATH.match(check_text(path, what=what, field="path")) is None:
        raise FormatError(what, f"path: expected plain names such as data/original/a.mp4, got {path[:80]!a}")
    return path


def format_package(package: PackageManifest) -> bytes:
    """Write package.json.

    Raises:
        FormatError: a field parse_package would refuse.
    """
    record = {
        "v": 1,
        "kind": PACKAGE_KIND,
        "package": package.package,
        "at": format_at(package.at),
        "origin": package.origin,
        "tool": package.tool,
        "recipient": package.recipient,
        "purpose": package.purpose,
        "manifest_sha256": package.manifest_sha256,
        "tagmanifest_sha256": package.tagmanifest_sha256,
        "items": [_item_record(item) for item in package.items],
    }
    data = canonical_json(record)
    parse_package(data)
    return data


def _item_record(item: PackageItem) -> dict[str, Any]:
    return {
        "path": item.path,
        "role": item.role,
        "recording": item.recording,
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "received": _place_record(item.received),
        "probed": None if item.probed is None else _place_record(item.probed),
    }


def parse_package(data: bytes) -> PackageManifest:
    """Read package.json.

    Raises:
        FormatError: not canonical, a key missing or unknown, a malformed field, or a path named twice, in whatever
            case.
    """
    what = "package.json"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=PACKAGE_LIMIT_BYTES),
        what=what,
        kind=PACKAGE_KIND,
        keys=frozenset(
            {"v", "kind", "package", "at", "origin", "tool", "recipient", "purpose", "manifest_sha256"}
            | {"tagmanifest_sha256", "items"}
        ),
    )
    if type(record["items"]) is not list:
        raise FormatError(what, "items: expected a list")
    items = tuple(_parse_item(item) for item in record["items"])
    if len({item.path.lower() for item in items}) != len(items):
        raise FormatError(what, "items: a path appears twice")
    return PackageManifest(
        package=check_text(record["package"], what=what, field="package", pattern=HEX_16_BYTES),
        at=parse_at(record["at"], what=what),
        origin=check_text(record["origin"], what=what, field="origin", pattern=KEY_NAME),
        tool=check_text(record["tool"], what=what, field="tool", pattern=LINE),
        recipient=_text_or_none(record["recipient"], field="recipient"),
        purpose=_text_or_none(record["purpose"], field="purpose"),
        manifest_sha256=check_text(
            record["manifest_sha256"], what=what, field="manifest_sha256", pattern=HEX_32_BYTES
        ),
        tagmanifest_sha256=check_text(
            record["tagmanifest_sha256"], what=what, field="tagmanifest_sha256", pattern=HEX_32_BYTES
        ),
        items=items,
    )


def _parse_item(value: Any) -> PackageItem:
    what = "package.json item"
    record = check_record(value, what=what, keys=ITEM_KEYS)
    if type(record["role"]) is not str or record["role"] not in ROLES:
        raise FormatError(what, f"role: unknown role {record['role']!r:.60}")
    probed = record["probed"]
    return PackageItem(
        path=check_relative_path(record["path"], what=what),
        role=record["role"],
        recording=_parse_recording(record["recording"]),
        sha256=check_text(record["sha256"], what=what, field="sha256", pattern=HEX_32_BYTES),
        size_bytes=check_count(record["size_bytes"], what=what, field="size_bytes"),
        received=_parse_place(record["received"], what=what, field="received"),
        probed=None if probed is None else _parse_place(probed, what=what, field="probed"),
    )


def _place_record(place: LeafPlace) -> list[int]:
    return [place.epoch, place.index]


def _parse_place(value: Any, *, what: str, field: str) -> LeafPlace:
    if type(value) is not list or len(value) != 2:
        raise FormatError(what, f"{field}: expected an epoch and an index, got {value!r:.60}")
    epoch = check_count(value[0], what=what, field=field, at_least=1)
    return LeafPlace(epoch, check_count(value[1], what=what, field=field))


def _parse_recording(value: Any) -> str:
    # Paths are made from it: nothing but an identifier in its one spelling will do.
    text = check_text(value, what="package.json item", field="recording")
    if check_identifier(text) != text:
        raise FormatError("package.json item", f"recording: another spelling of {check_identifier(text)}")
    return text


def _text_or_none(value: Any, *, field: str) -> str | None:
    return None if value is None else check_text(value, what="package.json", field=field, pattern=LINE)


def format_disclosed_leaf(leaf: DisclosedLeaf) -> bytes:
    """Write one line of proof/leaves.jsonl, without its newline.

    Raises:
        FormatError: one that parse_disclosed_leaf would refuse.
    """
    data = canonical_json(
        {
            "v": 1,
            "place": _place_record(leaf.place),
            "leaf": leaf.entry.decode("utf-8"),
            "salt": None if leaf.salt is None else leaf.salt.hex(),
            "detail": leaf.detail,
        }
    )
    parse_disclosed_leaf(data)
    return data


def parse_disclosed_leaf(data: bytes) -> DisclosedLeaf:
    """Read one line of proof/leaves.jsonl.

    Raises:
        FormatError: not canonical, a malformed leaf, an index that is not the leaf's own, or words that are not
            those the leaf commits to.
    """
    what = "disclosed leaf"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=1_000_000),
        what=what,
        keys=frozenset({"v", "place", "leaf", "salt", "detail"}),
    )
    entry = check_text(record["leaf"], what=what, field="leaf").encode("utf-8")
    leaf = parse_leaf(entry)
    salt, detail = record["salt"], record["detail"]
    place = _parse_place(record["place"], what=what, field="place")
    if leaf.seq != place.index:
        raise FormatError(what, f"index {place.index} is not the leaf's own, {leaf.seq}")
    if (salt is None) != (detail is None):
        raise FormatError(what, "a salt and its words come together or not at all")
    if detail is not None:
        _check_words(leaf, salt, detail)
    return DisclosedLeaf(place, entry, leaf, None if salt is None else bytes.fromhex(salt), detail)


def _check_words(leaf: CustodyLeaf, salt: Any, detail: Any) -> None:
    what = "disclosed leaf"
    salt_bytes = bytes.fromhex(check_text(salt, what=what, field="salt", pattern=HEX_32_BYTES))
    if type(detail) is not dict or commitment(salt=salt_bytes, words=detail) != leaf.detail:
        raise FormatError(what, "the words are not those the leaf commits to")


def format_manifest(digests: dict[str, str]) -> bytes:
    """Write a BagIt manifest, such as sha256sum -c reads: one "digest  path" line a file, by path.

    Args:
        digests: from relative path to 64 hex digits.

    Raises:
        FormatError: a path or digest that parse_manifest would refuse.

    Source: RFC 8493 section 2.1.3.
    """
    data = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii", "replace")
    parse_manifest(data)
    return data


def parse_manifest(data: bytes) -> dict[str, str]:
    """Read a BagIt manifest.

    Returns:
        From relative path to 64 hex digits.

    Raises:
        FormatError: a malformed line, a path outside the folder, one that appears twice, in whatever case, or lines
            that are not in the order of their paths.

    Source: RFC 8493 section 2.1.3.
    """
    what = "manifest"
    if len(data) > PACKAGE_LIMIT_BYTES:
        raise FormatError(what, f"expected at most {PACKAGE_LIMIT_BYTES} bytes, got {len(data)}")
    digests: dict[str, str] = {}
    last, seen = "", set()
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(what, f"byte {error.start} is not ASCII") from error
    if lines.pop() != "":
        raise FormatError(what, "the last line is cut short")
    for line in lines:
        match = _MANIFEST_LINE.match(line)
        if match is None:
            raise FormatError(what, f"expected a digest and a path, got {line[:100]!r}")
        path = check_relative_path(match.group(2), what=what)
        if path.lower() in seen:
            raise FormatError(what, f"{path} is listed twice, or differs from another only in case")
        if path < last:
            raise FormatError(what, f"{path} is not in order: {last} stands before it")
        seen.add(path.lower())
        digests[path], last = match.group(1), path
    return digests
