"""The keys that cameras know: made once, found by themselves, and in every escrow."""

import pytest

from plainview.formats.note import format_vkey, parse_vkey
from plainview.vault.errors import KeyMissingError
from plainview.vault.escrow import new_recovery_key, open_escrow, seal_escrow
from plainview.vault.fsck import FindingKind, check_objects, collect_unused_keys
from plainview.vault.intake_keys import (
    department_key,
    intake_private,
    intake_public,
    is_kept_for_cameras,
    rotate_intake_key,
    sign_as_department,
)
from plainview.vault.keys import KeyStore, create_key_store
from plainview.vault.local import create_local_store
from plainview.verify.note import open_note
from simulators.custody_rows import START

RECOVERY = new_recovery_key()
STRAY = "ab" * 16


@pytest.fixture
def keys(tmp_path):
    made = create_key_store(tmp_path / "keys", recovery_public=RECOVERY.public)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path):
    return create_local_store(tmp_path / "objects")


def test_the_key_is_made_once_and_is_the_same_for_everybody(keys):
    first = intake_public(keys)
    other = KeyStore(keys.folder)
    try:
        assert intake_public(keys) == intake_public(other) == first
    finally:
        other.close()
    assert intake_private(keys, first).public_key().public_bytes_raw() == first


def test_a_key_that_was_never_ours_is_not_there(keys):
    intake_public(keys)
    with pytest.raises(KeyMissingError):
        intake_private(keys, bytes(32))


def test_rotating_leaves_the_older_keys_opening(keys):
    first = intake_public(keys)
    second = rotate_intake_key(keys)
    third = rotate_intake_key(keys)
    assert len({first, second, third}) == 3
    assert intake_public(keys) == third
    for public in (first, second, third):
        assert intake_private(keys, public).public_key().public_bytes_raw() == public


def test_of_two_who_make_one_at_once_both_use_the_same(keys, monkeypatch):
    put, theirs = keys.put_secret, bytes([7]) * 32

    def late(name, data):
        put(name, theirs)
        put(name, data)

    monkeypatch.setattr(keys, "put_secret", late)
    assert intake_public(keys) == theirs


def test_tidying_up_spares_them_and_nothing_else(keys, store):
    intake_public(keys)
    department_key(keys, "example.org")
    keys.put_object_key(STRAY, bytes(32))
    strays = [found for found in check_objects(store, keys, []) if found.kind is FindingKind.UNUSED_KEY]
    assert [found.object_id for found in strays] == [STRAY]
    assert collect_unused_keys(store, keys, ()) == [STRAY]
    assert len(list(keys.object_ids())) == 2
    assert all(is_kept_for_cameras(keys, object_id) for object_id in keys.object_ids())


def test_a_damaged_key_is_not_taken_for_one_of_them(keys, store):
    intake_public(keys)
    [object_id] = keys.object_ids()
    keys._database.execute("UPDATE object_keys SET wrapped = zeroblob(40)")
    assert collect_unused_keys(store, keys, ()) == [object_id]


def test_a_restore_from_the_escrow_uses_the_same_keys(keys, tmp_path):
    public, department = intake_public(keys), department_key(keys, "example.org")
    restored = create_key_store(tmp_path / "restored", recovery_public=RECOVERY.public)
    try:
        restored.put_object_keys({STRAY: bytes(32)} | open_escrow(seal_escrow(keys, now=START), RECOVERY))
        assert restored.secret_names("") == []
        assert intake_public(restored) == public
        assert department_key(restored, "example.org") == department
        assert rotate_intake_key(restored) != public
    finally:
        restored.close()


def test_the_department_signs_under_its_name(keys):
    note = sign_as_department(keys, "example.org", "orders\n")
    key = department_key(keys, "example.org")
    assert key.name == "example.org/department"
    opened, signers = open_note(note, [parse_vkey(format_vkey(key))])
    assert (opened.text, signers) == ("orders\n", (key,))
