import hashlib
import io
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.chunks import ChunkList
from plainview.formats.object_header import HEADER_BYTES, SEALED_CHUNK_BYTES, parse_object_header
from plainview.vault.errors import (
    AlteredObjectError,
    EmptyOriginalError,
    KeyExistsError,
    KeyStoreFaultError,
    ObjectExistsError,
    ReadBackError,
    SourceReadError,
    StoreFullError,
)
from plainview.vault.fsck import describe_object
from plainview.vault.reader import open_object
from plainview.vault.receive import receive
from simulators.memory_store import MemoryKeys, MemoryStore, MemoryWriter

MIB = 1 << 20
# Around a chunk, around a batch of two, and more than all the batches in flight.
SIZES = [1, 2, MIB - 1, MIB, MIB + 1, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 3 * MIB, 17 * MIB + 1]


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def keys():
    return MemoryKeys()


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def randbytes(size_bytes):
    return random.Random(size_bytes).randbytes(size_bytes)


def nothing_is_kept(store, keys):
    return not store.objects and not store.unfinished and not keys.keys


def naive_digests(data):
    """Both digests as the format's text tells them, over bytes in memory."""
    hashes = [hashlib.sha256(b"\0" + data[at : at + MIB]).digest() for at in range(0, len(data), MIB)]
    return hashlib.sha256(data).hexdigest(), ChunkList(len(data), tuple(hashes))


@pytest.mark.parametrize("size_bytes", SIZES)
def test_what_is_received_is_what_is_read_and_both_digests_are_right(store, keys, size_bytes):
    data = randbytes(size_bytes)
    got = receive(io.BytesIO(data), store=store, keys=keys)
    sealed = store.objects[got.object_id]
    assert (got.sha256, got.chunks) == naive_digests(data)
    assert (got.size_bytes, got.object_bytes) == (size_bytes, len(sealed))
    assert got.object_sha256 == hashlib.sha256(sealed).hexdigest()
    assert parse_object_header(sealed[:HEADER_BYTES]).object_id.hex() == got.object_id
    assert open_object(store, keys, got.object_id).read() == data
    assert describe_object(store, keys, got.object_id) == got


class DrippingStream(io.RawIOBase):
    """A stream that gives what it has in pieces of any size."""

    def __init__(self, data, pieces):
        self._data, self._pieces = memoryview(data), pieces

    def readable(self):
        return True

    def readinto(self, buffer):
        length = min(len(buffer), self._pieces.pop() if self._pieces else len(buffer), len(self._data))
        buffer[:length] = self._data[:length]
        self._data = self._data[length:]
        return length


@given(
    extra=st.integers(-2, 2), chunks=st.integers(1, 5), pieces=st.lists(st.integers(1, 3 * MIB), max_size=20)
)
@settings(max_examples=12, deadline=None)
def test_any_size_near_a_boundary_in_any_pieces_round_trips(extra, chunks, pieces):
    store, keys, data = MemoryStore(), MemoryKeys(), randbytes(chunks * MIB + extra)
    got = receive(DrippingStream(data, pieces), store=store, keys=keys)
    assert (got.sha256, got.chunks) == naive_digests(data)
    assert open_object(store, keys, got.object_id).read() == data


@pytest.fixture(scope="module")
def received():
    store, keys = MemoryStore(), MemoryKeys()
    got = receive(io.BytesIO(randbytes(3 * MIB + 5)), store=store, keys=keys)
    other = receive(io.BytesIO(randbytes(3 * MIB + 7)), store=store, keys=keys)
    return store, keys, got, other


def chunks_of(sealed):
    body = sealed[HEADER_BYTES:]
    return [body[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(body), SEALED_CHUNK_BYTES)]


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_change_to_the_ciphertext_is_refused(received, data):
    store, keys, got, other = received
    sealed, chunks = store.objects[got.object_id], chunks_of(store.objects[got.object_id])
    foreign = chunks_of(store.objects[other.object_id])
    first, second = data.draw(st.permutations(range(3)))[:2]
    header = sealed[:HEADER_BYTES]
    change = data.draw(st.sampled_from(["bit", "swap", "drop", "double", "foreign", "cut", "replace"]))
    if change == "bit":
        position = data.draw(st.integers(0, 8 * len(sealed) - 1))
        altered = bytearray(sealed)
        altered[position // 8] ^= 1 << position % 8
        header, chunks = bytes(altered[:HEADER_BYTES]), chunks_of(bytes(altered))
    elif change == "swap":
        chunks[first], chunks[second] = chunks[second], chunks[first]
    elif change == "drop":
        del chunks[data.draw(st.integers(0, 3))]
    elif change == "double":
        chunks.insert(first, chunks[first])
    elif change == "foreign":
        chunks[first] = foreign[first]
    elif change == "cut":
        chunks[-1] = chunks[-1][: data.draw(st.integers(0, len(chunks[-1]) - 1))]
    else:
        header, chunks = store.objects[other.object_id][:HEADER_BYTES], foreign
    tampered = MemoryStore()
    tampered.objects[got.object_id] = header + b"".join(chunks)
    with pytest.raises(AlteredObjectError):
        describe_object(tampered, keys, got.object_id)
    with pytest.raises(AlteredObjectError):
        open_object(tampered, keys, got.object_id).read()


def test_every_receive_has_a_name_and_a_key_of_its_own(store, keys):
    got = [receive(io.BytesIO(b"same"), store=store, keys=keys) for _ in range(3)]
    assert len({one.object_id for one in got}) == len(set(keys.keys.values())) == 3
    assert len({one.object_sha256 for one in got}) == 3
    assert {one.sha256 for one in got} == {hashlib.sha256(b"same").hexdigest()}


def test_an_empty_original_is_refused(store, keys):
    with pytest.raises(EmptyOriginalError):
        receive(io.BytesIO(b""), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


class FailingStream(io.RawIOBase):
    def __init__(self, size_bytes, error):
        self._left, self._error = size_bytes, error

    def readinto(self, buffer):
        if not self._left:
            if self._error is None:
                return None
            raise self._error
        length = min(self._left, len(buffer))
        self._left -= length
        return length


@pytest.mark.parametrize("size_bytes", [0, 1, 4 * MIB, 30 * MIB])
def test_a_source_that_fails_is_not_an_original(store, keys, size_bytes):
    with pytest.raises(SourceReadError) as caught:
        receive(FailingStream(size_bytes, OSError(5, "Input/output error")), store=store, keys=keys)
    assert caught.value.size_bytes == size_bytes
    assert nothing_is_kept(store, keys)


def test_a_source_that_has_no_bytes_ready_is_not_at_its_end(store, keys):
    with pytest.raises(SourceReadError, match="blocking"):
        receive(FailingStream(100, None), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("upload aborted"), KeyboardInterrupt()])
def test_whatever_stops_the_source_passes_through(store, keys, error):
    with pytest.raises(type(error)):
        receive(FailingStream(9 * MIB, error), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


class OnlyRead:
    """A stream with read() and nothing else, as web frameworks give."""

    def __init__(self, data):
        self._stream = io.BytesIO(data)

    def read(self, length):
        return self._stream.read(min(length, 700_000)) if self._stream else None


def test_a_stream_with_read_alone_is_enough(store, keys):
    data = randbytes(2 * MIB + 1)
    assert receive(OnlyRead(data), store=store, keys=keys).sha256 == hashlib.sha256(data).hexdigest()
    empty = OnlyRead(b"")
    empty._stream = None
    with pytest.raises(SourceReadError):
        receive(empty, store=store, keys=keys)


def test_progress_counts_up_to_the_size(store, keys):
    seen = []
    receive(io.BytesIO(bytes(10 * MIB)), store=store, keys=keys, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 10 * MIB


def test_stopping_from_the_progress_call_leaves_nothing(store, keys):
    def stop(size_bytes):
        if size_bytes > 5 * MIB:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        receive(io.BytesIO(bytes(10 * MIB)), store=store, keys=keys, on_progress=stop)
    assert nothing_is_kept(store, keys)


class TrickyStore(MemoryStore):
    """A store that does one thing badly."""

    def __init__(self, **tricks):
        super().__init__()
        self.tricks = tricks

    def create(self, name):
        super().create(name)
        return TrickyWriter(self, name)


class TrickyWriter(MemoryWriter):
    def write(self, data):
        if len(self._data) > self._store.tricks.get("full_after", 1 << 40):
            raise StoreFullError("writing", self._name, "no space")
        if self._store.tricks.get("error") and self._data:
            raise self._store.tricks["error"]
        super().write(data)

    def commit(self):
        self._store.tricks.get("before", lambda name: None)(self._name)
        super().commit()
        self._store.objects[self._name] = self._store.tricks.get("alter", lambda data: data)(
            bytes(self._data)
        )
        self._store.tricks.get("after", lambda name: None)(self._name)


@pytest.mark.parametrize("full_after", [0, 50, 3 * MIB, 20 * MIB])
def test_a_full_store_leaves_nothing(keys, full_after):
    store = TrickyStore(full_after=full_after)
    with pytest.raises(StoreFullError):
        receive(io.BytesIO(bytes(30 * MIB)), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_memory_that_runs_out_in_a_thread_reaches_the_caller(keys):
    store = TrickyStore(error=MemoryError())
    with pytest.raises(MemoryError):
        receive(io.BytesIO(bytes(30 * MIB)), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_encryption_that_fails_in_a_thread_reaches_the_caller(store, keys, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("plainview.vault.crypt.ChunkCipher.seal_into", fail)
    with pytest.raises(MemoryError):
        receive(io.BytesIO(bytes(30 * MIB)), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_the_key_is_kept_before_the_object_is_visible(keys):
    seen = []
    store = TrickyStore(before=lambda name: seen.append(name in keys.keys))
    receive(io.BytesIO(b"x"), store=store, keys=keys)
    assert seen == [True]


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data[:-1],
        lambda data: data[: HEADER_BYTES + SEALED_CHUNK_BYTES],
        lambda data: data[:HEADER_BYTES],
        lambda data: data + b"x",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
        lambda data: b"",
    ],
)
def test_a_store_that_gives_back_other_bytes_is_found_out(keys, alter):
    store = TrickyStore(alter=alter)
    with pytest.raises(ReadBackError):
        receive(io.BytesIO(randbytes(2 * MIB + 3)), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_a_store_that_loses_the_object_is_found_out(keys):
    store = TrickyStore()
    store.tricks["after"] = store.objects.pop
    with pytest.raises(ReadBackError):
        receive(io.BytesIO(b"x"), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_a_store_whose_object_shrinks_while_it_is_read_back_is_found_out(keys):
    store = TrickyStore()
    store.size = lambda name: len(store.objects[name]) + SEALED_CHUNK_BYTES
    with pytest.raises(ReadBackError):
        receive(io.BytesIO(randbytes(MIB)), store=store, keys=keys)


def test_a_fault_of_memory_between_hashing_and_sealing_is_found_out(store, keys, monkeypatch):
    hashes = iter([b"\1" * 32])
    monkeypatch.setattr("plainview.vault.receive.chunk_hash", lambda chunk: next(hashes))
    with pytest.raises(ReadBackError) as caught:
        receive(io.BytesIO(b"x"), store=store, keys=keys)
    assert caught.value.chunk == 0
    assert nothing_is_kept(store, keys)


def test_a_valid_object_of_another_size_is_found_out(keys):
    """Only a store that holds the key could make one; the check costs nothing."""
    store = TrickyStore()

    def replace(name):
        from plainview.vault.crypt import ChunkCipher

        cipher, out = ChunkCipher(name, keys.keys[name]), bytearray(17)
        cipher.seal_into(0, b"y", memoryview(out), is_last=True)
        store.objects[name] = cipher.header + bytes(out)

    store.tricks["after"] = replace
    with pytest.raises(ReadBackError, match="expected 2 bytes, got 1"):
        receive(io.BytesIO(b"xy"), store=store, keys=keys)


def test_a_key_store_that_fails_leaves_nothing(store, keys):
    def fail(object_id, key):
        raise KeyStoreFaultError(keys.folder, "no")

    keys.put_object_key = fail
    with pytest.raises(KeyStoreFaultError):
        receive(io.BytesIO(b"x"), store=store, keys=keys)
    assert nothing_is_kept(store, keys)


def test_an_object_that_cannot_be_removed_does_not_hide_why(keys):
    store = TrickyStore(alter=lambda data: data[:-1])

    def refuse(name):
        raise StoreFullError("deleting", name, "no")

    store.delete = refuse
    with pytest.raises(ReadBackError):
        receive(io.BytesIO(b"x"), store=store, keys=keys)
    assert not keys.keys


@pytest.mark.parametrize("theirs", ["object", "key"])
def test_somebody_elses_object_of_the_same_id_is_left_alone(store, keys, monkeypatch, theirs):
    object_id = "ab" * 16
    monkeypatch.setattr("plainview.vault.receive.new_object_id", lambda: object_id)
    if theirs == "object":
        store.objects[object_id] = b"theirs"
        with pytest.raises(ObjectExistsError):
            receive(io.BytesIO(b"x"), store=store, keys=keys)
        assert store.objects == {object_id: b"theirs"}
    else:
        keys.keys[object_id] = b"theirs"
        with pytest.raises(KeyExistsError):
            receive(io.BytesIO(b"x"), store=store, keys=keys)
        assert keys.keys == {object_id: b"theirs"}
