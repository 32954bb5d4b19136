"""Errors of the dock.

DockError
+-- SetUpError
+-- ServerError
|   +-- ServerBusyError
|   |   +-- ServerGoneError
|   +-- NotLetInError
|   +-- OffsetDiffersError
|   +-- OffloadLostError
+-- CameraError
|   +-- CameraGoneError
|   +-- UnreadableFileError
|   +-- FileChangedError
+-- NotCoveredError
"""

from __future__ import annotations


class DockError(Exception):
    """Something the dock cannot do; its text is one sentence that a person can act on."""


class SetUpError(DockError):
    """The dock is not set up, or not so that it could be used."""


class ServerError(DockError):
    """The server refused something, and would refuse it again.

    Attributes:
        status: of the answer; 0 where there was none.
        code: the server's own word for it, where it gave one.
    """

    def __init__(self, text: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


class ServerBusyError(ServerError):
    """The server cannot just now; the same is worth asking again.

    Attributes:
        wait_s: how long it asked to be left alone; 0 where it did not say.
    """

    def __init__(self, text: str, *, status: int = 0, wait_s: float = 0.0) -> None:
        super().__init__(text, status=status)
        self.wait_s = wait_s


class ServerGoneError(ServerBusyError):
    """No answer came, or only half of one."""


class NotLetInError(ServerError):
    """The server does not know this dock's token, or has closed the dock."""


class OffsetDiffersError(ServerError):
    """The server has another number of bytes than the dock thought; asking how many puts it right."""


class OffloadLostError(ServerError):
    """What had been handed in is gone, or is another file: begin anew."""


class CameraError(DockError):
    """The camera, or its card, refused something."""


class CameraGoneError(CameraError):
    """The camera is not there any more."""


class UnreadableFileError(CameraError):
    """A file cannot be read from the camera or card; others may be."""


class FileChangedError(CameraError):
    """A file is another than it was a moment ago: something writes it, or the card is another."""


class NotCoveredError(DockError):
    """A receipt does not show that a file is safe, so the file stays where it is."""
