"""Recorders that lose evidence, each a mistake somebody has made. A harness that lets one pass is no harness."""

from contextlib import contextmanager
from unittest import mock

from plainview.camera import identity, stream
from plainview.camera.disk import PRIVATE_MODE
from plainview.camera.folders import head_path, list_streams
from plainview.camera.stream import StreamWriter, begin_stream
from simulators.power_cuts import CameraModelDisk


class NoFileSync(CameraModelDisk):
    """A camera on it never syncs its files."""

    def sync(self, fd):
        self._tick()


class NoFolderSync(CameraModelDisk):
    """A camera on it never syncs its folders."""

    def sync_folder(self, path):
        self._tick()


class JournalFirstWriter(StreamWriter):
    """Signs a fragment, and puts the line on the disk, before the fragment is there."""

    def _put(self, line, *, is_synced, is_stop=False):
        super()._put(line, is_synced=False, is_stop=is_stop)
        if self._footage is not None and is_synced:
            self._footage.sync()


def begin_journal_first(camera, **fields):
    with mock.patch.object(stream, "StreamWriter", JournalFirstWriter):
        return begin_stream(camera, **fields)


class AppendsAfterRecovery:
    """Goes on in the recording that a loss of power ended, behind whatever its files end in."""

    def __init__(self):
        self.left = None

    def __call__(self, camera, *, purpose, start, init):
        if purpose != "recording":
            return begin_stream(camera, purpose=purpose, start=start, init=init)
        if self.left is None or not self._reopen(camera):
            self.left = begin_stream(camera, purpose=purpose, start=start, init=init)
        return self.left

    def _reopen(self, camera):
        writer, disk = self.left, camera.disk
        is_of_now = writer._camera is camera
        if is_of_now or writer._is_closed or writer.stream not in list_streams(disk, camera.storage):
            return False
        writer._camera, writer._disk, writer._is_sound = camera, disk, True
        writer._head_fd = disk.create(head_path(camera.home, writer.stream), PRIVATE_MODE)
        for file in (writer._footage, writer._lines):
            file._disk, file._fd = disk, disk.open_to_append(file._path)
        camera.open_streams.add(writer.stream)
        return True


@contextmanager
def blind_power_on():
    """Let cameras go on from what they remember, without looking at what is on the disk."""
    with mock.patch.object(identity, "recover_state", lambda disk, *, home, storage, state: state):
        yield
