"""The long work inside the decoder jail: copies and pictures to show, and the stretches of speech to be heard outside.

Imported by the jail's server, so it imports no Django, and everything it needs before the doors close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from plainview.media.derive import derive
from plainview.media.derived import derived_to_json
from plainview.media.playable import needs_copy
from plainview.media.probe import probe
from plainview.media.speech import find_speech, pack_speech, speech_report_to_json
from plainview.media.viewing import copy_head_bytes
from plainview.service.jail_output import OutputFile, leave_room, report_progress
from plainview.vault.reader import open_sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plainview.media.speech import Speech

# Outputs by number, as evidence.rules.DERIVATIVE_KINDS names them.
KINDS: Final = ("viewing_copy", "storyboard", "waveform")


def derive_sealed(fd: int, argument: Mapping[str, Any]) -> dict[str, Any]:
    """Make everything that a recording's page shows, decoding the recording once.

    Args:
        fd: the original's ciphertext, read-only.
        argument: "key", the object's key, 32 bytes; "threads", for decoding and encoding.

    Returns:
        "reason", why browsers cannot play the original itself, or None; "derived", what was made, as JSON.

    Raises:
        UnusableMediaError, UnderivableMediaError: nothing can be made of it.
    """
    with open_sealed(fd, argument["key"]) as original:
        source = cast("BinaryIO", original)
        probed = probe(source)
        reason = needs_copy(probed)
        if reason is not None:
            leave_room(0, copy_head_bytes(probed))
        files = [cast("BinaryIO", OutputFile(number)) for number in range(len(KINDS))]
        made = derive(
            source,
            viewing_copy=None if reason is None else files[0],
            storyboard=files[1],
            waveform=files[2],
            on_progress=report_progress,
            probed=probed,
            threads=argument["threads"],
        )
        return {"reason": reason, "derived": derived_to_json(made)}


def speech_sealed(fd: int, argument: Mapping[str, Any]) -> dict[str, Any]:
    """Find the stretches that may be speech; each goes to output 0 in one piece.

    Args:
        fd: the original's ciphertext, read-only.
        argument: "key", the object's key, 32 bytes.

    Returns:
        What the search says of the sound as a whole, as JSON.

    Raises:
        UnusableMediaError, UnderivableMediaError: it cannot be decoded.
    """
    output = OutputFile(0)

    def hand_on(speech: Speech) -> None:
        output.write(pack_speech(speech))

    with open_sealed(fd, argument["key"]) as original:
        source = cast("BinaryIO", original)
        report = find_speech(source, on_speech=hand_on, on_progress=report_progress)
        return speech_report_to_json(report)
