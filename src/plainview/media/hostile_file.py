"""Stand between FFmpeg and a file object that anything may be wrong with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, cast

import av

from plainview.media.errors import UnusableMediaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, NoReturn

    from av.container import InputContainer

# What PyAV raises over hostile bytes: its own tree, and Python's for numbers, names and memory.
LIBRARY_ERRORS: Final = (
    av.FFmpegError,
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    ValueError,
)

# Decoders that recorders, phones and radios need. FFmpeg has some 600 more, old games' among them,
# and each is code that a hostile file could reach.
DECODERS: Final = frozenset(
    (
        *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "mpeg4", "mpeg1video", "mpeg2video", "mjpeg"),
        *("h263", "msmpeg4", "msmpeg4v2", "vc1", "wmv1", "wmv2", "wmv3", "theora", "prores", "dvvideo"),
        *("aac", "aac_latm", "mp2", "mp2float", "mp3", "mp3float", "ac3", "eac3", "opus", "libopus"),
        *("vorbis", "flac", "alac", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"),
        *("wmav1", "wmav2", "wmapro", "wmavoice", "gsm", "gsm_ms", "speex", "g722", "g723_1", "g726"),
        *("g726le", "g729", "adpcm_ima_wav", "adpcm_ms", "adpcm_yamaha", "adpcm_ima_qt"),
        *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
        *("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
        *("pcm_bluray", "pcm_dvd"),
    )
)


class HostileFile:
    """A file object for FFmpeg that never raises and has no name.

    A failing read (a broken disk, a chunk that does not decrypt) looks like the end of the file to
    FFmpeg and is kept in failure, because it says nothing about the media. Seeking is arithmetic, so
    that an absurd offset cannot reach the real file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self.failure: Exception | None = None
        self.size_bytes = file.seek(0, 2)

    def read(self, size: int = -1) -> bytes:
        """Read at most size bytes; b"" at the end and after a failure."""
        if self.failure is not None or self._at >= self.size_bytes:
            return b""
        try:
            self._file.seek(self._at)
            data = self._file.read(size)
        except Exception as error:  # noqa: BLE001 whatever the reader raises is raised again by probe
            self.failure = error
            return b""
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as io.IOBase.seek does; an offset before the start answers -1 and moves nothing."""
        target = offset + (0, self._at, self.size_bytes)[whence]
        if target < 0:
            return -1
        self._at = target
        return target

    def tell(self) -> int:
        """Tell the position."""
        return self._at

    def as_binary(self) -> BinaryIO:
        """Give itself to functions that only seek and read."""
        return cast("BinaryIO", self)


@contextlib.contextmanager
def open_hostile(file: HostileFile, container: str) -> Iterator[InputContainer]:
    """Open for reading with one demuxer, the listed decoders and no way to reach another file.

    Args:
        file: the bytes.
        container: what identify() said; no other demuxer is tried.

    Raises:
        UnusableMediaError: absurd_header where memory ran out, else unreadable.
    """
    file.seek(0)
    options: dict[str, str] = {
        "protocol_whitelist": "",
        "format_whitelist": container,
        "codec_whitelist": ",".join(sorted(DECODERS)),
    }
    try:
        opened = av.open(
            cast("Any", file),
            mode="r",
            format=container,
            options=options,
            metadata_errors="replace",
            io_open=_refuse_other_files,
        )
    except MemoryError as error:
        raise UnusableMediaError("absurd_header", "Reading it took more memory than is allowed.") from error
    except LIBRARY_ERRORS as error:
        raise UnusableMediaError("unreadable", f"Expected a {container} file.") from error
    try:
        for stream in opened.streams:
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1  # the jail limits this process, not its threads
        yield opened
    finally:
        with contextlib.suppress(*LIBRARY_ERRORS):
            opened.close()


def _refuse_other_files(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    del url, flags, options
    raise PermissionError("a recording may not open other files")
