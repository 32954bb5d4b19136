"""Tell from a file's own first bytes which demuxer may read it, never from its name.

FFmpeg guesses among some 400 demuxers, and among them are playlists that open other files. Here a
file is read only by the one demuxer that its signature asks for; everything else is refused with
a reason a person can act on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plainview.media.errors import UnusableMediaError

if TYPE_CHECKING:
    from typing import BinaryIO

HEAD_BYTES: Final = 4096

# (offset, bytes, demuxer). The first that matches wins.
_CONTAINERS: Final = (
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"#!AMR", "amr"),
    (0, b"caff", "caf"),
    (0, b"ID3", "mp3"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
)
_ISO_BOXES: Final = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"free", b"skip", b"wide", b"pnot")
)
_STILL_BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"))

# (offset, bytes, reason): known things that are not recordings.
_OTHERS: Final = (
    (0, b"\xff\xd8\xff", "still_picture"),
    (0, b"\x89PNG\r\n\x1a\n", "still_picture"),
    (0, b"GIF8", "still_picture"),
    (0, b"II*\x00", "still_picture"),
    (0, b"MM\x00*", "still_picture"),
    (8, b"WEBP", "still_picture"),
    (0, b"{\\rtf", "document"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document"),
    (0, b"\x1f\x8b", "archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"Rar!\x1a\x07", "archive"),
    (257, b"ustar", "archive"),
)
_PLAYLISTS: Final = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<MPD", b"<smil", b"v=0\r", b"v=0\n")


def identify(file: BinaryIO) -> str:
    """Name the demuxer that may read this file.

    Args:
        file: seekable; its position is lost.

    Returns:
        FFmpeg's short name of one demuxer: mov, matroska, mpegts, mpeg, avi, asf, flv, ogg, wav, aiff,
        flac, mp3, aac, amr or caf.

    Raises:
        UnusableMediaError: empty, still_picture, document, archive, playlist, or not_media.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise UnusableMediaError("empty")
    container = _container_of(head)
    if container is None:
        raise UnusableMediaError(_reason_for_no_container(head))
    return container


def _container_of(head: bytes) -> str | None:
    if head[4:8] in _ISO_BOXES:
        if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
            raise UnusableMediaError("still_picture")
        return "mov"
    for offset, magic, container in _CONTAINERS:
        if head.startswith(magic, offset):
            return container
    if transport_packets(head) is not None:
        return "mpegts"
    return _raw_audio(head)


def _reason_for_no_container(head: bytes) -> str:
    for offset, magic, reason in _OTHERS:
        if head.startswith(magic, offset):
            return reason
    if head.startswith(b"PK\x03\x04"):
        return "document" if b"[Content_Types].xml" in head or b"mimetypeapplication" in head else "archive"
    if b"%PDF-" in head[:1024]:  # readers accept a PDF header anywhere in the first KiB
        return "document"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PLAYLISTS):
        return "playlist"
    return "not_media"


def transport_packets(head: bytes) -> tuple[int, int] | None:
    """Find where MPEG-TS packets begin and how far apart they are.

    Args:
        head: first bytes of a file, a few packets at least.

    Returns:
        (offset of the first packet, bytes from one to the next: 188 plain, 192 with a time code, 204
        with error correction), or None where this is no transport stream.

    Source: ISO/IEC 13818-1 section 2.4.3.2 (sync_byte is 0x47).
    """
    for period in (188, 192, 204):
        for start in range(period):
            syncs = head[start : start + 8 * period : period]
            if len(syncs) >= 3 and syncs.count(0x47) == len(syncs):
                return start, period
    return None


_FRAMES_IN_A_ROW: Final = 3


def _raw_audio(head: bytes) -> str | None:
    for container, frame_bytes in (("aac", _adts_frame_bytes), ("mp3", _mp3_frame_bytes)):
        at = 0
        for _ in range(_FRAMES_IN_A_ROW):
            size = frame_bytes(head[at : at + 6])
            if size is None:
                break
            at += size
        else:
            return container
    return None


def _adts_frame_bytes(header: bytes) -> int | None:
    """Read the length of one ADTS frame. Source: ISO/IEC 13818-7 section 6.2."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else None


# Layer III bit rates in kbit/s: MPEG-1, then MPEG-2 and 2.5. Source: ISO/IEC 11172-3 section 2.4.2.3
# and ISO/IEC 13818-3 section 2.4.2.3.
_MP3_KBPS: Final = (
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_MP3_HZ: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mp3_frame_bytes(header: bytes) -> int | None:
    """Read the length of one Layer III frame; the free format and other layers answer None."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, rate, hz = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or hz == 3:
        return None
    kbps = _MP3_KBPS[0 if version == 3 else 1][rate - 1]
    samples_over_8 = 144 if version == 3 else 72
    return samples_over_8 * kbps * 1000 // _MP3_HZ[version][hz] + (header[2] >> 1 & 1)
