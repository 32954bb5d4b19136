"""What runs inside the decoder jail: one object's ciphertext and its key come in, plain facts go out.

Imported by the jail's server, so it imports no Django, and everything it needs before the doors close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, cast

from plainview.media.facts import probe_to_json
from plainview.media.probe import probe
from plainview.vault.reader import open_sealed

if TYPE_CHECKING:
    from collections.abc import Mapping


def probe_sealed(fd: int, argument: Mapping[str, Any]) -> dict[str, Any]:
    """Examine one sealed original.

    Args:
        fd: its ciphertext, read-only.
        argument: "key", the object's key, 32 bytes.

    Returns:
        The probe as JSON.

    Raises:
        UnusableMediaError: nothing in it can be played.
    """
    with open_sealed(fd, argument["key"]) as original:
        return probe_to_json(probe(cast("BinaryIO", original)))
