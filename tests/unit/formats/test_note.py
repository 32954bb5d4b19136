from __future__ import annotations

import base64
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.errors import FormatError
from plainview.formats.note import (
    ED25519,
    ED25519_COSIGNATURE,
    MAX_SIGNATURES,
    NoteSignature,
    SignedNote,
    VerifierKey,
    check_note_text,
    format_note,
    format_vkey,
    parse_note,
    parse_vkey,
)

# The example that Go's golang.org/x/mod/sumdb/note documents, with its key and seed.
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
PETER_NOTE = (
    PETER_TEXT + "\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of c2sp.org/signed-note: an empty line in the text, and a letter beyond ASCII.
QUASIMODO_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u00e8 subito sera.\n\n"
    "\u2014 quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
KEY = VerifierKey("example.org/custody/1", ED25519, bytes(range(32)))
SIGNATURE = NoteSignature("a.example", b"\x01\x02\x03\x04", b"signature")


def test_the_published_example_is_read_and_its_signature_holds() -> None:
    key, note = parse_vkey(PETER_VKEY), parse_note(PETER_NOTE)
    (signature,) = note.signatures
    assert (note.text, signature.name, signature.key_id) == (PETER_TEXT, key.name, key.key_id)
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature.signature, note.text.encode())


def test_the_published_example_is_written_byte_for_byte() -> None:
    signer, key = Ed25519PrivateKey.from_private_bytes(PETER_SEED), parse_vkey(PETER_VKEY)
    line = NoteSignature(key.name, key.key_id, signer.sign(PETER_TEXT.encode()))
    assert format_note(SignedNote(PETER_TEXT, (line,))) == PETER_NOTE
    assert (
        format_vkey(VerifierKey("PeterNeumann", ED25519, signer.public_key().public_bytes_raw()))
        == PETER_VKEY
    )


def test_a_text_with_empty_lines_ends_at_the_last_one() -> None:
    note = parse_note(QUASIMODO_NOTE)
    assert note.text.endswith("\n\ned \u00e8 subito sera.\n")
    assert format_note(note) == QUASIMODO_NOTE


def test_a_fingerprint_is_the_hash_of_name_algorithm_and_key() -> None:
    assert KEY.fingerprint == sha256(b"example.org/custody/1\n\x01" + bytes(range(32))).digest()
    assert KEY.key_id == KEY.fingerprint[:4]


def test_a_key_for_cosignatures_has_another_id_than_the_same_key_for_notes() -> None:
    assert replace(KEY, algorithm=ED25519_COSIGNATURE).key_id != KEY.key_id


@settings(max_examples=30)
@given(
    name=st.text(alphabet="az09./-_\u00e9\u4e2d", min_size=1, max_size=20),
    algorithm=st.sampled_from([ED25519, ED25519_COSIGNATURE]),
    public_key=st.binary(min_size=32, max_size=32),
)
def test_a_key_reads_back_as_it_was_written(name: str, algorithm: int, public_key: bytes) -> None:
    key = VerifierKey(name, algorithm, public_key)
    assert parse_vkey(format_vkey(key)) == key


@pytest.mark.parametrize("text", ["", "name", "name+00000000", "AWFi+name"])
def test_what_has_not_three_parts_is_no_key(text: str) -> None:
    with pytest.raises(FormatError, match=r"expected name\+id\+base64"):
        parse_vkey(text)


def test_a_key_without_bytes_is_refused() -> None:
    with pytest.raises(FormatError, match="holds no key"):
        parse_vkey("name+00000000+")


def test_a_key_id_of_another_key_is_refused() -> None:
    with pytest.raises(FormatError, match="the key id should be c74f20a3, got 'c74f20a4'"):
        parse_vkey(PETER_VKEY.replace("c74f20a3", "c74f20a4"))
    with pytest.raises(FormatError, match="the key id should be"):
        parse_vkey(PETER_VKEY.replace("PeterNeumann", "PeterNeuman"))
    with pytest.raises(FormatError, match="the key id should be"):
        parse_vkey(PETER_VKEY.replace("c74f20a3", "C74F20A3"))


@pytest.mark.parametrize(
    "key",
    [
        replace(KEY, algorithm=0x02),
        replace(KEY, algorithm=0x06),
        replace(KEY, public_key=bytes(31)),
        replace(KEY, public_key=bytes(33)),
        *(
            replace(KEY, name=name)
            for name in ("", "a b", "a\u00a0b", "a\u2003b", "a+b", "a\nb", "a\x1bb", "x" * 256)
        ),
        *(replace(KEY, name=name) for name in ("a\ud800", "a\u202eb", "a\ufeff", "a\u200bb", "a\u0085b")),
    ],
)
def test_a_key_that_would_not_be_read_is_not_written_nor_read(key: VerifierKey) -> None:
    with pytest.raises(FormatError):
        format_vkey(key)
    data = base64.b64encode(bytes([key.algorithm]) + key.public_key).decode()
    key_id = key.key_id.hex() if key.name.isascii() else "00000000"
    with pytest.raises(FormatError):
        parse_vkey(f"{key.name}+{key_id}+{data}")


@pytest.mark.parametrize("text", ["", "no newline", "a\r\n", "a\tb\n", "\x00\n", "\x7f\n", "a\ud800\n"])
def test_a_text_that_could_be_read_two_ways_is_not_signed(text: str) -> None:
    with pytest.raises(FormatError):
        check_note_text(text)
    with pytest.raises(FormatError):
        format_note(SignedNote(text, (SIGNATURE,)))


def test_a_note_without_signatures_is_not_written() -> None:
    with pytest.raises(FormatError):
        format_note(SignedNote("text\n", ()))


@pytest.mark.parametrize(
    "signature",
    [
        replace(SIGNATURE, name="two words"),
        replace(SIGNATURE, key_id=b"\x01\x02\x03"),
        replace(SIGNATURE, key_id=b"\x01\x02\x03\x04\x05"),
        replace(SIGNATURE, signature=b""),
    ],
)
def test_a_signature_that_would_read_differently_is_not_written(signature: NoteSignature) -> None:
    with pytest.raises(FormatError):
        format_note(SignedNote("text\n", (signature,)))


def test_as_many_signatures_as_the_limit_are_read_and_no_more() -> None:
    note = SignedNote("text\n", (SIGNATURE,) * MAX_SIGNATURES)
    assert parse_note(format_note(note)) == note
    with pytest.raises(FormatError, match="at most 64 signatures, got 65"):
        format_note(replace(note, signatures=(SIGNATURE,) * 65))


LINE = "\u2014 a.example AQIDBHNpZ25hdHVyZQ==\n"


def test_the_plain_note_of_these_tests_is_read() -> None:
    assert parse_note("text\n\n" + LINE) == SignedNote("text\n", (SIGNATURE,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n" + LINE,
        "text\n\n" + LINE.rstrip("\n"),
        "text\n\n" + LINE + "\n",
        "text\n\n" + LINE + "more\n",
        "text\n\n" + LINE.replace("\u2014", "-"),
        "text\n\n" + LINE.replace("a.example", ""),
        "text\n\n" + LINE.replace("a.example", "a+example"),
        "text\n\n" + LINE.replace("a.example", "a\u00a0example"),
        "text\n\n" + LINE.replace("==", ""),
        "text\n\n" + LINE.replace("ZQ==", "ZR=="),
        "text\n\n\u2014 a.example AQIDBA==\n",
        "text\r\n\r\n" + LINE,
        "te\x00xt\n\n" + LINE,
        "te\ud800xt\n\n" + LINE,
    ],
)
def test_a_malformed_note_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_note(text)


def test_a_note_longer_than_a_million_characters_is_refused() -> None:
    with pytest.raises(FormatError, match="at most 1000000 characters"):
        parse_note("x" * 1_000_000 + "\n\n" + LINE)
