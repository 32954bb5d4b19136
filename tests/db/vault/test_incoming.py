import hashlib
import io
import os
import random
import stat
import struct

import pytest

from plainview.vault.errors import (
    EmptyOriginalError,
    KeyMissingError,
    ObjectExistsError,
    ObjectNameError,
    ReadBackError,
    StoreFaultError,
    StoreFullError,
)
from plainview.vault.files import SystemFiles
from plainview.vault.fsck import describe_object
from plainview.vault.incoming import (
    begin_incoming,
    drop_incoming,
    finish_incoming,
    incoming_offset,
    open_incoming,
    sweep_incoming,
)
from plainview.vault.incoming_errors import (
    IncomingBusyError,
    IncomingDamagedError,
    IncomingDiffersError,
    IncomingMissingError,
    IncomingOffsetError,
)
from plainview.vault.keys import create_key_store
from plainview.vault.local import LocalStore, create_local_store
from plainview.vault.reader import open_object
from plainview.vault.receive import receive

MIB = 1 << 20
NOBODY = "00" * 16


@pytest.fixture
def store(tmp_path):
    return create_local_store(tmp_path / "objects")


@pytest.fixture
def keys(tmp_path):
    made = create_key_store(tmp_path / "keys", recovery_public=bytes(32))
    yield made
    made.close()


def randbytes(size_bytes):
    return random.Random(size_bytes).randbytes(size_bytes)


def arrive(store, keys, data, pieces=()):
    """Begin, and send so many bytes at a time; return the id."""
    object_id = begin_incoming(store, keys, size_bytes=len(data))
    for length in pieces:
        add(store, keys, object_id, data, length)
    return object_id


def add(store, keys, object_id, data, length=None):
    """Go on where the last piece ended, as a client does that asks first."""
    offset = incoming_offset(store, object_id)
    end = len(data) if length is None else offset + length
    with open_incoming(store, keys, object_id) as arriving:
        return arriving.append(io.BytesIO(data[offset:end]).read, offset_bytes=offset)


def sealed_file(store, object_id):
    return store.root / "incoming" / f"{object_id}.sealed"


def hashes_file(store, object_id):
    return store.root / "incoming" / f"{object_id}.hashes"


def nothing_arrives(store, keys):
    return not keys.secret_names("incoming/") and not list((store.root / "incoming").iterdir())


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [
        (1, [1]),
        (MIB, [MIB]),
        (MIB + 1, [MIB, 1]),
        (2 * MIB, [2 * MIB]),
        (5 * MIB + 7, [5 * MIB + 7]),
        (5 * MIB + 7, [MIB] * 6),
        (22 * MIB, [19 * MIB, 3 * MIB]),
    ],
)
def test_what_arrives_in_pieces_is_as_if_received_at_once(store, keys, size_bytes, pieces):
    data = randbytes(size_bytes)
    object_id = arrive(store, keys, data, pieces)
    found = finish_incoming(store, keys, object_id)
    at_once = receive(io.BytesIO(data), store=store, keys=keys)
    assert (found.sha256, found.chunks, found.size_bytes, found.object_bytes) == (
        hashlib.sha256(data).hexdigest(),
        at_once.chunks,
        at_once.size_bytes,
        at_once.object_bytes,
    )
    assert describe_object(store, keys, object_id) == found
    assert open_object(store, keys, object_id).read() == data
    assert stat.S_IMODE((store.root / object_id[:2] / object_id).stat().st_mode) == 0o440
    assert nothing_arrives(store, keys)


def test_only_whole_chunks_of_a_piece_are_kept(store, keys):
    data = randbytes(6 * MIB)
    object_id = arrive(store, keys, data, [MIB + 1000])
    assert incoming_offset(store, object_id) == MIB
    assert add(store, keys, object_id, data, MIB - 1) == MIB
    assert add(store, keys, object_id, data, 5 * MIB - 1) == 5 * MIB
    assert add(store, keys, object_id, data) == 6 * MIB


def test_pieces_come_through_a_stream_that_drips(store, keys):
    data = randbytes(2 * MIB + 3)
    object_id, stream = arrive(store, keys, data), io.BytesIO(data)
    with open_incoming(store, keys, object_id) as arriving:
        assert arriving.append(lambda wanted: stream.read(min(wanted, 70_001)), offset_bytes=0) == len(data)
        assert arriving.is_whole


def test_no_more_is_read_than_was_announced(store, keys):
    data = randbytes(MIB + 5)
    object_id, stream = arrive(store, keys, data), io.BytesIO(data + b"and more")
    with open_incoming(store, keys, object_id) as arriving:
        arriving.append(stream.read, offset_bytes=0)
        assert arriving.append(stream.read, offset_bytes=len(data)) == len(data)
    assert stream.read() == b"and more"


def test_a_piece_that_does_not_follow_is_refused(store, keys):
    data = randbytes(3 * MIB)
    object_id = arrive(store, keys, data, [MIB])
    with open_incoming(store, keys, object_id) as arriving:
        for offset in (0, MIB - 1, MIB + 1, 2 * MIB):
            with pytest.raises(IncomingOffsetError) as refused:
                arriving.append(io.BytesIO(data).read, offset_bytes=offset)
            assert (refused.value.expected_bytes, refused.value.got_bytes) == (MIB, offset)


def test_one_at_a_time(store, keys):
    object_id = arrive(store, keys, randbytes(MIB), [MIB])
    with open_incoming(store, keys, object_id):
        with pytest.raises(IncomingBusyError):
            open_incoming(store, keys, object_id)
        with pytest.raises(IncomingBusyError):
            finish_incoming(store, keys, object_id)
        assert incoming_offset(store, object_id) == MIB
    open_incoming(store, keys, object_id).close()


def test_what_has_no_bytes_is_refused(store, keys):
    with pytest.raises(EmptyOriginalError):
        begin_incoming(store, keys, size_bytes=0)


def test_what_is_not_whole_cannot_be_finished(store, keys):
    object_id = arrive(store, keys, randbytes(3 * MIB), [2 * MIB])
    with pytest.raises(IncomingOffsetError) as refused:
        finish_incoming(store, keys, object_id)
    assert (refused.value.expected_bytes, refused.value.got_bytes) == (2 * MIB, 3 * MIB)


@pytest.mark.parametrize("ask", [incoming_offset, open_incoming, finish_incoming])
def test_what_nobody_began_is_missing(store, keys, ask):
    arguments = (store, NOBODY) if ask is incoming_offset else (store, keys, NOBODY)
    with pytest.raises(IncomingMissingError):
        ask(*arguments)
    begin_incoming(store, keys, size_bytes=1)
    with pytest.raises(IncomingMissingError):
        ask(*arguments)
    with pytest.raises(ObjectNameError):
        ask(*arguments[:-1], "../keys/master.key")


def test_a_stream_that_breaks_off_with_an_error_keeps_what_was_synced(store, keys):
    data = randbytes(30 * MIB)
    object_id, stream = arrive(store, keys, data), io.BytesIO(data)

    def breaks(wanted):
        if stream.tell() >= 25 * MIB:
            raise ConnectionResetError("gone")
        return stream.read(wanted)

    with open_incoming(store, keys, object_id) as arriving:
        with pytest.raises(ConnectionResetError):
            arriving.append(breaks, offset_bytes=0)
        assert arriving.offset_bytes == incoming_offset(store, object_id) == 16 * MIB
        stream.seek(16 * MIB)
        assert arriving.append(stream.read, offset_bytes=16 * MIB) == 30 * MIB
    assert finish_incoming(store, keys, object_id).sha256 == hashlib.sha256(data).hexdigest()


# --- what was cut off comes again, and must be the same


def cut_off(store, object_id, chunks, extra=0):
    """Leave what a power cut may leave of the sealed file: some chunks, and part of another."""
    os.truncate(sealed_file(store, object_id), 32 + chunks * (MIB + 16) + extra)


def test_a_chunk_that_was_cut_off_comes_again_as_the_same_bytes_of_ciphertext(store, keys):
    data = randbytes(3 * MIB)
    object_id = arrive(store, keys, data, [3 * MIB])
    before = sealed_file(store, object_id).read_bytes()
    cut_off(store, object_id, 1, extra=1000)
    assert incoming_offset(store, object_id) == MIB
    assert add(store, keys, object_id, data) == 3 * MIB
    assert sealed_file(store, object_id).read_bytes() == before


def test_other_bytes_are_refused_under_a_number_that_was_promised(store, keys):
    data = randbytes(3 * MIB)
    object_id = arrive(store, keys, data, [3 * MIB])
    cut_off(store, object_id, 1, extra=1000)
    other = data[: 2 * MIB] + bytes(MIB)
    with open_incoming(store, keys, object_id) as arriving:
        with pytest.raises(IncomingDiffersError) as refused:
            arriving.append(io.BytesIO(other[MIB:]).read, offset_bytes=MIB)
        assert refused.value.chunk == 2
        assert arriving.append(io.BytesIO(data[MIB:]).read, offset_bytes=MIB) == 3 * MIB


def test_a_kill_in_the_middle_of_a_hash_leaves_the_ones_before(store, keys):
    data = randbytes(3 * MIB)
    object_id = arrive(store, keys, data, [MIB])
    with hashes_file(store, object_id).open("ab") as file:
        file.write(bytes(20))
    add(store, keys, object_id, data)
    assert finish_incoming(store, keys, object_id).sha256 == hashlib.sha256(data).hexdigest()


def test_after_a_power_cut_what_was_torn_is_cut_off(store, keys):
    data = randbytes(6 * MIB)
    object_id = arrive(store, keys, data, [5 * MIB])
    with sealed_file(store, object_id).open("r+b") as file:
        file.seek(32 + 3 * (MIB + 16) + 100)
        file.write(bytes(512))
    with hashes_file(store, object_id).open("ab") as file:
        file.write(bytes(36))
    assert sweep_incoming(store, keys, {object_id}) == 0
    assert incoming_offset(store, object_id) == 3 * MIB
    assert add(store, keys, object_id, data) == 6 * MIB
    assert finish_incoming(store, keys, object_id).sha256 == hashlib.sha256(data).hexdigest()


def test_what_is_whole_stays_so_when_looked_at_again(store, keys):
    data = randbytes(2 * MIB + 1)
    object_id = arrive(store, keys, data, [len(data)])
    sweep_incoming(store, keys, {object_id})
    assert incoming_offset(store, object_id) == len(data)


def test_what_nobody_waits_for_is_forgotten(store, keys):
    assert sweep_incoming(store, keys, set()) == 0
    wanted, unwanted = (arrive(store, keys, randbytes(2 * MIB), [MIB]) for _ in range(2))
    keys.put_secret(f"incoming/{NOBODY}", bytes(32))
    hashes_file(store, "11" * 16).write_bytes(b"begun")
    assert sweep_incoming(store, keys, {wanted}) == 3
    assert keys.secret_names("") == [f"incoming/{wanted}"]
    assert {path.stem for path in (store.root / "incoming").iterdir()} == {wanted}
    with pytest.raises(IncomingMissingError):
        incoming_offset(store, unwanted)


def test_dropping_twice_is_no_error_and_nothing_stays(store, keys):
    drop_incoming(store, keys, NOBODY)
    object_id = arrive(store, keys, randbytes(2 * MIB), [MIB])
    drop_incoming(store, keys, object_id)
    drop_incoming(store, keys, object_id)
    assert nothing_arrives(store, keys)


def test_without_its_key_nothing_can_be_added(store, keys):
    object_id = arrive(store, keys, randbytes(2 * MIB), [MIB])
    keys.destroy_secret(f"incoming/{object_id}")
    with pytest.raises(KeyMissingError):
        open_incoming(store, keys, object_id)
    assert sweep_incoming(store, keys, {object_id}) == 0


# --- finishing, interrupted


def test_finishing_again_after_an_interruption_gives_the_same(store, keys):
    data = randbytes(2 * MIB)
    object_id = arrive(store, keys, data, [2 * MIB])
    sealed, hashes = sealed_file(store, object_id), hashes_file(store, object_id)
    kept = hashes.read_bytes()
    final = store.root / object_id[:2] / object_id
    found = finish_incoming(store, keys, object_id)
    # Placed, read-only, the key gone already, the names still there.
    os.link(final, sealed)
    hashes.write_bytes(kept)
    assert sweep_incoming(store, keys, {object_id}) == 0
    assert finish_incoming(store, keys, object_id) == found
    # The first name gone, the other not.
    hashes.write_bytes(kept)
    assert finish_incoming(store, keys, object_id) == found
    assert finish_incoming(store, keys, object_id) == found
    assert nothing_arrives(store, keys)


def test_another_object_of_that_name_is_never_replaced(store, keys, tmp_path):
    data = randbytes(MIB)
    object_id = arrive(store, keys, data, [MIB])
    final = store.root / object_id[:2] / object_id
    final.parent.mkdir()
    final.write_bytes(b"somebody else's")
    with pytest.raises(ObjectExistsError):
        finish_incoming(store, keys, object_id)
    assert final.read_bytes() == b"somebody else's"


def flip(path, offset):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def test_a_disk_that_gives_back_other_bytes_is_noticed(store, keys):
    object_id = arrive(store, keys, randbytes(3 * MIB), [3 * MIB])
    flip(sealed_file(store, object_id), 32 + MIB + 16 + 5)
    with pytest.raises(ReadBackError) as noticed:
        finish_incoming(store, keys, object_id)
    assert noticed.value.chunk == 1
    assert not list(store.names())


def test_a_memory_that_changed_a_chunk_between_its_hash_and_its_sealing_is_noticed(store, keys, monkeypatch):
    hash_well, seen = hashlib.sha256, []

    def hash_wrongly(chunk):
        seen.append(1)
        return hash_well(b"\0" + bytes(chunk) + (b"!" if len(seen) == 2 else b"")).digest()

    monkeypatch.setattr("plainview.vault.incoming.chunk_hash", hash_wrongly)
    object_id = arrive(store, keys, randbytes(3 * MIB), [3 * MIB])
    with pytest.raises(ReadBackError) as noticed:
        finish_incoming(store, keys, object_id)
    assert noticed.value.chunk == 1


# --- damage


def test_damaged_hashes_are_said_and_never_guessed(store, keys):
    data = randbytes(3 * MIB)
    object_id = arrive(store, keys, data, [3 * MIB])
    flip(hashes_file(store, object_id), 16 + 36 + 3)
    with pytest.raises(IncomingDamagedError, match="MiB 1"):
        finish_incoming(store, keys, object_id)
    cut_off(store, object_id, 1, extra=9)
    for ask in (lambda: incoming_offset(store, object_id), lambda: open_incoming(store, keys, object_id)):
        with pytest.raises(IncomingDamagedError, match="MiB 1 was sealed"):
            ask()
    cut_off(store, object_id, 1)
    with pytest.raises(IncomingDamagedError, match="MiB 1"):
        add(store, keys, object_id, data)
    assert sweep_incoming(store, keys, {object_id}) == 0


def test_a_chunk_without_its_hash_is_damage(store, keys):
    object_id = arrive(store, keys, randbytes(3 * MIB), [2 * MIB])
    os.truncate(hashes_file(store, object_id), 16 + 36)
    with pytest.raises(IncomingDamagedError, match="MiB 1 was sealed"):
        incoming_offset(store, object_id)


@pytest.mark.parametrize("size_bytes", [0, 31, 33 + 3 * (MIB + 16)])
def test_a_sealed_file_of_an_impossible_size_is_damage(store, keys, size_bytes):
    object_id = arrive(store, keys, randbytes(3 * MIB), [3 * MIB])
    os.truncate(sealed_file(store, object_id), size_bytes)
    with pytest.raises(IncomingDamagedError, match="bytes are sealed"):
        incoming_offset(store, object_id)


@pytest.mark.parametrize("head", [b"", b"PLVWINC\x01\0\0", b"another." + struct.pack(">Q", 1)])
def test_hashes_without_their_head_are_damage(store, keys, head):
    object_id = arrive(store, keys, randbytes(MIB))
    hashes_file(store, object_id).write_bytes(head)
    with pytest.raises(IncomingDamagedError, match="head"):
        incoming_offset(store, object_id)


# --- a disk that is full or fails


class FailingFiles(SystemFiles):
    """This machine's disk, with one kind of call failing from a moment on."""

    def __init__(self):
        self.fails = lambda call, path: None
        self.paths = {}

    def create(self, path, mode=0o440):
        self.fails("create", path)
        return super().create(path, mode)

    def open_to_append(self, path):
        fd = super().open_to_append(path)
        self.paths[fd] = path
        return fd

    def write(self, fd, data):
        self.fails("write", self.paths.get(fd, ""))
        return super().write(fd, data)

    def sync(self, fd):
        self.fails("sync", self.paths.get(fd, ""))
        super().sync(fd)

    def truncate(self, fd, size_bytes):
        self.fails("truncate", self.paths.get(fd, ""))
        super().truncate(fd, size_bytes)


def failing(call, ending, number, errno=28):
    """Fail from the number-th such call on a path that ends so."""
    seen = []

    def fail(made, path):
        if made == call and path.endswith(ending):
            seen.append(path)
            if len(seen) >= number:
                raise OSError(errno, "it failed")

    return fail


@pytest.mark.parametrize(
    ("call", "ending", "number"),
    [
        ("write", ".sealed", 1),
        ("write", ".sealed", 6),
        ("write", ".hashes", 2),
        ("sync", ".sealed", 1),
        ("sync", ".hashes", 2),
    ],
)
def test_a_full_disk_keeps_what_was_acknowledged_and_goes_on_when_there_is_space(
    tmp_path, keys, call, ending, number
):
    files, data = FailingFiles(), randbytes(12 * MIB)
    store = create_local_store(tmp_path / "objects", files=files)
    object_id = arrive(store, keys, data, [MIB])
    files.fails = failing(call, ending, number)
    with open_incoming(store, keys, object_id) as arriving:
        with pytest.raises(StoreFullError):
            arriving.append(io.BytesIO(data[MIB:]).read, offset_bytes=MIB)
        assert arriving.offset_bytes == MIB
    files.fails = lambda made, path: None
    assert incoming_offset(store, object_id) >= MIB
    assert add(store, keys, object_id, data) == 12 * MIB
    assert finish_incoming(store, keys, object_id).sha256 == hashlib.sha256(data).hexdigest()


def test_what_another_process_wrote_is_synced_before_it_counts(tmp_path, keys):
    files, data, synced = FailingFiles(), randbytes(4 * MIB), []
    store = create_local_store(tmp_path / "objects", files=files)
    object_id = arrive(store, keys, data, [MIB, MIB])
    files.fails = lambda made, path: synced.append(path) if made == "sync" else None
    open_incoming(store, keys, object_id).close()
    assert synced == []
    open_incoming(LocalStore(store.root, files=files), keys, object_id).close()
    assert {path.rpartition(".")[2] for path in synced} == {"sealed", "hashes"}
    synced.clear()
    # Another process went on: what this one knew of it is worth nothing.
    add(LocalStore(store.root), keys, object_id, data, MIB)
    open_incoming(store, keys, object_id).close()
    assert len(synced) == 2


def test_the_same_piece_can_be_offered_again_after_half_a_hash_was_written(tmp_path, keys):
    class HalfWrites(FailingFiles):
        def write(self, fd, data):
            if self.paths.get(fd, "").endswith(".hashes") and len(data) > 50:
                return super().write(fd, data[:50])
            return super().write(fd, data)

    files, data = HalfWrites(), randbytes(3 * MIB)
    store = create_local_store(tmp_path / "objects", files=files)
    object_id = arrive(store, keys, data)
    with open_incoming(store, keys, object_id) as arriving:
        files.fails = failing("write", ".hashes", 2)
        with pytest.raises(StoreFullError):
            arriving.append(io.BytesIO(data).read, offset_bytes=0)
        files.fails = lambda made, path: None
        assert arriving.append(io.BytesIO(data).read, offset_bytes=0) == 3 * MIB
    assert finish_incoming(store, keys, object_id).sha256 == hashlib.sha256(data).hexdigest()


def test_a_disk_that_cannot_even_cut_off_says_its_first_fault(tmp_path, keys):
    files, data = FailingFiles(), randbytes(3 * MIB)
    store = create_local_store(tmp_path / "objects", files=files)
    object_id = arrive(store, keys, data)
    write = failing("write", ".sealed", 2, errno=5)

    def fail(made, path):
        write(made, path)
        failing("truncate", ".sealed", 1, errno=5)(made, path)

    files.fails = fail
    with open_incoming(store, keys, object_id) as arriving:
        with pytest.raises(StoreFaultError, match="writing"):
            arriving.append(io.BytesIO(data).read, offset_bytes=0)
        assert arriving.offset_bytes == 0


def test_what_cannot_be_begun_leaves_nothing(tmp_path, keys):
    files = FailingFiles()
    store = create_local_store(tmp_path / "objects", files=files)
    files.fails = failing("create", ".sealed", 1)
    with pytest.raises(StoreFullError):
        begin_incoming(store, keys, size_bytes=1)
    assert nothing_arrives(store, keys)


def test_what_arrives_is_no_object_and_is_not_swept_with_half_written_ones(store, keys):
    object_id = arrive(store, keys, randbytes(2 * MIB), [MIB])
    again = LocalStore(store.root)
    assert list(again.names()) == []
    assert again.sweep() == 0
    assert incoming_offset(again, object_id) == MIB


def test_a_secret_that_was_destroyed_is_gone(keys):
    keys.put_secret("incoming/a", b"1")
    keys.put_secret("log/b", b"2")
    assert keys.secret_names("incoming/") == ["incoming/a"]
    assert keys.destroy_secret("incoming/a")
    assert not keys.destroy_secret("incoming/a")
    assert keys.secret_names("") == ["log/b"]
