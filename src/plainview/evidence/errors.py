"""Errors of evidence.

EvidenceError
├── NoSuchRecordingError
├── RestrictedError
├── AlreadyReceivedError
├── NoSuchUploadError
├── TooManyUploadsError
├── DeviceTakenError
└── TimesError
"""


class EvidenceError(Exception):
    """Something about recordings or devices cannot be done as asked."""


class NoSuchRecordingError(EvidenceError):
    """No recording this viewer may know of has this identifier; absent and forbidden answer alike."""

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"There is no recording {identifier}. Check the identifier, or list them: plainview list"
        )
        self.identifier = identifier


class RestrictedError(EvidenceError):
    """A viewer may know of a recording, and not do this with it."""

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"{identifier} is recorded and restricted. Its custodian can tell you who may see it."
        )
        self.identifier = identifier


class AlreadyReceivedError(EvidenceError):
    """These bytes have been received before.

    Attributes:
        sha256: of the original, 64 hex digits.
    """

    def __init__(self, sha256: str) -> None:
        super().__init__(f"An original with SHA-256 {sha256} was received before.")
        self.sha256 = sha256


class NoSuchUploadError(EvidenceError):
    """Nobody hands in anything under this name, or somebody else does; absent and forbidden answer alike."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no upload {name:.40}. Begin anew.")
        self.name = name


class TooManyUploadsError(EvidenceError):
    """Somebody has begun so many files and not sent them that they have to finish some."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} files are begun and not sent. Finish some, or cancel them, then go on.")
        self.limit = limit


class DeviceTakenError(EvidenceError):
    """A device of this make has this serial number already."""

    def __init__(self, make: str, serial: str) -> None:
        super().__init__(f"There is a {make} device with serial number {serial!r} already.")


class TimesError(EvidenceError):
    """A recording's times contradict each other."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
