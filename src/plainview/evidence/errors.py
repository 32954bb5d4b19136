"""Errors of evidence.

EvidenceError
├── NoSuchRecordingError
│   └── NoSuchPartError
├── RestrictedError
├── AlreadyReceivedError
├── NoSuchUploadError
├── TooManyUploadsError
├── DeviceTakenError
├── TimesError
├── NoSuchCameraError
├── CameraNameTakenError
├── FingerprintDiffersError
├── NotWaitingError
├── TooManyRequestsError
├── DockNameTakenError
├── NoSuchDockError
├── NoSuchDockingError
├── NoSuchOffloadError
├── TooManyOffloadsError
├── WornByAnotherError
└── NoSuchBadgeError
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


class NoSuchPartError(NoSuchRecordingError):
    """A recording has no part of this number."""

    def __init__(self, identifier: str, number: int) -> None:
        super().__init__(identifier)
        self.args = (f"{identifier} has no part {number}.",)


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


class NoSuchCameraError(EvidenceError):
    """There is no camera of this make and serial number, or none that signs."""

    def __init__(self, serial: str, problem: str = "There is no camera") -> None:
        super().__init__(f"{problem} with serial number {serial!a:.80}. List them: plainview cameras list")
        self.serial = serial


class CameraNameTakenError(EvidenceError):
    """A camera asks to be admitted under a name that belongs to another one.

    Attributes:
        name: that it asks for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is another camera's name: its make differs, or it is not the one whose key this is. "
            "Give the camera another serial number, or look who asks."
        )
        self.name = name


class FingerprintDiffersError(EvidenceError):
    """A person compared two fingerprints, and they differ."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(
            f"The camera that asks has the key {expected}, you gave {got!a:.80}. Nothing was changed. Compare with "
            "what the camera shows."
        )


class NotWaitingError(EvidenceError):
    """A camera's key is not in the state that the deed is for.

    Attributes:
        state: in which it is.
    """

    def __init__(self, name: str, state: str) -> None:
        super().__init__(f"The key of {name} is {state or 'not known'}. Nothing was changed.")
        self.state = state


class TooManyRequestsError(EvidenceError):
    """So many cameras wait to be admitted that somebody has to answer first."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} cameras wait to be admitted. Admit or refuse some, then go on.")


class DockNameTakenError(EvidenceError):
    """There is a dock of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a dock {name!a:.80} already. Nothing was changed. Choose another name.")


class NoSuchDockError(EvidenceError):
    """There is no dock of this name, or it is closed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no open dock {name!a:.80}. List them: plainview docks list")


class NoSuchDockingError(EvidenceError):
    """No camera is docked under this number in this dock."""

    def __init__(self, key: int) -> None:
        super().__init__(f"There is no docking {key} in this dock. Dock the camera anew.")


class NoSuchOffloadError(EvidenceError):
    """This dock hands in nothing under this name; absent and another dock's answer alike."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no offload {name!a:.40}. Begin anew.")


class TooManyOffloadsError(EvidenceError):
    """A dock has begun so many files and not sent them that it has to finish some."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} files are begun and not sent. Finish some, or cancel them, then go on.")


class WornByAnotherError(EvidenceError):
    """A camera is another's, and whoever takes it did not say that they are sure.

    Attributes:
        assigned: whose it is, as the wall shows it.
    """

    def __init__(self, assigned: str) -> None:
        super().__init__(f"It is assigned to {assigned}. Take it all the same?")
        self.assigned = assigned


class NoSuchBadgeError(EvidenceError):
    """There is nobody on the roster with this badge number."""

    def __init__(self, badge: str) -> None:
        super().__init__(f"There is nobody on the roster with badge number {badge!a:.40}.")
