"""A disk that forgets what was not synced: a model of files in memory, for plainview.vault.local.LocalStore.

Each file has the bytes written and the bytes synced, each folder the names made and the names synced. When the power
goes, every name and every unsynced tail may or may not have reached the disk, each on its own; a tail may be torn, with
512-byte sectors of zeros. That is worse than ext4 or XFS do, and what POSIX allows.

Source: the idea is that of the crash tests in "How SQLite Is Tested", sqlite.org/testing.html.
"""

from __future__ import annotations

import errno
import os

SECTOR_BYTES = 512


class PowerCut(BaseException):
    """The power went. Not an Exception: nothing may catch it and carry on."""


class PowerCutDisk:
    """Files in memory with volatile and durable state; the call number `cut_at` does not happen, nor any after it."""

    def __init__(self, root="/disk"):
        self.calls, self.cut_at = 0, None
        self._written: dict[int, bytearray] = {}
        self._synced: dict[int, bytes] = {}
        self._names: dict[str, dict[str, int | None]] = {root: {}}
        self._synced_names: dict[str, dict[str, int | None]] = {root: {}}
        self._open: dict[int, int] = {}
        self._locks: dict[int, int] = {}
        self._next = 3
        self._root = root

    def create(self, path, mode=None):
        folder, name = self._tick(path)
        if name in folder:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._next += 1
        folder[name] = self._next
        self._written[self._next], self._synced[self._next] = bytearray(), b""
        return self._descriptor(self._next)

    def open(self, path):
        folder, name = self._tick(path)
        if name not in folder:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._descriptor(folder[name])

    def open_to_append(self, path):
        return self.open(path)

    def lock(self, fd):
        self._tick()
        return self._locks.setdefault(self._open[fd], fd) == fd

    def truncate(self, fd, size_bytes):
        self._tick()
        del self._written[self._open[fd]][size_bytes:]

    def set_mode(self, fd, mode):
        self._tick()

    def is_same(self, path, other):
        (folder, name), (other_folder, other_name) = self._tick(path), self._find(other)
        return folder[name] == other_folder[other_name]

    def write(self, fd, data):
        self._tick()
        # Short writes happen; whoever writes must go on.
        done = max(1, len(data) * 2 // 3)
        self._written[self._open[fd]] += data[:done]
        return done

    def write_over(self, fd, offset, data):
        self._tick()
        done = max(1, len(data) * 2 // 3)
        self._written[self._open[fd]][offset : offset + done] = data[:done]
        return done

    def start_writeback(self, fd, offset, length):
        self._tick()

    def sync(self, fd):
        self._tick()
        file = self._open[fd]
        self._synced[file] = bytes(self._written[file])

    def forget_cached(self, fd):
        self._tick()

    def close(self, fd):
        self._tick()
        file = self._open.pop(fd)
        if self._locks.get(file) == fd:
            del self._locks[file]

    def read_into(self, fd, offset, buffer):
        self._tick()
        data = self._written[self._open[fd]][offset : offset + len(buffer)]
        buffer[: len(data)] = data
        return len(data)

    def size(self, fd):
        self._tick()
        return len(self._written[self._open[fd]])

    def link(self, old, new):
        old_folder, old_name = self._tick(old)
        folder, name = self._find(new)
        if name in folder:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        folder[name] = old_folder[old_name]

    def unlink(self, path):
        folder, name = self._tick(path)
        if name not in folder:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        del folder[name]

    def make_folder(self, path):
        folder, name = self._tick(path)
        if name in folder:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        folder[name] = None
        self._names[path], self._synced_names[path] = {}, {}

    def is_folder(self, path):
        return path in self._names

    def list_folder(self, path):
        self._tick()
        return sorted(self._names[path])

    def sync_folder(self, path):
        self._tick()
        self._synced_names[path] = dict(self._names[path])

    def killed(self):
        """Let only the process die: what it did is still there, and what it did not sync is still not synced."""
        self._open.clear()
        self._locks.clear()
        self.cut_at = None

    def after_cut(self, random):
        """Return one disk of the many that the next start may find."""
        disk = type(self)(self._root)
        disk._next = self._next
        waiting = [self._root]
        while waiting:
            path = waiting.pop()
            names = self._choose_names(path, random)
            disk._names[path], disk._synced_names[path] = names, dict(names)
            for name, file in names.items():
                if file is None:
                    waiting.append(f"{path}/{name}")
                elif file not in disk._written:
                    disk._synced[file] = self._choose_bytes(file, random)
                    disk._written[file] = bytearray(disk._synced[file])
        return disk

    def _choose_names(self, folder, random):
        synced, made = self._synced_names[folder], self._names[folder]
        chosen = {}
        for name in sorted(synced.keys() | made.keys()):
            state = random.choice((synced, made))
            if name in state:
                chosen[name] = state[name]
        return chosen

    def _choose_bytes(self, file, random):
        synced, written = self._synced[file], bytes(self._written[file])
        if len(written) < len(synced):  # it was cut off
            return random.choice((synced, written))
        length = random.choice((len(synced), len(written), random.randint(len(synced), len(written))))
        tail = bytearray(written[len(synced) : length])
        if tail and random.random() < 0.3:
            start = random.randrange(len(tail))
            tail[start : start + SECTOR_BYTES] = bytes(len(tail[start : start + SECTOR_BYTES]))
        return synced + bytes(tail)

    def _descriptor(self, file):
        self._next += 1
        self._open[self._next] = file
        return self._next

    def _find(self, path):
        folder, _, name = path.rpartition("/")
        if folder not in self._names:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._names[folder], name

    def _tick(self, path=None):
        self.calls += 1
        if self.cut_at is not None and self.calls >= self.cut_at:
            raise PowerCut
        return None if path is None else self._find(path)
