"""Cut a log's writer off at any step, by kill or by power, and say what the disk then holds.

A step is one call that changes the disk. After a kill everything written is there. After a power cut only what was
synced is certain: a file's bytes by fsync of the file, its name by fsync of its folder; of the rest any part may be.
"""

import os
import random
import shutil
from pathlib import Path

STEPS = ("fsync", "replace", "unlink", "mkdir", "rmdir", "write")


class PowerCutError(BaseException):
    """Not an Exception: nothing in the product may catch it and go on."""


class Disk:
    """Counts the steps of a writer below `root`, stops it at one, and remembers what was synced."""

    def __init__(self, monkeypatch, root):
        self.root = Path(root)
        self.steps = 0
        self.stop_at = None
        self.fault = None  # an errno: the step fails with it once, instead of being the last
        self.synced_bytes = {}  # inode to bytes
        self.synced_names = {}  # folder to {name: inode}
        for name in STEPS:
            monkeypatch.setattr(os, name, self._stepping(name, getattr(os, name)))
        self.keep()

    def keep(self):
        """Take everything that is there as durable, as after a long wait."""
        for folder in [self.root, *(path for path in self.root.rglob("*") if path.is_dir())]:
            self._sync_folder(folder)
            for path in folder.iterdir():
                if path.is_file():
                    self.synced_bytes[path.stat().st_ino] = path.read_bytes()

    def _stepping(self, name, real):
        def step(*args, **kwargs):
            if self.fault and self.steps == self.stop_at:
                self.stop_at = None
                raise OSError(self.fault, os.strerror(self.fault))
            if self.stop_at is not None and self.steps >= self.stop_at:
                raise PowerCutError(f"at step {self.steps}: {name}")
            self.steps += 1
            if name == "fsync":
                return self._synced(args[0])
            return real(*args, **kwargs)

        return step

    def _synced(self, handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            self._sync_folder(path)
        else:
            self.synced_bytes[path.stat().st_ino] = path.read_bytes()

    def _sync_folder(self, folder):
        self.synced_names[folder] = {path.name: path.stat().st_ino for path in folder.iterdir()}

    def after_power_cut(self, image, *, seed=None):
        """Write to `image` what may be left: without a seed only what was synced, else some of the rest too."""
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir()
        self._restore(self.root, image, random.Random(seed) if seed is not None else None)

    def _restore(self, folder, image, chance):
        now = {path.name: path.stat().st_ino for path in folder.iterdir()} if folder.is_dir() else {}
        names = dict(self.synced_names.get(folder, {}))
        if chance:
            names.update({name: inode for name, inode in now.items() if chance.random() < 0.5})
        for name, inode in names.items():
            path = folder / name
            if path.is_dir() or path in self.synced_names:
                (image / name).mkdir()
                self._restore(path, image / name, chance)
            elif inode in self.synced_bytes:
                (image / name).write_bytes(self.synced_bytes[inode])
            else:
                torn = path.read_bytes() if path.is_file() else b""
                (image / name).write_bytes(torn[: chance.randrange(len(torn) + 1)] if chance else b"")
