"""A store and a key store in memory: real implementations of what the vault asks for, for tests that need no disk."""

from __future__ import annotations

from pathlib import Path

from plainview.vault.errors import KeyExistsError, KeyMissingError, ObjectExistsError, ObjectMissingError
from plainview.vault.store import check_name_prefix, check_object_name


class MemoryStore:
    """Passes the same suite as LocalStore. `objects` is there to be tampered with."""

    def __init__(self):
        self.objects: dict[str, bytes] = {}
        self.unfinished: set[str] = set()

    def create(self, name):
        check_object_name(name)
        if name in self.objects or name in self.unfinished:
            raise ObjectExistsError(name)
        self.unfinished.add(name)
        return MemoryWriter(self, name)

    def read_range(self, name, offset, length):
        return self._get(name)[offset : offset + length]

    def read_range_into(self, name, offset, buffer):
        data = self._get(name)[offset : offset + len(buffer)]
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def size(self, name):
        return len(self._get(name))

    def names(self, prefix=""):
        check_name_prefix(prefix)
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))

    def delete(self, name):
        self._get(name)
        del self.objects[name]

    def sweep(self):
        count = len(self.unfinished)
        self.unfinished.clear()
        return count

    def _get(self, name):
        check_object_name(name)
        if name not in self.objects:
            raise ObjectMissingError(name)
        return self.objects[name]


class MemoryWriter:
    def __init__(self, store, name):
        self._store, self._name, self._data = store, name, bytearray()
        self._room_bytes = self._filled_bytes = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._store.unfinished.discard(self._name)

    def write(self, data):
        if self._name not in self._store.unfinished:
            raise ValueError("written already")
        self._data += data

    def leave_room(self, length):
        if self._data:
            raise ValueError("at the beginning only")
        self._room_bytes = length
        self.write(bytes(length))

    def fill_room(self, data):
        end = self._filled_bytes + len(data)
        if end > self._room_bytes:
            raise ValueError("less room left")
        self._data[self._filled_bytes : end] = data
        self._filled_bytes = end

    def commit(self):
        self.write(b"")
        if self._filled_bytes != self._room_bytes:
            raise ValueError("room left")
        self._store.unfinished.discard(self._name)
        self._store.objects[self._name] = bytes(self._data)


class MemoryKeys:
    """The part of KeyStore that objects need; durable the moment it returns."""

    def __init__(self):
        self.folder = Path("memory")
        self.keys: dict[str, bytes] = {}
        self.secrets: dict[str, bytes] = {}

    def put_object_key(self, object_id, key):
        if self.keys.setdefault(object_id, key) != key:
            raise KeyExistsError(self.folder, object_id)

    def object_key(self, object_id):
        if object_id not in self.keys:
            raise KeyMissingError(self.folder, object_id)
        return self.keys[object_id]

    def destroy_object_key(self, object_id):
        return self.keys.pop(object_id, None) is not None

    def object_ids(self):
        return iter(sorted(self.keys))

    def object_keys(self):
        return dict(self.keys)

    def put_secret(self, name, data):
        if self.secrets.setdefault(name, data) != data:
            raise KeyExistsError(self.folder, name)

    def secret(self, name):
        if name not in self.secrets:
            raise KeyMissingError(self.folder, name)
        return self.secrets[name]

    def secret_names(self, prefix):
        return sorted(name for name in self.secrets if name.startswith(prefix))

    def destroy_secret(self, name):
        return self.secrets.pop(name, None) is not None
