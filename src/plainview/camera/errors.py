"""Errors of the camera.

CameraError
├── SourceError             picture or sound cannot be had
├── UnreadableOrdersError   orders that are not for this camera, or not newer
├── NoOrdersError           nobody has admitted this camera yet
├── StorageFullError        no room for what was to be written
└── StorageFaultError       the storage failed
"""

from __future__ import annotations


class CameraError(Exception):
    """Something that the person who runs a camera can act on; the message says how."""


class SourceError(CameraError):
    """Picture or sound cannot be had.

    Attributes:
        source: what was asked for, such as "v4l2:/dev/video0".
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source


class UnreadableOrdersError(CameraError):
    """Orders that are not this camera's, not signed by its department, or not newer than those it has."""


class NoOrdersError(CameraError):
    """Nobody has admitted this camera yet, so there is nobody to seal a recording to."""


class StorageFullError(CameraError):
    """No room for what was to be written; what was written before it is whole."""


class StorageFaultError(CameraError):
    """The storage failed; what was written before it is whole as far as the storage kept it."""
