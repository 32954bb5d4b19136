"""Logs with a mistake in them, which the crash harnesses must catch; if they do not, the harnesses see nothing."""

from plainview.formats.checkpoint import Checkpoint
from plainview.vault.log import TiledLog
from plainview.vault.log_files import LogFolder
from plainview.vault.log_keys import sign_checkpoint
from plainview.vault.log_tree import grow


class PublishesFirst(TiledLog):
    """Publishes the checkpoint before its tiles are there and before it is in the checkpoint store."""

    def append(self, entries, *, sign, key, checkpoints, start=None):
        with self._folder.locked():
            self._begin(sign=sign, key=key, checkpoints=checkpoints)
            known, _, edge = self._check(checkpoints, key=key, database_size=None)
            files, grown = grow(edge, self._not_yet_held(entries, start, edge.size))
            new = Checkpoint(origin=self.origin, size=grown.size, root=grown.root())
            note = sign_checkpoint(new, sign=sign, key=key)
            self._publish(new, note)
            self._folder.write(files)
            checkpoints.replace(self.origin, expected=known, new=new, note=note)
        return new


class SignsFirst(TiledLog):
    """Records the signature before the tiles are there."""

    def append(self, entries, *, sign, key, checkpoints, start=None):
        with self._folder.locked():
            self._begin(sign=sign, key=key, checkpoints=checkpoints)
            known, _, edge = self._check(checkpoints, key=key, database_size=None)
            files, grown = grow(edge, self._not_yet_held(entries, start, edge.size))
            new = Checkpoint(origin=self.origin, size=grown.size, root=grown.root())
            note = sign_checkpoint(new, sign=sign, key=key)
            checkpoints.replace(self.origin, expected=known, new=new, note=note)
            self._folder.write(files)
            self._publish(new, note)
        return new


class NeverSyncs(TiledLog):
    """Writes in the right order and leaves it to the system when it gets to the disk."""

    def __init__(self, root, *, origin):
        super().__init__(root, origin=origin)
        self._folder = _UnsyncedFolder(root)


class _UnsyncedFolder(LogFolder):
    def write(self, files):
        for path, data in files:
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = self.root / ".incoming" / "0"
            aside.write_bytes(data)
            aside.replace(target)


class SyncsFilesOnly(TiledLog):
    """Syncs each file, and never the folder that holds its name."""

    def __init__(self, root, *, origin):
        super().__init__(root, origin=origin)
        self._folder = _NamesUnsynced(root)


class _NamesUnsynced(LogFolder):
    def write(self, files):
        for first in range(0, len(files), 64):
            self._write_some(files[first : first + 64])
