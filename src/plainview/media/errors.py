"""What can go wrong while media is read.

MediaError
├── UnusableMediaError       the bytes are kept, but nothing in them can be played; says why
├── UnderivableMediaError    the recording may play, but what was asked cannot be made of it; says why
├── MalformedProbeError      a stored or received probe result is not one that we would have written
├── MalformedDerivedError    the same for what was made of a recording
├── MalformedSpeechError     the same for speech on its way to an engine
├── MalformedTranscriptError the same for a transcript
├── NotAModelError           a folder offered as a speech model holds none
└── ModelError               an installed speech model is incomplete or altered
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The closed set of reasons. The sentence is what a person reads beside the file's name.
UNUSABLE_REASONS: Final[Mapping[str, str]] = {
    "empty": "The file has no bytes.",
    "not_media": "The file is no kind of audio or video that Plainview reads.",
    "still_picture": "The file is a still picture, not a recording.",
    "document": "The file is a document, not a recording.",
    "archive": "The file is an archive; unpack it and ingest the files inside.",
    "playlist": "The file is a playlist: it names other files and holds no recording itself.",
    "no_index": "The MP4 index (moov) is missing: the recording was never closed or its end is cut off.",
    "truncated": "The file is cut off before anything in it can be played.",
    "absurd_header": "The file's header claims sizes that no recording has.",
    "too_many_streams": "The file holds more streams than any recorder writes.",
    "unreadable": "The file's structure is damaged and cannot be read.",
    "no_sound_or_picture": "The file holds neither sound nor picture.",
    "empty_stream": "The file declares sound or picture but holds none.",
    "unknown_codec": "The sound and picture are coded in a way that Plainview does not read.",
    "undecodable": "No part of the sound or picture that was tried can be decoded.",
}

# The same for recordings that can be played, but not made into what was asked.
UNDERIVABLE_REASONS: Final[Mapping[str, str]] = {
    "too_long": "The recording claims to be longer than anything that is recorded in one piece.",
    "no_picture": "The recording has no picture that can be decoded.",
    "no_sound": "The recording has no sound that can be decoded.",
    "nothing_decoded": "Nothing in the recording could be decoded this time.",
    "another_file": "This is not the file that was probed; probe it again.",
    "unencodable": "The picture or sound has a form that no viewing copy can hold.",
}


class MediaError(Exception):
    """Base of every error that media raises on purpose."""


class UnusableMediaError(MediaError):
    """The bytes are not a playable recording.

    Attributes:
        jail_reason: a key of UNUSABLE_REASONS.
        detail: what was expected and found, in our own words; never text from the file. May be "".
    """

    def __init__(self, jail_reason: str, detail: str = "") -> None:
        if jail_reason not in UNUSABLE_REASONS:
            raise ValueError(f"{jail_reason!r} is not a reason; expected one of {sorted(UNUSABLE_REASONS)}")
        self.jail_reason = jail_reason
        self.detail = detail
        super().__init__(f"{UNUSABLE_REASONS[jail_reason]} {detail}".rstrip())

    def __reduce__(self) -> tuple[type[UnusableMediaError], tuple[str, str]]:
        """Pickle as the two facts: the error crosses from the decoder jail to its parent."""
        return type(self), (self.jail_reason, self.detail)


class UnderivableMediaError(MediaError):
    """What was asked cannot be made of this recording.

    Attributes:
        jail_reason: a key of UNDERIVABLE_REASONS.
        detail: what was expected and found, in our own words; never text from the file. May be "".
    """

    def __init__(self, jail_reason: str, detail: str = "") -> None:
        self.jail_reason = jail_reason
        self.detail = detail
        super().__init__(f"{UNDERIVABLE_REASONS[jail_reason]} {detail}".rstrip())

    def __reduce__(self) -> tuple[type[UnderivableMediaError], tuple[str, str]]:
        """Pickle as the two facts."""
        return type(self), (self.jail_reason, self.detail)


class MalformedProbeError(MediaError):
    """A probe result breaks its own format.

    Attributes:
        where: dotted place in the value, such as "streams.0.width".
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        super().__init__(
            f"The probe result is not usable at {where or 'its top'}: {problem}. Probe the original again."
        )


class MalformedDerivedError(MediaError):
    """What is said to have been made of a recording breaks its own format."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"What was made of the recording is not usable: {problem}. Make it again.")


class MalformedSpeechError(MediaError):
    """Speech that comes from the decoder jail breaks its own format."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The speech found in the recording is not usable: {problem}. Look for it again.")


class MalformedTranscriptError(MediaError):
    """A transcript breaks its own format."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The transcript is not usable: {problem}. Make it again.")


class NotAModelError(MediaError):
    """What was offered as a speech model is none."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}. Nothing was installed. Expected a folder with a Whisper model converted for faster-whisper "
            "(CTranslate2): config.json, model.bin, tokenizer.json and vocabulary.json or vocabulary.txt."
        )


class ModelError(MediaError):
    """An installed speech model cannot be used; nothing about the recording is said.

    Attributes:
        name: of the model.
    """

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(
            f"The speech model {name} cannot be used: {problem}. Delete its folder in the data directory's models/ and "
            "install it anew: plainview models install --help"
        )
