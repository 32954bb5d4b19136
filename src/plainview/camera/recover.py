"""At power-on: find out how far each journal came that was open when the power went, and forget what never began.

Nothing is ever appended to such a stream, and nothing of it is cut off: NOT CLOSED is the truth. The next journal's
`previous` names the last line of it that is there, and a `recovered` event says that it was found so.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from plainview.camera.disk import PRIVATE_MODE, read_file, write_atomically
from plainview.camera.erase import finish_erasing, remove_stream
from plainview.camera.folders import (
    JOURNAL,
    head_path,
    list_streams,
    read_about,
    stream_path,
    write_about,
)
from plainview.camera.state import HEAD_PREFIX, parse_heads, stream_counter
from plainview.formats.capture import STREAM_ID, PreviousJournal
from plainview.formats.errors import FormatError
from plainview.formats.sealed_file import sealed_header_bytes

if TYPE_CHECKING:
    from plainview.camera.disk import CameraDisk
    from plainview.camera.state import CameraState, JournalHead

# What somebody else put on a card must not use up a camera's numbers.
_NEAR = 8
# Far more than the journal of a week.
_JOURNAL_LIMIT_BYTES = 1 << 30


def recover_state(disk: CameraDisk, *, home: str, storage: str, state: CameraState) -> CameraState:
    """Return what a camera must remember, from what it remembered and what is on its disk.

    What it returns must be kept durably before forget_heads is called; until then it can be called again.

    Args:
        disk: where both folders lie.
        home: the camera's own folder.
        storage: the folder with what it recorded.
        state: as it was kept last.

    Raises:
        OSError: the disk failed.
    """
    finish_erasing(disk, storage)
    never_begun = set()
    for stream in open_heads(disk, home):
        heads = parse_heads(read_file(disk, head_path(home, stream), limit_bytes=_JOURNAL_LIMIT_BYTES))
        head = _last_line(disk, storage, stream, heads)
        if head is None:
            never_begun.add(stream)
        else:
            state = _with_journal(disk, storage, state, stream, head)
    for stream in list_streams(disk, storage):
        is_new = stream_counter(stream) > state.counter
        if is_new and (stream in never_begun or not _sealed_lines(disk, storage, stream)):
            # What cannot be removed must not keep a camera from starting; its number is passed over.
            with contextlib.suppress(OSError):
                forget_stream(disk, home=home, storage=storage, stream=stream)
    counters = [stream_counter(stream) for stream in list_streams(disk, storage)]
    near = [counter for counter in counters if counter <= state.counter + _NEAR]
    return replace(state, counter=max([state.counter, *near]))


def open_heads(disk: CameraDisk, home: str) -> list[str]:
    """Return the streams that have a head file, in the order they were begun."""
    names = (
        name.removeprefix(HEAD_PREFIX) for name in disk.list_folder(home) if name.startswith(HEAD_PREFIX)
    )
    return sorted((name for name in names if STREAM_ID.match(name)), key=stream_counter)


def forget_heads(disk: CameraDisk, home: str) -> None:
    """Remove the head files that recover_state has read."""
    for stream in open_heads(disk, home):
        disk.unlink(head_path(home, stream))
    disk.sync_folder(home)


def forget_stream(disk: CameraDisk, *, home: str, storage: str, stream: str) -> None:
    """Remove a stream that never began, so that its number can be used again.

    Raises:
        OSError: the disk failed.
    """
    # A folder that is gone while its head has lines was taken away, and must show: the head goes empty first.
    write_atomically(disk, head_path(home, stream), b"", mode=PRIVATE_MODE)
    if disk.is_folder(stream_path(storage, stream)):
        remove_stream(disk, storage, stream)
    disk.unlink(head_path(home, stream))


def _last_line(disk: CameraDisk, storage: str, stream: str, heads: list[JournalHead]) -> JournalHead | None:
    """Return the head of the last line that is there, or that was; None where nothing was ever begun."""
    is_there = [
        head.sealed_sha256 == sealed
        for head, sealed in zip(heads, _sealed_lines(disk, storage, stream), strict=False)
    ]
    whole = is_there.index(False) if False in is_there else len(is_there)
    # A head is written once the line before it is on the disk. If such a line is gone now, somebody took it: what
    # the next journal names must be what was there, so that it shows.
    size = max(whole, len(heads) - 1)
    if not size and heads and not disk.is_folder(stream_path(storage, stream)):
        # The folder was on the disk before its head had a line.
        size = 1
    return heads[size - 1] if size else None


def _with_journal(
    disk: CameraDisk, storage: str, state: CameraState, stream: str, head: JournalHead
) -> CameraState:
    journal = PreviousJournal(stream=stream, size=head.size, root=head.root)
    if head.is_stop:
        if disk.is_folder(stream_path(storage, stream)):
            write_about(disk, storage, replace(read_about(disk, storage, stream), is_closed=True))
    elif journal not in state.unreported:
        state = replace(state, unreported=(*state.unreported, journal))
    if stream_counter(stream) >= state.counter:
        state = replace(state, counter=stream_counter(stream), previous=journal)
    return state


def _sealed_lines(disk: CameraDisk, storage: str, stream: str) -> list[str]:
    """Return the SHA-256 in hex of each piece of a sealed journal, up to one that is not whole."""
    try:
        data = read_file(disk, f"{stream_path(storage, stream)}/{JOURNAL}", limit_bytes=_JOURNAL_LIMIT_BYTES)
        at = sealed_header_bytes(data[:12])
    except (FileNotFoundError, NotADirectoryError, FormatError):
        return []
    found = []
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if not length or at + 4 + length > len(data):
            break
        found.append(sha256(data[at + 4 : at + 4 + length]).hexdigest())
        at += 4 + length
    return found
