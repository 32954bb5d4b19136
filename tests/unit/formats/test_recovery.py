from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hpke

from plainview.formats.errors import FormatError
from plainview.formats.recovery import (
    BackupFacts,
    KeyEscrow,
    RecoveryKey,
    format_backup_facts,
    format_escrow,
    format_escrowed_keys,
    format_recovery_key,
    parse_backup_facts,
    parse_escrow,
    parse_escrowed_keys,
    parse_recovery_key,
)
from vectors.make_format_examples import (
    ESCROW_INFO,
    OBJECT_ID,
    OBJECT_KEY,
    RECOVERY_SIGNER,
    example_files,
    key_escrow,
    recovery_key,
)

FILES = example_files()
KEY_FILE = FILES["recovery-key.json"]
BACKUP = parse_backup_facts(FILES["backup.json"])


def test_a_recovery_key_reads_back_as_it_was_written() -> None:
    assert parse_recovery_key(format_recovery_key(recovery_key())) == recovery_key()


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_what_an_editor_does_to_the_last_newline_is_forgiven(end: bytes) -> None:
    assert parse_recovery_key(KEY_FILE.rstrip() + end) == recovery_key()


def test_a_recovery_key_is_read_whatever_its_note_says() -> None:
    noted = KEY_FILE.replace(b"Keep this off the machine", b"In the safe of the county clerk")
    assert parse_recovery_key(noted) == recovery_key()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        KEY_FILE[:-5],
        b" " + KEY_FILE,
        KEY_FILE.replace(b'"key":"40', b'"key":"4'),
        KEY_FILE.replace(b'"key":"40', b'"key":"4g'),
        KEY_FILE.replace(b'"public":"79', b'"public":"7'),
        KEY_FILE.replace(b"plainview-recovery-key", b"plainview-key-escrow"),
        KEY_FILE.replace(KEY_FILE[KEY_FILE.index(b'"Keep') : KEY_FILE.index(b',"public')], b"null"),
        KEY_FILE.ljust(5000, b"x"),
    ],
)
def test_a_recovery_key_cut_short_or_with_a_digit_lost_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="recovery key"):
        parse_recovery_key(data)


@pytest.mark.parametrize("key", [RecoveryKey(bytes(31), bytes(32)), RecoveryKey(bytes(32), bytes(33))])
def test_half_a_key_is_not_written(key: RecoveryKey) -> None:
    with pytest.raises(FormatError, match="two halves of 32 bytes"):
        format_recovery_key(key)


def test_an_escrow_reads_back_as_it_was_written() -> None:
    assert parse_escrow(format_escrow(key_escrow())) == key_escrow()


def test_the_example_escrow_opens_with_the_recovery_key_by_another_hand() -> None:
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    opened = suite.decrypt(parse_escrow(FILES["key-escrow.json"]).sealed, RECOVERY_SIGNER, ESCROW_INFO)
    assert parse_escrowed_keys(opened) == {OBJECT_ID.hex(): OBJECT_KEY}


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"public":"79', b'"public":"7'), (b'"sealed":"Z', b'"sealed":"'), (b"2026-03-15", b"2026-02-30")],
)
def test_a_malformed_escrow_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(FormatError, match="key escrow"):
        parse_escrow(FILES["key-escrow.json"].replace(old, new))


def test_an_escrow_to_no_key_is_not_written() -> None:
    escrow: KeyEscrow = replace(key_escrow(), public=b"")
    with pytest.raises(FormatError, match="a public key of 32 bytes, got 0"):
        format_escrow(escrow)


def test_escrowed_keys_read_back_as_they_were_written() -> None:
    keys = {"ab" * 16: bytes(32), "00" * 16: bytes(range(32))}
    assert parse_escrowed_keys(format_escrowed_keys(keys)) == keys
    assert parse_escrowed_keys(format_escrowed_keys({})) == {}


@pytest.mark.parametrize("keys", [{"AB" * 16: bytes(32)}, {"ab": bytes(32)}, {"ab" * 16: bytes(31)}])
def test_a_key_that_could_not_be_read_on_the_day_is_not_sealed(keys: dict[str, bytes]) -> None:
    with pytest.raises(FormatError, match="escrowed keys"):
        format_escrowed_keys(keys)


@pytest.mark.parametrize(
    "data", [b"[]", b'{"ab":"00"}', b'{"' + b"ab" * 16 + b'":"00"}', b'{"' + b"ab" * 16 + b'":1}']
)
def test_malformed_escrowed_keys_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="escrowed keys"):
        parse_escrowed_keys(data)


def test_backup_facts_read_back_as_they_were_written() -> None:
    assert parse_backup_facts(format_backup_facts(BACKUP)) == BACKUP


@pytest.mark.parametrize(
    "facts",
    [
        replace(BACKUP, origin="two words"),
        replace(BACKUP, log_size=-1),
        replace(BACKUP, root=bytes(31)),
        replace(BACKUP, tool="a\nb"),
    ],
)
def test_backup_facts_that_would_not_be_read_are_not_written(facts: BackupFacts) -> None:
    with pytest.raises(FormatError, match=r"backup\.json"):
        format_backup_facts(facts)
