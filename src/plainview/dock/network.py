"""A camera over the network: docs/formats/dock-api.md, "Camera to dock"."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from plainview.dock.errors import CameraError, CameraGoneError, FileChangedError, UnreadableFileError
from plainview.dock.receipts_file import format_receipts
from plainview.dock.rules import DockFile, best_reading, read_clock
from plainview.dock.source import AboutCamera
from plainview.dock.wire import Answer, Line, NoAnswerError
from plainview.formats.camera_orders import ORDERS_LIMIT_BYTES
from plainview.formats.capture import CAMERA_NAME, STREAM_ID
from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_count, check_text
from plainview.formats.times import parse_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from plainview.dock.rules import FileState

FILES = {"footage.sealed": "footage", "journal.sealed": "journal"}
CLOCK_READINGS = 3
Read = TypeVar("Read")
RECORDING_STATES = frozenset({"recording", "muted", "covert"})


class NetworkCamera:
    """A camera of ours that answers over HTTP; for one thread."""

    is_sealed = True

    def __init__(self, address: str, *, timeout_s: float = 20.0) -> None:
        self.key = f"http://{address}"
        self._line = Line(self.key, timeout_s=timeout_s)

    def about(self) -> AboutCamera:
        """Say which camera it is, and what its clock says: the quickest of a few answers."""
        readings = []
        for _ in range(CLOCK_READINGS):
            asked = time.monotonic()
            record = self._record("/v1/camera")
            heard = time.monotonic()
            readings.append(read_clock(_reading(record, _at), asked_mono_s=asked, heard_mono_s=heard))
        clock = best_reading(readings)
        return _reading(
            record,
            lambda said: AboutCamera(
                camera=check_text(said["camera"], what="camera", field="camera", pattern=CAMERA_NAME),
                make=check_text(said["make"], what="camera", field="make", pattern=LINE),
                model=check_text(said["model"], what="camera", field="model", pattern=LINE),
                serial=check_text(said["serial"], what="camera", field="serial", pattern=LINE),
                battery_percent=_percent(said.get("battery_percent")),
                is_recording=said.get("state") in RECORDING_STATES,
                clock=clock,
            ),
        )

    def is_there(self) -> bool:
        """Say whether it still answers."""
        try:
            return self._ask("GET", "/v1/camera").status == 200
        except CameraGoneError:
            return False

    def request(self) -> str | None:
        """Return its request to be admitted."""
        answer = self._ask("GET", "/v1/request")
        if answer.status == 404:
            return None
        text = _checked(answer).body.decode("utf-8", "replace")
        return text if len(text) <= ORDERS_LIMIT_BYTES else None

    def take_orders(self, orders: str) -> str:
        """Hand it orders; return why it did not take them, or nothing."""
        answer = self._ask("PUT", "/v1/orders", body=orders.encode("utf-8"))
        return "" if answer.status < 300 else f"The camera did not take its orders: {_why(answer)}"

    def set_docked(self, dock: str) -> bool:
        """Tell it that it is in a dock; return False where it goes on recording."""
        answer = self._ask("POST", "/v1/docked", body=json.dumps({"dock": dock}).encode())
        if answer.status == 409:
            return False
        _checked(answer)
        return True

    def set_taken(self) -> None:
        """Tell it that it is free to go."""
        self._ask("POST", "/v1/taken", body=b"{}")

    def settle(self) -> None:
        """Do nothing: the camera erases, and finishes that by itself."""

    def files(self) -> list[DockFile]:
        """Return every file of every stream but the one that is being written."""
        record = self._record("/v1/streams")
        streams = _reading(record, lambda said: list(said["streams"]))
        return [file for stream in streams for file in _reading({"stream": stream}, _stream_files)]

    @contextmanager
    def read(self, file: DockFile, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a file at an offset."""
        path = f"/v1/streams/{file.path}"
        try:
            answer, pieces = self._line.stream(path, headers={"Range": f"bytes={offset}-"} if offset else {})
        except NoAnswerError as error:
            raise _gone(error) from error
        if answer.status != (206 if offset else 200):
            self._line.close()
            if answer.status in (404, 410, 416):
                raise FileChangedError(
                    f"{file.path}: the camera does not have it any more, or not so much of it."
                )
            raise UnreadableFileError(f"{file.path}: the camera cannot read it (answer {answer.status}).")
        yield _until_gone(pieces)

    def erase(self, files: Sequence[FileState]) -> str:
        """Hand it the receipts of a stream; it checks them again, and erases the stream itself."""
        stream = files[0].file.group
        answer = self._ask("POST", f"/v1/streams/{stream}/receipt", body=format_receipts(files))
        # 404: another dock was first.
        if answer.status < 300 or answer.status == 404:
            return ""
        return f"The camera kept {stream}: {_why(answer)}"

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()

    def _record(self, path: str) -> dict[str, Any]:
        answer = _checked(self._ask("GET", path))
        try:
            return answer.record()
        except NoAnswerError as error:
            raise CameraError(f"What the camera says cannot be read: {error}") from error

    def _ask(self, method: str, path: str, *, body: bytes | None = None) -> Answer:
        try:
            return self._line.ask(method, path, body=body)
        except NoAnswerError as error:
            raise _gone(error) from error


def _gone(error: NoAnswerError) -> CameraGoneError:
    return CameraGoneError(f"The camera does not answer: {error}.")


def _until_gone(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except NoAnswerError as error:
        raise _gone(error) from error


def _checked(answer: Answer) -> Answer:
    if answer.status >= 300:
        raise CameraError(f"The camera answered {answer.status}: {_why(answer)}")
    return answer


def _why(answer: Answer) -> str:
    try:
        record = answer.record()
    except NoAnswerError:
        return answer.body[:200].decode("utf-8", "replace").strip() or f"answer {answer.status}"
    return str(record.get("text") or record.get("error") or record)[:200]


def _reading(record: dict[str, Any], read: Callable[[dict[str, Any]], Read]) -> Read:
    try:
        return read(record)
    except (FormatError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CameraError(f"What the camera says cannot be read: {error}") from error


def _at(record: dict[str, Any]) -> datetime:
    return parse_at(record["at"])


def _percent(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= 100 else None


def _stream_files(record: dict[str, Any]) -> list[DockFile]:
    about = record["stream"]
    stream = check_text(about["stream"], what="stream", field="stream", pattern=STREAM_ID)
    return [
        DockFile(
            group=stream,
            kind=FILES[name],
            path=f"{stream}/{name}",
            size_bytes=check_count(size_bytes, what="stream", field=name),
            mtime_ns=0,
            counter=int(stream.partition("-")[0]),
            is_critical=about.get("is_critical") is True,
        )
        for name, size_bytes in about["files"].items()
        if name in FILES
    ]
