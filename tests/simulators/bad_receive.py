"""Ways to receive that lose evidence, each a mistake somebody has made. A harness that lets one pass is no harness."""

from __future__ import annotations

import contextlib
import os

from plainview.formats.chunks import CHUNK_BYTES
from plainview.formats.object_header import TAG_BYTES
from plainview.vault.crypt import ChunkCipher, new_object_id, new_object_key
from simulators.power_cut import PowerCutDisk


def receive_acknowledged_first(stream, *, store, keys, acknowledge):
    """Say that it is received, then write it in place, whatever the disk says."""
    object_id, key = new_object_id(), new_object_key()
    acknowledge(object_id)
    with contextlib.suppress(Exception):
        keys.put_object_key(object_id, key)
        _write_in_place(stream, store, object_id, key)


def receive_in_place(stream, *, store, keys, acknowledge):
    """Write under the final name, sync, then say so: right until it is interrupted."""
    object_id, key = new_object_id(), new_object_key()
    _write_in_place(stream, store, object_id, key)
    keys.put_object_key(object_id, key)
    acknowledge(object_id)


def _write_in_place(stream, store, object_id, key):
    shard = store.root / object_id[:2]
    shard.mkdir(exist_ok=True)
    cipher, plaintext = ChunkCipher(object_id, key), stream.read()
    with (shard / object_id).open("wb", buffering=0) as file:
        file.write(cipher.header)
        for start in range(0, len(plaintext), CHUNK_BYTES):
            chunk = plaintext[start : start + CHUNK_BYTES]
            sealed = bytearray(len(chunk) + TAG_BYTES)
            is_last = start + CHUNK_BYTES >= len(plaintext)
            cipher.seal_into(start // CHUNK_BYTES, chunk, memoryview(sealed), is_last=is_last)
            file.write(sealed)
        os.fsync(file.fileno())


class NoFileSync(PowerCutDisk):
    """A store on it never syncs its files."""

    def sync(self, fd):
        self._tick()


class NoFolderSync(PowerCutDisk):
    """A store on it never syncs its folders."""

    def sync_folder(self, path):
        self._tick()


class NoRootSync(PowerCutDisk):
    """A store on it syncs the folder an object is in, and never the one that folder is in."""

    def sync_folder(self, path):
        if path == self._root:
            self._tick()
        else:
            super().sync_folder(path)


class LinkBeforeSync(PowerCutDisk):
    """A store on it names a file whose bytes are not synced yet; they are, when the names are."""

    def __init__(self, root="/disk"):
        super().__init__(root)
        self._late = []

    def sync(self, fd):
        self._tick()
        self._late.append(self._open[fd])

    def sync_folder(self, path):
        super().sync_folder(path)
        for file in self._late:
            self._synced[file] = bytes(self._written[file])
