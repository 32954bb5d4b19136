"""An original that arrives in pieces while processes are killed and the power goes; and mistakes made in keeping it."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path

from plainview.formats import chunks, object_header
from plainview.vault import incoming, incoming_files, promised, reread
from plainview.vault.crypt import ChunkCipher
from plainview.vault.errors import VaultError
from plainview.vault.fsck import describe_object
from plainview.vault.incoming import (
    begin_incoming,
    finish_incoming,
    incoming_offset,
    open_incoming,
    sweep_incoming,
)
from plainview.vault.incoming_errors import IncomingDiffersError
from plainview.vault.local import LocalStore
from simulators.memory_store import MemoryKeys
from simulators.power_cut import PowerCut

SMALL = 700


def small_chunks(monkeypatch):
    """Make a chunk 700 bytes, so that hundreds of interruptions of many chunks take no time."""
    for module in (chunks, object_header, incoming, reread):
        monkeypatch.setattr(module, "CHUNK_BYTES", SMALL)
    for module in (object_header, incoming, incoming_files, reread):
        monkeypatch.setattr(module, "SEALED_CHUNK_BYTES", SMALL + object_header.TAG_BYTES)


class Nonces:
    """Notes what is sealed under each nonce of each key."""

    def __init__(self, monkeypatch):
        self.sealed: dict[tuple[str, int, bool], set[bytes]] = {}
        seal = ChunkCipher.seal_into

        def noting(cipher, number, plaintext, out, *, is_last):
            said = self.sealed.setdefault((cipher.object_id, number, is_last), set())
            said.add(hashlib.sha256(plaintext).digest())
            return seal(cipher, number, plaintext, out, is_last=is_last)

        monkeypatch.setattr(ChunkCipher, "seal_into", noting)

    def used_twice(self):
        return any(len(plaintexts) > 1 for plaintexts in self.sealed.values())


class Arrival:
    """One original on its way into a disk that fails, with what its sender was told."""

    def __init__(self, disk, random, *, sweep=sweep_incoming):
        self.disk, self.random, self.keys = disk, random, MemoryKeys()
        self.data = random.randbytes(random.randrange(1, 12 * SMALL))
        self.object_id, self.acknowledged, self.violations = None, 0, set()
        self._sweep = sweep

    def run(self, interruptions):
        """Send it all through some interruptions, and return what went wrong."""
        for _ in range(interruptions):
            self.disk.cut_at = self.disk.calls + self.random.randrange(1, 90)
            try:
                self.send()
            except PowerCut:
                self.interrupt()
        self.disk.cut_at = None
        self.send()
        self.check(finish_incoming(self.store(), self.keys, self.object_id))
        return self.violations

    def send(self):
        """Send what is missing in pieces of any size; sometimes, first, something else than before."""
        store = self.store()
        if self.object_id is None:
            self.object_id = begin_incoming(store, self.keys, size_bytes=len(self.data))
        if self.object_id in store.names():
            finish_incoming(store, self.keys, self.object_id)
            return
        offset = incoming_offset(store, self.object_id)
        if offset < self.acknowledged:
            self.violations.add("acknowledged and lost")
        while offset < len(self.data):
            offset = self.send_piece(store, offset)
        if self.random.random() < 0.5:
            finish_incoming(store, self.keys, self.object_id)

    def send_piece(self, store, offset):
        piece = self.data[offset : offset + self.random.randrange(SMALL, 9 * SMALL)]
        with open_incoming(store, self.keys, self.object_id) as arriving:
            if self.random.random() < 0.3:
                # Whole, this would be kept: so it breaks off before it fills a chunk that was never sealed.
                changed = bytes(byte ^ 1 for byte in piece)
                with contextlib.suppress(IncomingDiffersError):
                    self.send_changed(arriving, changed, offset)
            done = arriving.append(io.BytesIO(piece).read, offset_bytes=offset)
        self.acknowledged = max(self.acknowledged, done)
        return done

    def send_changed(self, arriving, changed, offset):
        number = offset // SMALL
        if number < arriving._promised.count:
            arriving.append(io.BytesIO(changed).read, offset_bytes=offset)

    def interrupt(self):
        if self.random.random() < 0.3:
            self.disk.killed()
            return
        self.disk = self.disk.after_cut(self.random)
        store = self.store()
        self._sweep(store, self.keys, {self.object_id} - {None})

    def store(self):
        return LocalStore(Path("/disk"), files=self.disk)

    def check(self, found):
        if found.sha256 != hashlib.sha256(self.data).hexdigest():
            self.violations.add("received as something else")
        if describe_object(self.store(), self.keys, self.object_id) != found:
            self.violations.add("not what was said")
        # What was begun just before a kill, and never heard of, goes when the next start sweeps.
        self._sweep(self.store(), self.keys, set())
        if self.keys.secrets or self.disk.list_folder("/disk/incoming"):
            self.violations.add("something stays")


def judge(make_disk, random, *, sweep=sweep_incoming):
    """Return what goes wrong with one original, interrupted a few times."""
    arrival = Arrival(make_disk(), random, sweep=sweep)
    try:
        return arrival.run(random.randrange(1, 5))
    except VaultError as error:
        return arrival.violations | {type(error).__name__}


def promise_without_sync(self, first, digests):
    """PromisedHashes.promise as somebody in a hurry writes it."""
    for number, digest in enumerate(digests, first):
        if number < self.count and self.get(number) != digest:
            raise IncomingDiffersError("", number)
        if number >= self.count:
            rest = memoryview(promised._record(number, digest))
            while rest:
                rest = rest[self._files.write(self._fd, rest) :]
            self.count += 1


def promise_anything(self, first, digests):
    """PromisedHashes.promise that takes whatever is sent last."""
    self.cut(min(first, self.count))
    for number, digest in enumerate(digests, first):
        rest = memoryview(promised._record(number, digest))
        while rest:
            rest = rest[self._files.write(self._fd, rest) :]
    self._files.sync(self._fd)
    self.count = first + len(digests)
