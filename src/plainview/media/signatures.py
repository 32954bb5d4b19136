"""Say which kinds of signatures a file carries, without judging any: whose keys would be trusted is not known here.

Only the beginning is looked at: the outermost boxes, and the first packets of each picture stream. A camera that signs
does so at least once every few seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plainview.formats.capture import JOURNAL_BOX
from plainview.media.boxes import first_boxes
from plainview.media.facts import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

# Ten seconds at 60 pictures a second; a group of pictures is rarely longer.
MOST_PACKETS: Final = 600
MOST_BYTES: Final = 64 << 20
_MOST_BOXES: Final = 256
_MOST_UNITS: Final = 4096
# Signatures come in small units; what is longer is picture.
_MOST_SEI_BYTES: Final = 1 << 20

# Sources: the ONVIF Media Signing specification; Axis's signed-video-framework; C2PA 2.x, "Embedding manifests into
# BMFF-based assets".
_SEI: Final = {
    bytes.fromhex("005bc93f2d715e95ada4796f90877a6f"): "onvif_media_signing",
    bytes.fromhex("5369676e656420566964656f2e2e2e30"): "axis_signed_video",
}
_BOXES: Final = {
    bytes.fromhex("d8fec3d61b0e483c92975828877ec481"): "c2pa",
    JOURNAL_BOX: "plainview_journal",
}
_USER_DATA_UNREGISTERED: Final = 5


def box_signatures(file: BinaryIO, *, size_bytes: int) -> set[str]:
    """Return which of SIGNATURES stand in the outermost boxes of an MP4 or MOV.

    Args:
        file: seekable; its position is lost.
        size_bytes: of the file.
    """
    found = set()
    for kind, body in first_boxes(file, size_bytes=size_bytes, most=_MOST_BOXES, body_bytes=16):
        if kind == b"uuid" and body in _BOXES:
            found.add(_BOXES[body])
        elif kind == b"jumb":
            found.add("c2pa")
    return found


class SeiScan:
    """Looks for signatures between the pictures of a stream, as far as MOST_PACKETS and MOST_BYTES.

    Attributes:
        found: which of SIGNATURES were seen.
    """

    def __init__(self, *, codec: str | None, extradata: bytes) -> None:
        """Begin a stream.

        Args:
            codec: FFmpeg's name; anything but h264 and hevc has nothing to look for.
            extradata: the decoder's set-up, which says how units are told apart.
        """
        self.found: set[str] = set()
        self._codec = codec if codec in ("h264", "hevc") else None
        self._length_bytes = _length_bytes(codec, extradata)
        self._packets_left, self._bytes_left = MOST_PACKETS, MOST_BYTES

    def wants(self, size_bytes: int) -> bool:
        """Say whether a packet of so many bytes is still to be looked at."""
        return self._codec is not None and self._packets_left > 0 and size_bytes <= self._bytes_left

    def look(self, data: bytes) -> None:
        """Look at a packet."""
        self._packets_left -= 1
        self._bytes_left -= len(data)
        units = _by_start_codes(data) if self._length_bytes is None else _by_lengths(data, self._length_bytes)
        for unit in units:
            payload = _sei_payload(unit, is_hevc=self._codec == "hevc")
            for uuid in _user_data(payload):
                if uuid in _SEI:
                    self.found.add(_SEI[uuid])


def in_order(found: set[str]) -> tuple[str, ...]:
    """Return what was found in the order of SIGNATURES."""
    return tuple(code for code in SIGNATURES if code in found)


def _length_bytes(codec: str | None, extradata: bytes) -> int | None:
    """Return how long the lengths before units are; None where start codes stand between them.

    Source: ISO/IEC 14496-15 sections 5.3.3.1 and 8.3.3.1.
    """
    place = 4 if codec == "h264" else 21
    if len(extradata) <= place or extradata[0] != 1:
        return None
    return (extradata[place] & 3) + 1


def _by_lengths(data: bytes, length_bytes: int) -> Iterator[bytes]:
    at = 0
    for _ in range(_MOST_UNITS):
        size = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        if size == 0 or at + size > len(data):
            return
        if size <= _MOST_SEI_BYTES:
            yield data[at : at + size]
        at += size


def _by_start_codes(data: bytes) -> Iterator[bytes]:
    """Yield what stands between start codes.

    Source: ITU-T H.264 Annex B.
    """
    at = data.find(b"\0\0\1")
    for _ in range(_MOST_UNITS):
        if at < 0:
            return
        after = data.find(b"\0\0\1", at + 3)
        end = len(data) if after < 0 else after
        if end - at <= _MOST_SEI_BYTES:
            yield data[at + 3 : end]
        at = after


def _sei_payload(unit: bytes, *, is_hevc: bool) -> bytes:
    """Return the messages of a unit of supplemental information, or nothing for any other.

    Source: ITU-T H.264 section 7.3.1 (type 6), H.265 section 7.3.1 (types 39 and 40).
    """
    header = 2 if is_hevc else 1
    if len(unit) <= header:
        return b""
    is_sei = (unit[0] >> 1) & 0x3F in (39, 40) if is_hevc else unit[0] & 0x1F == 6
    # An emulation prevention byte keeps what looks like a start code from being one.
    return unit[header:].replace(b"\0\0\3", b"\0\0") if is_sei else b""


def _user_data(payload: bytes) -> Iterator[bytes]:
    """Yield the identifier of each message that carries user data with one.

    Source: ITU-T H.264 section 7.3.2.3.1 and D.2.6.
    """
    at = 0
    # The last byte ends the unit and is no message.
    while at + 2 < len(payload):
        kind, at = _long(payload, at)
        size, at = _long(payload, at)
        if kind == _USER_DATA_UNREGISTERED and size >= 16:
            yield payload[at : at + 16]
        at += size


def _long(payload: bytes, at: int) -> tuple[int, int]:
    """Read a number whose every full byte says that more follows."""
    value = 0
    while at < len(payload) and payload[at] == 0xFF:
        value, at = value + 255, at + 1
    return value + (payload[at] if at < len(payload) else 0), at + 1
