"""Errors of what a camera keeps, and of giving it to a dock.

CameraError
├── CameraHomeError         the folder that holds the camera's key and count cannot be used
├── NoSuchStreamError       no such recording or journal on this camera
├── ReceiptRefusedError     a receipt that is not for what the camera holds
└── StreamOpenError         a recording or journal that is still being written
"""

from __future__ import annotations

from plainview.camera.errors import CameraError


class CameraHomeError(CameraError):
    """The folder that holds the camera's key and count cannot be used: absent, damaged, taken, or in use."""


class NoSuchStreamError(CameraError):
    """No such recording or journal on this camera."""


class StreamOpenError(CameraError):
    """A recording or journal that is still being written; it is given to a dock once it is closed."""


class ReceiptRefusedError(CameraError):
    """A receipt that is not for what the camera holds; nothing was erased."""
