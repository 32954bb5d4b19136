import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.formats.chunks import CHUNK_BYTES
from plainview.formats.object_header import object_size_bytes
from plainview.vault.derivative import INFO, DerivativeWriter, derived_key, open_derivative
from plainview.vault.errors import (
    AlteredObjectError,
    KeyMissingError,
    ObjectMissingError,
    ReadBackError,
    WriteOrderError,
)
from simulators.memory_store import MemoryKeys, MemoryStore

ORIGINAL = "ab" * 16
KEY = bytes(range(32))
BLOCK = hashlib.sha256(b"a").digest() * (CHUNK_BYTES // 32)


@pytest.fixture
def keys():
    made = MemoryKeys()
    made.put_object_key(ORIGINAL, KEY)
    return made


@pytest.fixture
def store():
    return MemoryStore()


def write(store, *pieces, room=None, key=KEY):
    """Write pieces of (offset, bytes)."""
    with DerivativeWriter(store, key) as writer:
        if room is not None:
            writer.leave_room(room)
        for offset, data in pieces:
            writer.write_at(offset, data)
        return writer.finish()


def read(store, keys, made):
    with open_derivative(store, keys, made.object_id, original_id=ORIGINAL) as reader:
        return reader.read()


def test_a_key_is_the_original_keys_hkdf_with_the_derivatives_id():
    name = "0123456789abcdef" * 2
    extracted = hmac.digest(bytes(32), KEY, "sha256")
    expected = hmac.digest(extracted, INFO + bytes.fromhex(name) + b"\x01", "sha256")
    assert derived_key(KEY, name) == expected


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("room", [None, 0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_was_written_is_read_back_and_described(store, keys, size, room):
    data = (BLOCK * 3)[:size]
    made = write(store, (0, data), room=room)
    assert read(store, keys, made) == data
    assert made.size_bytes == size
    assert made.sha256 == hashlib.sha256(data).hexdigest()
    sealed = store.objects[made.object_id]
    assert made.object_bytes == len(sealed) == object_size_bytes(size)
    assert made.object_sha256 == hashlib.sha256(sealed).hexdigest()
    assert size < 32 or data[:32] not in sealed


@pytest.mark.parametrize("body", [10, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
def test_the_room_is_filled_last(store, keys, body):
    room = CHUNK_BYTES + 100
    data = BLOCK * 3
    made = write(
        store, (0, bytes(room)), (room, data[:body]), (4, b"moov"), (room - 2, b"!!"), (0, b"head"), room=room
    )
    expected = b"headmoov" + bytes(room - 10) + b"!!" + data[:body]
    assert read(store, keys, made) == expected
    assert made.sha256 == hashlib.sha256(expected).hexdigest()


@given(
    sizes=st.lists(st.integers(0, CHUNK_BYTES + CHUNK_BYTES // 2), max_size=5),
    room=st.integers(0, 2 * CHUNK_BYTES),
)
def test_pieces_of_any_size_give_the_same_bytes(sizes, room):
    store, keys, at, pieces, expected = MemoryStore(), MemoryKeys(), 0, [], b""
    keys.put_object_key(ORIGINAL, KEY)
    for number, size in enumerate(sizes):
        data = bytes([number + 1]) * size
        pieces.append((at, data))
        at, expected = at + size, expected + data
    made = write(store, *pieces, room=room)
    assert read(store, keys, made) == expected


@pytest.mark.parametrize("offset", [0, 5, CHUNK_BYTES * 2 - 1, CHUNK_BYTES * 2 + 1, 2**63])
def test_bytes_behind_the_room_come_in_order_or_not_at_all(store, offset):
    with pytest.raises(WriteOrderError) as caught:
        write(store, (0, BLOCK), (CHUNK_BYTES, BLOCK), (offset, b"x"))
    assert (caught.value.expected, caught.value.got) == (2 * CHUNK_BYTES, offset)
    assert store.objects == {}
    assert store.unfinished == set()


def test_room_is_left_before_anything_else_and_once(store):
    with DerivativeWriter(store, KEY) as writer:
        writer.leave_room(10)
        with pytest.raises(ValueError, match="once"):
            writer.leave_room(10)
    with DerivativeWriter(store, KEY) as writer:
        writer.write_at(0, b"x")
        with pytest.raises(ValueError, match="before"):
            writer.leave_room(10)


def test_leaving_without_finishing_leaves_nothing(store):
    with DerivativeWriter(store, KEY) as writer:
        writer.write_at(0, BLOCK * 2)
    assert store.objects == {}
    assert store.unfinished == set()


def test_destroying_the_originals_key_destroys_everything_made_of_it(store, keys):
    made = [write(store, (0, b"one")), write(store, (0, b"two"))]
    assert [read(store, keys, each) for each in made] == [b"one", b"two"]
    keys.destroy_object_key(ORIGINAL)
    for each in made:
        with pytest.raises(KeyMissingError):
            read(store, keys, each)
    # And no other key opens it, the original's own among them.
    for key in (KEY, bytes(32)):
        keys.keys[ORIGINAL] = key if key != KEY else derived_key(KEY, made[1].object_id)
        with pytest.raises(AlteredObjectError):
            read(store, keys, made[0])


def test_one_derivative_does_not_pass_for_another(store, keys):
    first, second = write(store, (0, b"one")), write(store, (0, b"two"))
    store.objects[first.object_id] = store.objects[second.object_id]
    with pytest.raises(AlteredObjectError):
        read(store, keys, first)


def test_a_derivative_that_is_gone_says_so(store, keys):
    made = write(store, (0, b"one"))
    store.delete(made.object_id)
    with pytest.raises(ObjectMissingError):
        read(store, keys, made)


class ForgetfulStore(MemoryStore):
    """Gives back something else than what was written, as `change` says."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def create(self, name):
        writer = super().create(name)
        commit = writer.commit

        def commit_changed():
            commit()
            self.change(self.objects, name)

        writer.commit = commit_changed
        return writer


def other_byte(objects, name):
    objects[name] = objects[name][:-1] + bytes([objects[name][-1] ^ 1])


def lost(objects, name):
    del objects[name]


def older(objects, name):
    """What the same key sealed to other bytes: every tag is right."""
    key = derived_key(KEY, name)
    from plainview.vault.crypt import ChunkCipher

    cipher, out = ChunkCipher(name, key), bytearray(100)
    length = cipher.seal_into(0, b"old", memoryview(out), is_last=True)
    objects[name] = cipher.header + out[:length]


@pytest.mark.parametrize("change", [other_byte, lost, older])
def test_a_store_that_gives_back_something_else_is_noticed_and_nothing_stays(change):
    store = ForgetfulStore(change)
    with pytest.raises(ReadBackError):
        write(store, (0, b"new"))
    assert store.objects == {}
