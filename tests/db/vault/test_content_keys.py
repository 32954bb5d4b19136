"""Keys to which connected systems encrypt, and reading what they encrypted."""

import base64
import io
import json
import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from plainview.vault import content_keys
from plainview.vault.content_keys import (
    ContentReader,
    make_content_key,
    open_content_key,
    parse_key_file,
    unwrap_key,
)
from plainview.vault.errors import ContentKeyError, KeyMissingError
from plainview.vault.keys import create_key_store, new_recovery_key, open_escrow, seal_escrow
from simulators.axis_system import OAEP_SHA1, Sent, encrypted
from simulators.custody_rows import START

PLAIN = bytes(range(256)) * 5000 + b"and a tail"


@pytest.fixture(autouse=True)
def _short_keys(monkeypatch):
    monkeypatch.setattr(content_keys, "RSA_BITS", 1024)


@pytest.fixture
def keys(tmp_path):
    store = create_key_store(tmp_path / "keys", recovery_public=new_recovery_key().public)
    yield store
    store.close()


def sent_with(key, data=PLAIN):
    """Return encrypted bytes and their key file, as a system sends them."""
    locked, file = encrypted(Sent("clip.mp4", data), {"PublicKeyId": "k"}, public_pem=key.public_pem.encode())
    return locked.data, file.data


def read(data, key, iv):
    reader = ContentReader(io.BytesIO(data), key=key, iv=iv)
    return io.BufferedReader(reader).read()


def test_what_a_system_encrypted_is_read_with_the_key_that_came_along(keys):
    made = make_content_key(keys)
    data, file = sent_with(made)
    said = parse_key_file(file)
    assert said.key_id == "k"
    assert read(data, unwrap_key(open_content_key(keys, made), said), said.iv) == PLAIN


def test_a_key_opens_again_on_another_machine_with_what_a_backup_and_the_escrow_hold(keys, tmp_path):
    recovery = new_recovery_key()
    lost = create_key_store(tmp_path / "lost", recovery_public=recovery.public)
    made = make_content_key(lost)
    escrow = seal_escrow(lost, now=START)
    lost.close()
    keys.put_object_keys(open_escrow(escrow, recovery))
    again = open_content_key(keys, made)
    public = again.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode() == made.public_pem


def test_a_key_of_another_vault_does_not_open(keys, tmp_path):
    other = create_key_store(tmp_path / "other", recovery_public=bytes(32))
    made = make_content_key(other)
    other.close()
    with pytest.raises(KeyMissingError):
        open_content_key(keys, made)


@pytest.mark.parametrize("sealed", ["AAAA", "not base64"])
def test_a_damaged_key_says_so(keys, sealed):
    made = make_content_key(keys)
    with pytest.raises(ContentKeyError, match="damaged"):
        open_content_key(keys, replace(made, sealed=sealed))


def test_a_key_wrapped_with_another_key_does_not_open(keys):
    _, file = sent_with(make_content_key(keys))
    with pytest.raises(ContentKeyError, match="another content key"):
        unwrap_key(open_content_key(keys, make_content_key(keys)), parse_key_file(file))


def test_a_wrapped_key_of_another_length_is_refused(keys):
    private = open_content_key(keys, make_content_key(keys))
    said = content_keys.KeyFile(private.public_key().encrypt(bytes(16), OAEP_SHA1), bytes(16), "")
    with pytest.raises(ContentKeyError, match="16 bytes, expected 32"):
        unwrap_key(private, said)


GOOD = {
    "EncryptedKey": base64.b64encode(b"k").decode(),
    "ContentEncryptionIV": base64.b64encode(bytes(16)).decode(),
}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 60_000,
        json.dumps(GOOD | {"EncryptedKey": 7}).encode(),
        json.dumps(GOOD | {"EncryptedKey": "not base64!"}).encode(),
        json.dumps(GOOD | {"ContentEncryptionIV": "AAAA"}).encode(),
        b" " * 65_537,
    ],
)
def test_a_key_file_that_does_not_say_what_is_needed_is_refused(data):
    with pytest.raises(ContentKeyError):
        parse_key_file(data)


def test_a_key_file_need_not_name_its_key():
    assert parse_key_file(json.dumps(GOOD).encode()).key_id == ""


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:-1], lambda d: d[:-16], lambda d: d + bytes(16), lambda _: b""]
)
def test_bytes_that_do_not_end_as_encrypted_ones_do_are_refused(spoil):
    key, iv = os.urandom(32), bytes(16)
    good = encrypted_with(key, iv)
    assert read(good, key, iv) == PLAIN
    with pytest.raises(ContentKeyError, match="does not end"):
        read(spoil(good), key, iv)


def encrypted_with(key, iv):
    padder = content_keys.PKCS7(128).padder()
    encryptor = content_keys.Cipher(content_keys.algorithms.AES(key), content_keys.modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(PLAIN) + padder.finalize()) + encryptor.finalize()


def test_a_reader_says_that_it_can_be_read():
    assert ContentReader(io.BytesIO(), key=bytes(32), iv=bytes(16)).readable()
