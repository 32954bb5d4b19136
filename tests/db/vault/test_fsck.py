import io
import random
import threading
from pathlib import Path

import pytest

from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES
from plainview.vault.errors import AlteredObjectError, KeyDamagedError, KeyMissingError, StoreFaultError
from plainview.vault.fsck import (
    ExpectedObject,
    FindingKind,
    ObjectFinding,
    check_objects,
    collect_unused_keys,
    describe_object,
    find_orphans,
)
from plainview.vault.receive import receive
from simulators.memory_store import MemoryKeys, MemoryStore

MIB = 1 << 20


def expect(got):
    return ExpectedObject(
        object_id=got.object_id,
        object_bytes=got.object_bytes,
        object_sha256=got.object_sha256,
        size_bytes=got.size_bytes,
        sha256=got.sha256,
        chunk_root=got.chunks.root().hex(),
    )


@pytest.fixture(scope="module")
def golden():
    store, keys = MemoryStore(), MemoryKeys()
    sizes = [5 * MIB + 3, *range(1, 12)]
    got = [receive(io.BytesIO(random.Random(size).randbytes(size)), store=store, keys=keys) for size in sizes]
    return store, keys, got


@pytest.fixture
def vault(golden):
    store, keys = MemoryStore(), MemoryKeys()
    store.objects, keys.keys = dict(golden[0].objects), dict(golden[1].keys)
    return store, keys, [expect(got) for got in golden[2]]


def kinds(findings):
    return [(finding.kind, finding.object_id) for finding in findings]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("with_keys", [False, True])
def test_nothing_is_found_in_a_whole_vault(vault, deep, with_keys):
    store, keys, expected = vault
    seen = []
    found = check_objects(store, keys if with_keys else None, expected, deep=deep, on_progress=seen.append)
    assert list(found) == []
    assert seen == sorted(seen)
    assert seen[-1] >= sum(one.object_bytes for one in expected) - len(expected) * HEADER_BYTES


def flip(store, object_id, position):
    data = bytearray(store.objects[object_id])
    data[position] ^= 1
    store.objects[object_id] = bytes(data)


@pytest.mark.parametrize("deep", [False, True])
def test_altered_chunks_are_named_with_keys_and_the_object_without(vault, deep):
    store, keys, expected = vault
    big = expected[0].object_id
    for chunk in (1, 5):
        flip(store, big, HEADER_BYTES + chunk * SEALED_CHUNK_BYTES)
    [finding] = check_objects(store, keys, expected, deep=deep)
    assert (finding.kind, finding.object_id, finding.chunks) == (FindingKind.ALTERED, big, (1, 5))
    assert finding.expected == expected[0].object_sha256
    [finding] = check_objects(store, None, expected)
    assert (finding.kind, finding.object_id, finding.chunks) == (FindingKind.ALTERED, big, ())


@pytest.mark.parametrize("deep", [False, True])
def test_an_altered_header_is_an_alteration_of_no_chunk(vault, deep):
    store, keys, expected = vault
    flip(store, expected[3].object_id, 2)
    found = list(check_objects(store, keys, expected, deep=deep))
    assert kinds(found) == [(FindingKind.ALTERED, expected[3].object_id)]
    assert found[0].chunks == ()


@pytest.mark.parametrize("deep", [False, True])
def test_missing_cut_and_stray_objects_and_keys_are_each_named_and_nothing_else(vault, deep):
    store, keys, expected = vault
    ids = [one.object_id for one in expected]
    del store.objects[ids[0]]
    store.objects[ids[1]] = store.objects[ids[1]][:-1]
    del keys.keys[ids[2]]
    stray, stray_key = "00" * 16, "01" * 16
    store.objects[stray] = b"stray"
    keys.keys[stray] = keys.keys[stray_key] = bytes(32)
    assert kinds(check_objects(store, keys, iter(expected), deep=deep)) == [
        (FindingKind.MISSING, ids[0]),
        (FindingKind.WRONG_SIZE, ids[1]),
        (FindingKind.KEY_MISSING, ids[2]),
        (FindingKind.UNLISTED, stray),
        (FindingKind.UNUSED_KEY, stray_key),
    ]
    assert kinds(check_objects(store, None, expected)) == [
        (FindingKind.MISSING, ids[0]),
        (FindingKind.WRONG_SIZE, ids[1]),
        (FindingKind.UNLISTED, stray),
    ]


def test_a_damaged_key_and_an_unreadable_object_do_not_stop_the_rest(vault):
    store, keys, expected = vault
    damaged, unreadable, altered = (one.object_id for one in expected[1:4])
    find, read = keys.object_key, store.read_range_into

    def object_key(object_id):
        if object_id == damaged:
            raise KeyDamagedError(Path("keys"), object_id)
        return find(object_id)

    def read_range_into(name, offset, buffer):
        if name == unreadable:
            raise StoreFaultError("reading", name, "Input/output error", 5)
        return read(name, offset, buffer)

    keys.object_key, store.read_range_into = object_key, read_range_into
    flip(store, altered, 40)
    assert kinds(check_objects(store, keys, expected)) == [
        (FindingKind.KEY_DAMAGED, damaged),
        (FindingKind.UNREADABLE, unreadable),
        (FindingKind.ALTERED, altered),
    ]


def test_another_objects_key_is_found_only_by_decrypting(vault):
    store, keys, expected = vault
    first, second = expected[1].object_id, expected[2].object_id
    keys.keys[first], keys.keys[second] = keys.keys[second], keys.keys[first]
    assert list(check_objects(store, keys, expected)) == []
    assert kinds(check_objects(store, keys, expected, deep=True)) == [
        (FindingKind.CONTENT_DIFFERS, first),
        (FindingKind.CONTENT_DIFFERS, second),
    ]


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("sha256", FindingKind.CONTENT_DIFFERS),
        ("chunk_root", FindingKind.CONTENT_DIFFERS),
        ("object_sha256", FindingKind.ALTERED),
    ],
)
def test_digests_of_another_original_are_found_by_decrypting(vault, field, kind):
    store, keys, expected = vault
    facts = vars(expected[4]) | {field: "00" * 32}
    [finding] = check_objects(store, keys, [*expected[:4], ExpectedObject(**facts), *expected[5:]], deep=True)
    assert finding == ObjectFinding(kind, facts["object_id"], "00" * 32, getattr(expected[4], field))


def test_sizes_that_contradict_each_other_locate_no_chunk(vault):
    store, keys, expected = vault
    facts = vars(expected[4]) | {"object_sha256": "00" * 32, "size_bytes": 9 * MIB}
    [finding] = check_objects(store, keys, [*expected[:4], ExpectedObject(**facts), *expected[5:]])
    assert (finding.kind, finding.chunks) == (FindingKind.ALTERED, ())


def test_stopping_early_leaves_no_thread(vault):
    store, keys, expected = vault
    store.objects.clear()
    before = threading.active_count()
    found = check_objects(store, keys, expected)
    assert next(found).kind is FindingKind.MISSING
    found.close()
    assert threading.active_count() == before


def test_an_orphan_is_described_as_it_was_received(golden):
    store, keys, got = golden
    known = {one.object_id for one in got[1:]}
    assert list(find_orphans(store, known)) == [got[0].object_id]
    assert describe_object(store, keys, got[0].object_id) == got[0]


def test_an_orphan_without_a_key_or_altered_is_not_described(vault):
    store, keys, expected = vault
    flip(store, expected[0].object_id, -1)
    with pytest.raises(AlteredObjectError):
        describe_object(store, keys, expected[0].object_id)
    with pytest.raises(KeyMissingError):
        describe_object(store, MemoryKeys(), expected[1].object_id)


def test_only_keys_of_nothing_are_collected(vault):
    store, keys, expected = vault
    listed_but_missing, orphan = expected[0].object_id, expected[1].object_id
    del store.objects[listed_but_missing]
    keys.keys["00" * 16] = bytes(32)
    known = {one.object_id for one in expected} - {orphan}
    assert collect_unused_keys(store, keys, known) == ["00" * 16]
    assert set(keys.keys) == {one.object_id for one in expected}
