import errno
import hashlib
import io
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES
from plainview.vault.crypt import ChunkCipher
from plainview.vault.errors import AlteredObjectError, KeyMissingError, ObjectMissingError, StoreFaultError
from plainview.vault.reader import CACHED_CHUNKS, open_object, open_sealed
from plainview.vault.receive import receive
from plainview.vault.reread import reread
from simulators.memory_store import MemoryKeys, MemoryStore

MIB = 1 << 20


def received(size_bytes, seed=1):
    store, keys = MemoryStore(), MemoryKeys()
    data = random.Random(seed).randbytes(size_bytes)
    facts = receive(io.BytesIO(data), store=store, keys=keys)
    return store, keys, facts.object_id, data


@pytest.fixture(scope="module")
def vault():
    """An object of 7 chunks, the last one short: more than the reader caches."""
    return received(6 * MIB + 1000)


@pytest.fixture
def altered(vault):
    """The same object, to be damaged; the reader's chunks are read afresh."""
    store, keys, object_id, data = vault
    copy = MemoryStore()
    copy.objects = dict(store.objects)
    return copy, keys, object_id, data


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_range_is_the_originals(vault, data):
    store, keys, object_id, original = vault
    reader = open_object(store, keys, object_id)
    for _ in range(data.draw(st.integers(1, 12))):
        near = data.draw(st.integers(0, 7)) * MIB + data.draw(st.integers(-3, 3))
        offset = data.draw(st.sampled_from([max(0, near), data.draw(st.integers(0, len(original) + 10))]))
        length = data.draw(st.sampled_from([0, 1, 7, MIB - 1, MIB, MIB + 1, 3 * MIB]))
        assert reader.seek(offset) == offset
        assert reader.read(length) == original[offset : offset + length]
        assert reader.tell() == offset + len(original[offset : offset + length])


def test_the_whole_is_the_original(vault):
    store, keys, object_id, original = vault
    with io.BufferedReader(open_object(store, keys, object_id)) as reader:
        assert reader.read() == original


def test_seeking_is_that_of_a_file(vault):
    store, keys, object_id, original = vault
    reader = open_object(store, keys, object_id)
    plain = io.BytesIO(original)
    assert (reader.readable(), reader.seekable(), reader.writable()) == (True, True, False)
    for offset, whence in ((5, os.SEEK_SET), (7, os.SEEK_CUR), (-3, os.SEEK_END), (10, os.SEEK_END)):
        assert reader.seek(offset, whence) == plain.seek(offset, whence)
        assert reader.read(9) == plain.read(9)
    with pytest.raises(ValueError, match="seek"):
        reader.seek(-1)
    with pytest.raises(ValueError, match="seek"):
        reader.seek(0, 9)


def test_a_closed_reader_gives_nothing(vault):
    store, keys, object_id, _ = vault
    reader = open_object(store, keys, object_id)
    reader.close()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.readinto(bytearray(1))
    with pytest.raises(ValueError, match="closed"):
        reader.seek(0)


def test_neighbouring_reads_decrypt_a_chunk_once(vault):
    store, keys, object_id, _ = vault
    reads = []
    original = store.read_range_into
    store.read_range_into = lambda name, offset, buffer: (
        reads.append(offset) or original(name, offset, buffer)
    )
    try:
        reader = open_object(store, keys, object_id)
        for _ in range(3):
            for chunk in range(CACHED_CHUNKS):
                reader.seek(chunk * MIB)
                reader.read(100)
    finally:
        del store.read_range_into
    assert len(reads) == 2 + CACHED_CHUNKS


@pytest.mark.parametrize("chunk", range(7))
def test_an_altered_chunk_is_named_and_the_others_still_read(altered, chunk):
    store, keys, object_id, original = altered
    damaged = bytearray(store.objects[object_id])
    damaged[HEADER_BYTES + chunk * SEALED_CHUNK_BYTES + 77] ^= 4
    store.objects[object_id] = bytes(damaged)
    if chunk == 6:
        with pytest.raises(AlteredObjectError) as caught:
            open_object(store, keys, object_id)
    else:
        reader = open_object(store, keys, object_id)
        reader.seek(chunk * MIB)
        buffer = bytearray(50)
        with pytest.raises(AlteredObjectError) as caught:
            reader.readinto(buffer)
        assert buffer == bytes(50)
        assert reader.tell() == chunk * MIB
        for other in range(7):
            if other != chunk:
                reader.seek(other * MIB)
                assert reader.read(50) == original[other * MIB :][:50]
    assert caught.value.chunk == chunk


@pytest.mark.parametrize(
    "change", ["cut a byte", "cut a chunk", "add a byte", "add a chunk", "header", "empty"]
)
def test_a_cut_or_longer_object_is_refused_at_open(altered, change):
    store, keys, object_id, _ = altered
    data = store.objects[object_id]
    store.objects[object_id] = {
        "cut a byte": data[:-1],
        "cut a chunk": data[: HEADER_BYTES + 6 * SEALED_CHUNK_BYTES],
        "add a byte": data + b"\0",
        "add a chunk": data[:-1016] + data[HEADER_BYTES : HEADER_BYTES + SEALED_CHUNK_BYTES] + data[-1016:],
        "header": b"X" + data[1:],
        "empty": b"",
    }[change]
    with pytest.raises(AlteredObjectError) as caught:
        open_object(store, keys, object_id)
    assert caught.value.object_id == object_id


def test_another_objects_bytes_under_this_name_are_refused(altered):
    store, keys, object_id, _ = altered
    other = receive(io.BytesIO(b"other"), store=store, keys=keys)
    store.objects[object_id] = store.objects[other.object_id]
    with pytest.raises(AlteredObjectError, match=other.object_id):
        open_object(store, keys, object_id)


def test_an_object_that_shrinks_while_read_is_refused(altered):
    store, keys, object_id, _ = altered
    reader = open_object(store, keys, object_id)
    store.objects[object_id] = store.objects[object_id][:1000]
    with pytest.raises(AlteredObjectError, match="got"):
        reader.read(10)


def test_a_missing_object_and_a_missing_key_are_told_apart(altered):
    store, keys, object_id, _ = altered
    with pytest.raises(KeyMissingError):
        open_object(store, MemoryKeys(), object_id)
    del store.objects[object_id]
    with pytest.raises(ObjectMissingError):
        open_object(store, keys, object_id)


@pytest.fixture
def sealed_file(altered, tmp_path):
    store, keys, object_id, original = altered
    path = tmp_path / "sealed"
    path.write_bytes(store.objects[object_id])
    return path, keys.object_key(object_id), object_id, original


def test_a_descriptor_and_a_key_are_enough(sealed_file):
    path, key, object_id, original = sealed_file
    fd = os.open(path, os.O_RDONLY)
    with open_sealed(fd, key) as reader:
        assert (reader.object_id, reader.size_bytes) == (object_id, len(original))
        reader.seek(MIB - 5)
        assert reader.read(10) == original[MIB - 5 : MIB + 5]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def test_a_refused_descriptor_is_closed_too(sealed_file):
    fd = os.open(sealed_file[0], os.O_RDONLY)
    with pytest.raises(AlteredObjectError):
        open_sealed(fd, bytes(32))
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def test_a_descriptor_of_something_else_is_refused(tmp_path):
    (tmp_path / "plain").write_bytes(b"\0" * 100)
    with pytest.raises(AlteredObjectError, match="unreadable header"):
        open_sealed(os.open(tmp_path / "plain", os.O_RDONLY), bytes(32))


def test_a_fault_of_the_disk_is_named(sealed_file, monkeypatch):
    path, key, object_id, _ = sealed_file
    reader = open_sealed(os.open(path, os.O_RDONLY), key)

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(StoreFaultError) as caught:
        reader.read(1)
    assert (caught.value.name, caught.value.errno) == (object_id, errno.EIO)
    reader.close()


def test_an_empty_object_as_the_format_allows_it_reads_as_nothing():
    """receive() makes none; the format has one chunk of no bytes for it."""
    store, keys, name = MemoryStore(), MemoryKeys(), "ab" * 16
    cipher, sealed = ChunkCipher(name, bytes(32)), bytearray(16)
    cipher.seal_into(0, b"", memoryview(sealed), is_last=True)
    store.objects[name], keys.keys[name] = cipher.header + bytes(sealed), bytes(32)
    assert open_object(store, keys, name).read() == b""
    got = reread(store, name, bytes(32))
    assert (got.size_bytes, got.chunks.hashes, got.sha256) == (0, (), hashlib.sha256(b"").hexdigest())
