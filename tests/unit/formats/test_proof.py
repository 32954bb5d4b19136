from __future__ import annotations

from dataclasses import replace

import pytest

from plainview.formats.errors import FormatError
from plainview.formats.leaf import parse_leaf
from plainview.formats.note import NoteSignature, SignedNote, format_note
from plainview.formats.proof import MAX_PATH, format_proof, parse_proof
from plainview.formats.receipt import Receipt, format_receipt, make_receipt, parse_receipt
from vectors.make_format_examples import LOG_KEY, example_files, example_log, log_proof

FILES = example_files()
TEXT = FILES["1.tlog-proof"].decode()
PROOF = parse_proof(TEXT)
HASH_LINE = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


def test_a_proof_reads_back_as_it_was_written() -> None:
    for index in range(4):
        proof = log_proof(example_log().entries, index)
        assert parse_proof(format_proof(proof)) == proof


def test_the_only_entry_of_a_log_needs_no_path() -> None:
    proof = log_proof(example_log().entries[:1], 0)
    assert proof.path == ()
    assert parse_proof(format_proof(proof)) == proof


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("tlog-proof@v1", "tlog-proof@v2"),
        TEXT.replace("tlog-proof@v1\n", "tlog-proof@v1\nextra AAAA\n"),
        TEXT.replace("index 1\n", ""),
        TEXT.replace("index 1\n", "index 01\n"),
        TEXT.replace("index 1\n", "index -1\n"),
        TEXT.replace("index 1\n", "index  1\n"),
        TEXT.replace("index 1\n", "index 1\nAAAA\n"),
        TEXT.replace("index 1\n", "index 1\nnot base64\n"),
        TEXT.replace("index 1\n", "index 1\n" + HASH_LINE * (MAX_PATH + 1)),
        TEXT.replace("\n", "\r\n"),
        TEXT[:-1],
        TEXT + "\n",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\n" + PROOF.note,
    ],
)
def test_a_malformed_proof_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_proof(text)


@pytest.mark.parametrize(
    "note", ["", "text\n", PROOF.note.split("\n\n")[0] + "\n", PROOF.note.split("\n\n")[1]]
)
def test_a_proof_without_a_signed_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(FormatError):
        parse_proof(format_proof(PROOF).replace(PROOF.note, note))


def test_a_proof_under_a_note_that_is_no_checkpoint_is_refused() -> None:
    line = NoteSignature(LOG_KEY.name, LOG_KEY.key_id, bytes(64))
    with pytest.raises(FormatError, match="checkpoint"):
        format_proof(replace(PROOF, note=format_note(SignedNote("poem\n", (line,)))))


def test_an_index_beyond_the_checkpoint_is_refused() -> None:
    assert format_proof(replace(PROOF, index=3))
    with pytest.raises(FormatError, match="index 4 is not in a log of 4 entries"):
        format_proof(replace(PROOF, index=4))


def test_a_hash_that_is_not_32_bytes_is_not_written() -> None:
    with pytest.raises(FormatError, match="not 32 bytes"):
        format_proof(replace(PROOF, path=(bytes(31),)))


def test_a_proof_of_more_than_a_million_characters_is_refused() -> None:
    with pytest.raises(FormatError, match="at most 1000000 characters"):
        parse_proof(TEXT + "x" * 1_000_000)


def test_a_receipt_reads_back_as_it_was_written() -> None:
    entry = example_log().entries[1]
    receipt = make_receipt(entry, PROOF)
    assert receipt == Receipt(entry, parse_leaf(entry), PROOF)
    assert parse_receipt(format_receipt(receipt)) == receipt


def test_a_receipt_keeps_its_leaf_byte_for_byte() -> None:
    assert parse_receipt(FILES["receipt.json"]).entry == FILES["leaf.json"]


def test_a_receipt_of_one_leaf_with_the_proof_of_another_is_refused() -> None:
    entries = example_log().entries
    with pytest.raises(FormatError, match="the leaf is number 2, its proof is for 1"):
        make_receipt(entries[2], PROOF)
    swapped = format_receipt(replace(make_receipt(entries[1], PROOF), proof=log_proof(entries, 2)))
    with pytest.raises(FormatError, match="the leaf is number 1, its proof is for 2"):
        parse_receipt(swapped)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"plainview-receipt", b"plainview-package"),
        (b'"kind":', b'"kinds":'),
        (b"recording.received", b"recording.improved"),
        (b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2"),
        (b'"v":1}', b'"v":2}'),
    ],
)
def test_a_malformed_receipt_is_refused(old: bytes, new: bytes) -> None:
    assert FILES["receipt.json"].count(old) >= 1
    with pytest.raises(FormatError):
        parse_receipt(FILES["receipt.json"].replace(old, new))
