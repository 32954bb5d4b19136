"""Everything that people offer: footage of every kind, and what they mistake for it. One row each of docs/ingest.md."""

from __future__ import annotations

import functools
import io
import os
import random
import socket
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators import media_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Offered:
    """One thing offered.

    Attributes:
        row: what docs/ingest.md calls it.
        name: of the file.
        make: writes it at a path.
        status: what becomes of it.
        reason: the code, for what is quarantined or refused.
    """

    row: str
    name: str
    make: Callable[[Path], object]
    status: str
    reason: str | None


def _bytes(data):
    return lambda path: path.write_bytes(data())


def _video(container="mp4", **changes):
    return functools.partial(media_files.media_file, container, **({"seconds": 1.0} | changes))


def _index_removed():
    whole = media_files.progressive_mp4(seconds=1.1)
    return whole[: whole.index(b"moov") - 4]


def _cut_before_anything_plays():
    whole = media_files.fast_start_mp4(seconds=1.2)
    return whole[: whole.index(b"mdat") + 4]


def _cut_in_the_middle():
    return media_files.fragmented_mp4(seconds=2.1)[:9000]


def _absurd_header():
    whole = bytearray(media_files.progressive_mp4(seconds=1.3))
    count = whole.index(b"stsz") + 12
    whole[count : count + 4] = b"\xff\xff\xff\xff"
    return bytes(whole)


def _archive():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("inside.mp4", b"x" * 100)
    return target.getvalue()


def _socket(path):
    # The path may be too long for a socket's address; the folder's descriptor is a short way to it.
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


OFFERED = [
    Offered("Video with sound, MP4", "plain.mp4", _bytes(_video()), "received", None),
    Offered("Video without sound", "silent.mp4", _bytes(_video(audio_streams=0)), "received", None),
    Offered("Sound without video", "radio.wav", _bytes(media_files.wav_file), "received", None),
    Offered("Several pictures and sounds in one file", "several.mp4",
            _bytes(_video(video_streams=2, audio_streams=2)), "received", None),
    Offered("Matroska", "clip.mkv", _bytes(_video("matroska")), "received", None),
    Offered("MPEG transport stream", "clip.ts", _bytes(_video("mpegts")), "received", None),
    Offered("Fragmented MP4", "fragmented.mp4", _bytes(media_files.fragmented_mp4), "received", None),
    Offered("Cut off, and what is left plays", "cut.mp4", _bytes(_cut_in_the_middle), "received", None),
    Offered("MP4 whose index is missing", "no-index.mp4", _bytes(_index_removed), "quarantined", "no_index"),
    Offered("Cut off before anything plays", "too-short.mp4", _bytes(_cut_before_anything_plays),
            "quarantined", "truncated"),
    Offered("Damaged, or with sizes no recording has", "absurd.mp4", _bytes(_absurd_header),
            "quarantined", "unreadable"),
    Offered("Text named .mp4", "letter.mp4", lambda path: path.write_text("Dear Sir,\n" * 30),
            "quarantined", "not_media"),
    Offered("Random bytes", "noise.mp4", lambda path: path.write_bytes(random.Random(7).randbytes(70_000)),
            "quarantined", "not_media"),
    Offered("A photograph", "photo.jpg", _bytes(media_files.still_picture), "quarantined", "still_picture"),
    Offered("A PDF or office document", "form.pdf", lambda path: path.write_bytes(media_files.MINIMAL_PDF),
            "quarantined", "document"),
    Offered("An archive", "card.zip", _bytes(_archive), "quarantined", "archive"),
    Offered("A playlist", "list.m3u8", lambda path: path.write_text("#EXTM3U\nhttp://192.0.2.1/a.ts\n"),
            "quarantined", "playlist"),
    Offered("A file without bytes", "empty.mp4", lambda path: path.touch(), "refused", "empty"),
    Offered("A pipe, socket or device", "pipe.mp4", os.mkfifo, "refused", "not_a_file"),
    Offered("A pipe, socket or device", "socket.mp4", _socket, "refused", "not_a_file"),
    Offered("A link in place of a file", "link.mp4", lambda path: path.symlink_to("plain.mp4"), "refused", "link"),
    Offered("A link in place of a file", "dangling.mp4", lambda path: path.symlink_to("nowhere"), "refused", "link"),
    Offered("A link in place of a file", "ring.mp4", lambda path: path.symlink_to("ring.mp4"), "refused", "link"),
]  # fmt: skip


def make_all(folder):
    """Make everything in a folder."""
    for offered in OFFERED:
        offered.make(folder / offered.name)


@functools.cache
def _small_video():
    return media_files.progressive_mp4(seconds=1.0)


def footage(number):
    """Return a small MP4 whose bytes nobody else has: the same picture, and a box that players pass over."""
    return _small_video() + media_files.box(b"free", f"only {number}".encode())
