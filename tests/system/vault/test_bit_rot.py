"""Rot any stored file, and fsck names it and nothing else."""

import io
import random

import pytest

from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES
from plainview.vault.errors import KeyDamagedError, KeyStoreError
from plainview.vault.fsck import ExpectedObject, FindingKind, check_objects
from plainview.vault.keys import create_key_store, open_key_store
from plainview.vault.local import create_local_store
from plainview.vault.receive import receive

MIB = 1 << 20
SIZES = (1, 40, 2 * MIB + 5)


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vault")
    store = create_local_store(folder / "objects")
    keys = create_key_store(folder / "keys", recovery_public=bytes(32))
    expected = []
    for size in SIZES:
        got = receive(io.BytesIO(random.Random(size).randbytes(size)), store=store, keys=keys)
        root = got.chunks.root().hex()
        facts = (got.object_id, got.object_bytes, got.object_sha256, got.size_bytes, got.sha256, root)
        expected.append(ExpectedObject(*facts))
    keys.close()
    return folder, store, expected


def positions(size):
    """Every byte of a small file; of a large one its ends, the edges of its chunks, and every 60,001st byte."""
    if size <= 200:
        return range(size)
    edges = [HEADER_BYTES + number * SEALED_CHUNK_BYTES for number in range(3)]
    near = {edge + step for edge in edges for step in (-17, -16, -1, 0, 1)}
    return sorted(near | {0, HEADER_BYTES - 1, size - 1} | set(range(0, size, 60_001)))


def rot(path, position, bit):
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1 << bit]))


@pytest.mark.parametrize("which", range(len(SIZES)))
def test_rot_at_any_place_of_an_object_is_named_and_nothing_else_is(vault, which):
    folder, store, expected = vault
    keys, one = open_key_store(folder / "keys"), expected[which]
    path = store.root / one.object_id[:2] / one.object_id
    for count, position in enumerate(positions(one.object_bytes)):
        rot(path, position, position % 8)
        [scrubbed] = check_objects(store, None, expected)
        assert (scrubbed.kind, scrubbed.object_id) == (FindingKind.ALTERED, one.object_id)
        if count % 5 == 0:
            chunk = max(0, position - HEADER_BYTES) // SEALED_CHUNK_BYTES
            [checked] = check_objects(store, keys, expected)
            assert (checked.kind, checked.object_id) == (FindingKind.ALTERED, one.object_id)
            assert checked.chunks == (() if position < HEADER_BYTES else (chunk,))
        rot(path, position, position % 8)
    assert list(check_objects(store, keys, expected, deep=True)) == []
    keys.close()


def findings_with_keys(folder, store, expected):
    """Return what is named: the key store as a whole, or the objects whose keys are damaged or missing."""
    try:
        keys = open_key_store(folder / "keys")
    except KeyStoreError:
        return "key store"
    try:
        keys.check()
        found = [finding.object_id for finding in check_objects(store, keys, expected)]
        keys.object_keys()
    except KeyDamagedError as error:
        return [error.name]
    except KeyStoreError:
        return "key store"
    finally:
        keys.close()
    return found


def test_rot_in_the_master_key_is_named(vault):
    folder, store, expected = vault
    for position in range(64):
        rot(folder / "keys" / "master.key", position, position % 8)
        assert findings_with_keys(folder, store, expected) == "key store"
        rot(folder / "keys" / "master.key", position, position % 8)
    assert findings_with_keys(folder, store, expected) == []


def test_rot_in_any_wrapped_key_is_named_and_no_other_object_is(vault):
    folder, store, expected = vault
    path = folder / "keys" / "keys.sqlite"
    data = path.read_bytes()
    for one in expected:
        start = data.index(one.object_id.encode()) + 32
        for position in range(start, start + 40):
            rot(path, position, position % 8)
            assert set(findings_with_keys(folder, store, expected)) == {one.object_id}
            rot(path, position, position % 8)
    assert findings_with_keys(folder, store, expected) == []


def test_rot_anywhere_in_the_key_database_is_named_or_every_key_still_opens(vault):
    folder, store, expected = vault
    path = folder / "keys" / "keys.sqlite"
    data = path.read_bytes()
    whole = open_key_store(folder / "keys")
    keys = whole.object_keys()
    whole.close()
    used = [position for position, byte in enumerate(data) if byte]
    named = 0
    for position in random.Random(2).sample(used, 120):
        rot(path, position, 4)
        if findings_with_keys(folder, store, expected):
            named += 1
        else:
            still = open_key_store(folder / "keys")
            assert still.object_keys() == keys
            still.close()
        path.write_bytes(data)
        (folder / "keys" / "keys.sqlite-journal").unlink(missing_ok=True)
    assert named > 60


def test_a_check_that_trusts_sizes_would_pass_what_is_altered(vault):
    """The known-bad control: rot keeps every size, so this harness would catch a check that looks no further."""
    _folder, store, expected = vault
    one = expected[1]
    path = store.root / one.object_id[:2] / one.object_id
    rot(path, 50, 0)
    assert store.size(one.object_id) == one.object_bytes
    assert len(list(check_objects(store, None, expected))) == 1
    rot(path, 50, 0)
