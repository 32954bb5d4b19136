"""One promise of every parser: it refuses what its writer would not have written, and raises nothing but FormatError."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats import (
    camera_orders,
    canonical,
    capture,
    checkpoint,
    chunks,
    ids,
    leaf,
    note,
    object_header,
    package,
    policy,
    proof,
    receipt,
    recovery,
    sealed_file,
    tiles,
    times,
    trigger,
)
from plainview.formats.errors import FormatError
from vectors.make_format_examples import example_files

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = example_files()
LIMIT_BYTES = 1_000_000


@dataclass(frozen=True)
class Format:
    """A pair of parser and writer, and something the writer wrote."""

    parse: Callable[[Any], Any]
    write: Callable[[Any], Any]
    example: bytes

    def accepts(self, data: bytes) -> bool:
        """Say whether the parser takes the bytes; fail if it does anything but refuse or read them rightly."""
        try:
            value = self.parse(data)
        except FormatError:
            return False
        assert self.write(value) == data
        return True


def of_text(parse: Callable[[str], Any], write: Callable[[Any], str], example: bytes) -> Format:
    # What no decoder would give can still come from a command line: halves of surrogate pairs.
    return Format(
        lambda data: parse(data.decode("utf-8", "surrogateescape")),
        lambda value: write(value).encode("utf-8", "surrogateescape"),
        example,
    )


def parse_any(data: bytes) -> Any:
    return canonical.parse_canonical_json(data, what="test", limit_bytes=LIMIT_BYTES)


def package_line(name: str, index: int) -> bytes:
    return FILES[f"package/{name}"].split(b"\n")[index]


def write_recovery_key(key: recovery.RecoveryKey) -> bytes:
    return recovery.format_recovery_key(key).rstrip(b"\n")


def note_text(name: str) -> bytes:
    return FILES[name].split(b"\n\n")[0] + b"\n"


JOURNAL = FILES["journal"].split(b"\n")
SEALED = FILES["journal.sealed"]
CHECKPOINT_TEXT = b"\n".join(FILES["checkpoint"].split(b"\n")[:3]) + b"\n"

JSON_FORMATS = {
    "custody leaf": Format(leaf.parse_leaf, leaf.format_leaf, FILES["leaf.json"]),
    "chunk list": Format(chunks.parse_chunks, chunks.format_chunks, FILES["chunks.json"]),
    "chunk times": Format(chunks.parse_chunk_times, chunks.format_chunk_times, FILES["times.json"]),
    "package.json": Format(package.parse_package, package.format_package, FILES["package/package.json"]),
    "disclosed leaf": Format(
        package.parse_disclosed_leaf, package.format_disclosed_leaf, package_line(package.LEAVES, 1)
    ),
    "receipt": Format(receipt.parse_receipt, receipt.format_receipt, FILES["receipt.json"]),
    "key escrow": Format(recovery.parse_escrow, recovery.format_escrow, FILES["key-escrow.json"]),
    "escrowed keys": Format(
        recovery.parse_escrowed_keys,
        recovery.format_escrowed_keys,
        recovery.format_escrowed_keys({"ab" * 16: bytes(32), "cd" * 16: bytes(32)}),
    ),
    "backup.json": Format(recovery.parse_backup_facts, recovery.format_backup_facts, FILES["backup.json"]),
    "capture leaf": Format(
        capture.parse_capture_leaf, capture.format_capture_leaf, FILES["capture-leaf.json"]
    ),
}
FORMATS = {
    **JSON_FORMATS,
    "canonical JSON": Format(
        parse_any, canonical.canonical_json, b'{"a":[1,-2,{"b":null}],"c":"\xc3\xa9\\u0001\\n","d":true}'
    ),
    "journal line": Format(capture.parse_journal_line, capture.format_journal_line, JOURNAL[1]),
    "sealed file": Format(
        sealed_file.parse_sealed_header,
        sealed_file.format_sealed_header,
        SEALED[: sealed_file.sealed_header_bytes(SEALED[:12])],
    ),
    "camera request": of_text(
        camera_orders.parse_camera_request, camera_orders.format_camera_request, note_text("camera-request")
    ),
    "camera orders": of_text(
        camera_orders.parse_camera_orders, camera_orders.format_camera_orders, note_text("camera-orders")
    ),
    "trigger message": of_text(trigger.parse_trigger, trigger.format_trigger, note_text("trigger")),
    "time": of_text(times.parse_at, times.format_at, b"2026-03-15T06:52:07.300Z"),
    "verifier key": of_text(note.parse_vkey, note.format_vkey, FILES["log.vkey"].strip()),
    "signed note": of_text(note.parse_note, note.format_note, FILES["checkpoint"]),
    "checkpoint": of_text(checkpoint.parse_checkpoint, checkpoint.format_checkpoint, CHECKPOINT_TEXT),
    "trust policy": of_text(policy.parse_policy, policy.format_policy, FILES["log.policy"]),
    "tlog-proof": of_text(proof.parse_proof, proof.format_proof, FILES["1.tlog-proof"]),
    "object header": Format(
        object_header.parse_object_header, object_header.format_object_header, FILES["object"][:32]
    ),
    "manifest": Format(
        package.parse_manifest, package.format_manifest, FILES["package/tagmanifest-sha256.txt"]
    ),
    "bundle of entries": Format(
        lambda data: tiles.unpack_entries(data, width=3),
        tiles.pack_entries,
        tiles.pack_entries([b"a", b"entry", b"\x00" * 300]),
    ),
    "tile of hashes": Format(
        lambda data: tiles.unpack_tile(data, width=3), tiles.pack_tile, bytes(range(96))
    ),
    "recovery key": Format(
        recovery.parse_recovery_key, write_recovery_key, FILES["recovery-key.json"].rstrip(b"\n")
    ),
}
# The one whose words people may change, and whose last newline an editor may: see test_recovery.py.
STRICT_FORMATS = {name: form for name, form in FORMATS.items() if name != "recovery key"}

NASTY = (
    *(b"\x00", b"\t", b"\n", b"\r\n", b"\n\n", b" ", b"\x0b", b"\x1b[2J", b"\x7f", b"\xff", b"="),
    *(b"+", b"-", b"#", b".", b"/", b"\\", b'"', b"{", b"}", b"[", b"]", b",", b":", b'"a":1,', b"[" * 40),
    *(b"0", b"00", b"1", b"-0", b"1e5", b"1.5", b"9007199254740992", b"9" * 5000, b"NaN", b"Infinity"),
    *(b"null", b"true", b"\\ud800", b"\\u0041", "\u2014 ".encode(), b"\xed\xa0\x80"),
    *(character.encode() for character in "\u0085\u2028\u202e\ufeff"),
)

NASTY_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**53 - 1, -(2**53) + 1, "", "x", "ok", "0", "none", "../../etc/passwd"),
    *(
        "\u202eevil",
        "a\nb",
        "\x1b[2J",
        "\x00",
        "é",
        "f" * 64,
        "F" * 64,
        "f" * 32,
        "A" * 600,
        "data/original/a.mp4",
    ),
    *("2026-02-30T00:00:00.000Z", "R-26-00004217-J", "r-26-00004217-i", "AAAA", "AAAB="),
    *(
        [],
        {},
        [[]],
        [None],
        [0, 0],
        [1, 0],
        [0],
        ["f" * 64],
        {"x": 1},
        {"x": None},
        {"X": 1},
        {"x": {}},
        {"x": True},
    ),
)


def mutations(data: bytes) -> list[bytes]:
    """Return the bytes with each one flipped, lost, doubled, cut at, and swapped with its neighbour."""
    mutants = []
    for at in range(len(data)):
        before, byte, after = data[:at], data[at : at + 1], data[at + 1 :]
        mutants += [before + bytes([byte[0] ^ 1 << bit]) + after for bit in (0, 3, 5, 7)]
        mutants += [before + after, before + byte * 2 + after, before, before + after[:1] + byte + after[1:]]
    return [*mutants, b"", data + data, data + b"\n", b"\n" + data]


@pytest.mark.parametrize("name", STRICT_FORMATS)
def test_a_writer_and_its_parser_agree_on_the_example(name: str) -> None:
    assert STRICT_FORMATS[name].accepts(STRICT_FORMATS[name].example)


@pytest.mark.parametrize("name", STRICT_FORMATS)
def test_a_byte_flipped_lost_doubled_or_swapped_is_refused_or_was_as_good(name: str) -> None:
    form = STRICT_FORMATS[name]
    # Long examples are tried at a third of their bytes: what their parsers share is tried in the short ones.
    mutants = mutations(form.example)
    refused = [not form.accepts(mutant) for mutant in mutants[:: 1 if len(form.example) < 400 else 3]]
    assert any(refused) or name == "tile of hashes"


@settings(max_examples=15)
@given(data=st.data())
@pytest.mark.parametrize("name", STRICT_FORMATS)
def test_several_changes_at_once_are_refused_or_were_as_good(name: str, data: st.DataObject) -> None:
    form = STRICT_FORMATS[name]
    mutant = form.example
    for _ in range(data.draw(st.integers(1, 3))):
        at, cut = data.draw(st.integers(0, len(mutant))), data.draw(st.integers(0, 5))
        mutant = mutant[:at] + data.draw(st.sampled_from(NASTY)) + mutant[at + cut :]
    form.accepts(mutant)


@settings(max_examples=15)
@given(data=st.one_of(st.binary(max_size=200), st.sampled_from(NASTY)))
@pytest.mark.parametrize("name", FORMATS)
def test_random_bytes_are_refused_or_read_rightly(name: str, data: bytes) -> None:
    FORMATS[name].accepts(data)


def with_each_value_replaced(value: Any) -> list[Any]:
    """Return copies of a JSON value with one thing in it, at any depth, replaced by each nasty value."""
    copies = list(NASTY_VALUES)
    if type(value) is dict:
        copies += [{k: v for k, v in value.items() if k != key} for key in value]
        copies.append({**value, "unknown": 1})
        copies += [
            {**value, key: copy} for key, item in value.items() for copy in with_each_value_replaced(item)
        ]
    elif type(value) is list:
        copies += [[*value, item] for item in value[:1]]
        copies += [
            [*value[:at], copy, *value[at + 1 :]]
            for at, item in enumerate(value)
            for copy in with_each_value_replaced(item)
        ]
    return copies


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_each_field_of_a_record_refuses_what_does_not_belong_in_it(name: str) -> None:
    form = JSON_FORMATS[name]
    accepted = 0
    mutants = with_each_value_replaced(json.loads(form.example))
    for mutant in mutants:
        accepted += form.accepts(canonical.canonical_json(mutant))
    # A few are as good: another count, another reason, no session.
    assert accepted < len(mutants) / 4


# The keys of escrowed keys are its data.
@pytest.mark.parametrize("name", [name for name in JSON_FORMATS if name != "escrowed keys"])
def test_a_key_lost_or_added_is_refused(name: str) -> None:
    form, record = JSON_FORMATS[name], json.loads(JSON_FORMATS[name].example)
    for key in record:
        assert not form.accepts(canonical.canonical_json({k: v for k, v in record.items() if k != key}))
    assert not form.accepts(canonical.canonical_json({**record, "unknown": 1}))


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_a_newer_version_is_refused(name: str) -> None:
    form, record = JSON_FORMATS[name], json.loads(JSON_FORMATS[name].example)
    for version in (0, 2, "1", True, None):
        assert not form.accepts(canonical.canonical_json({**record, "v": version}))


@pytest.mark.parametrize("name", FORMATS)
def test_nesting_without_end_is_refused(name: str) -> None:
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40 + b"]" * 40):
        assert not FORMATS[name].accepts(data)


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in {"bundle of entries", "tile of hashes"}]
)
def test_more_than_a_reader_should_hold_is_refused(name: str) -> None:
    assert not FORMATS[name].accepts(FORMATS[name].example + b" " * 2_000_000)


@settings(max_examples=100)
@given(st.text(alphabet="Rr26O0417IiJ- ıſß\u2013\u00a0", max_size=18))
def test_what_a_person_types_becomes_one_spelling_or_is_refused(typed: str) -> None:
    try:
        spelled = ids.check_identifier(typed)
    except FormatError:
        return
    assert ids.check_identifier(spelled) == spelled
    assert (
        ids.format_identifier(kind=spelled[0], year=2000 + int(spelled[2:4]), number=int(spelled[5:13]))
        == spelled
    )
