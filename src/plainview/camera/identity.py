"""Who a camera is: its own key, what its department ordered, and its count, in a home folder that never leaves it."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.camera.disk import (
    PRIVATE_MODE,
    STORAGE_MODE,
    SystemDisk,
    make_folder_durably,
    read_file,
    told_as_storage,
    write_atomically,
)
from plainview.camera.errors import NoOrdersError, UnreadableOrdersError
from plainview.camera.folders import receipts_path, streams_path
from plainview.camera.journal import sign_note
from plainview.camera.recover import forget_heads, recover_state
from plainview.camera.state import STATE_LIMIT_BYTES, CameraState, format_state, parse_state
from plainview.camera.store_errors import CameraHomeError
from plainview.formats.camera_orders import (
    ORDERS_LIMIT_BYTES,
    CameraRequest,
    format_camera_request,
    parse_camera_orders,
)
from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import PreviousJournal, check_camera_name
from plainview.formats.errors import FormatError
from plainview.formats.note import ED25519, VerifierKey, parse_note, parse_vkey
from plainview.verify.errors import VerificationError
from plainview.verify.note import open_note

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plainview.camera.disk import CameraDisk
    from plainview.formats.camera_orders import CameraOrders

KEY, STATE, ORDERS, LOCK = "key", "state.json", "orders.note", "lock"
CAMERA_JSON, REQUEST = "camera.json", "request.note"
_SMALL_BYTES = 65_536


class Camera:
    """A camera: its key, its orders and its count. Threads may share one.

    Attributes:
        name: cam.<department's host name>/<serial number>.
        serial, make, model: of it.
        public_key: its own, Ed25519, 32 bytes.
        home: the folder with its key, as text; it never leaves the camera.
        storage: the folder with what it recorded, as text; a dock may see it.
        disk: where both lie.
        orders: what its department ordered; None while nobody has admitted it.
        state: its count; see state.CameraState.
        open_streams: ids of the streams that are being written.
        lock: held while a stream is begun, and while any of this changes.
    """

    def __init__(
        self, disk: CameraDisk, *, home: str, storage: str, private: Ed25519PrivateKey, state: CameraState
    ) -> None:
        self.disk, self.home, self.storage, self.state = disk, home, storage, state
        self.lock = threading.RLock()
        self.open_streams: set[str] = set()
        self.orders: CameraOrders | None = None
        self.orders_note = ""
        self._private, self._locked_fd = private, -1
        self.public_key = private.public_key().public_bytes_raw()
        record = _read_camera_json(disk, home)
        self.name, self.make, self.model = record["camera"], record["make"], record["model"]
        self.serial = self.name.partition("/")[2]
        if record["public_key"] != self.public_key.hex():
            raise CameraHomeError(
                f"the camera in {home} is damaged: its key is another than {CAMERA_JSON} says"
            )

    @property
    def key(self) -> VerifierKey:
        """The camera's key as it signs under its own name: requests and triggers."""
        return VerifierKey(name=self.name, algorithm=ED25519, public_key=self.public_key)

    @property
    def boot(self) -> int:
        """How often it has been switched on, this time included."""
        return self.state.boot

    def sign(self, data: bytes) -> bytes:
        """Sign bytes: Ed25519, 64 bytes."""
        return self._private.sign(data)

    def sign_note(self, text: str) -> str:
        """Sign a text, ending in a newline, as a note under the camera's name."""
        return sign_note(text, key=self.key, sign=self.sign)

    def expect_orders(self) -> CameraOrders:
        """Return the orders.

        Raises:
            NoOrdersError: there are none.
        """
        if self.orders is None:
            raise NoOrdersError(
                f"nobody has admitted {self.name} yet: put it into a dock, and have its key admitted"
            )
        return self.orders

    def take_orders(self, note: str) -> bool:
        """Check orders, keep them durably, and obey them from now on.

        Args:
            note: the signed note, as a dock or a file brought it.

        Returns:
            Whether they are new; False for the very orders it has.

        Raises:
            UnreadableOrdersError: malformed, for another camera or key, of another department, or not newer.
            StorageFullError, StorageFaultError: they could not be kept, and are not obeyed.
        """
        with self.lock:
            if note == self.orders_note:
                return False
            orders = self._check_orders(note)
            with told_as_storage("keeping orders"):
                write_atomically(self.disk, f"{self.home}/{ORDERS}", note.encode(), mode=PRIVATE_MODE)
            self.orders, self.orders_note = orders, note
            return True

    def _check_orders(self, note: str) -> CameraOrders:
        orders = open_orders(note)
        if orders.camera != self.name or orders.public_key != self.public_key:
            raise UnreadableOrdersError(
                f"these orders are for {orders.camera} with key {orders.public_key.hex()}; this is {self.name}"
            )
        if self.orders is not None:
            if orders.department_key != self.orders.department_key:
                raise UnreadableOrdersError(
                    f"these orders are signed by {orders.department_key}; this camera obeys "
                    f"{self.orders.department_key}"
                )
            if orders.at <= self.orders.at:
                raise UnreadableOrdersError(
                    f"these orders of {orders.at:%Y-%m-%d %H:%M:%S} UTC are not newer than those of "
                    f"{self.orders.at:%Y-%m-%d %H:%M:%S} that the camera has"
                )
        return orders

    def journal_came_to(self, journal: PreviousJournal) -> None:
        """Remember how far the newest journal has come; of an older one nothing needs to be remembered."""
        with self.lock:
            if self.state.previous is not None and self.state.previous.stream == journal.stream:
                self.state = replace(self.state, previous=journal)

    def keep_state(self, state: CameraState) -> None:
        """Make a state this camera's, durably."""
        with self.lock:
            self.state = state
            write_atomically(self.disk, f"{self.home}/{STATE}", format_state(state), mode=PRIVATE_MODE)

    def free_bytes(self) -> int:
        """Return how much room the storage has.

        Raises:
            StorageFaultError: it does not say.
        """
        with told_as_storage("asking for free space"):
            return self.disk.free_bytes(self.storage)

    def hold(self, fd: int) -> None:
        """Keep the descriptor whose lock says that this camera is running."""
        self._locked_fd = fd

    def check_is_on(self) -> None:
        """Let pass only a camera that was opened at power-on.

        Raises:
            CameraHomeError: it was opened to be read, beside one that may be running.
        """
        if self._locked_fd < 0:
            raise CameraHomeError(f"{self.name} was opened to be read only; open it at power-on to record")

    def switch_off(self) -> None:
        """Let another process run this camera; nothing else needs an end, for all is durable already."""
        if self._locked_fd >= 0:
            self.disk.close(self._locked_fd)
            self._locked_fd = -1


def open_orders(note: str) -> CameraOrders:
    """Read orders and check that the key they name signed them.

    Raises:
        UnreadableOrdersError: malformed, or not signed by that key.
    """
    try:
        orders = parse_camera_orders(parse_note(note).text)
        open_note(note, [parse_vkey(orders.department_key)])
    except (FormatError, VerificationError) as error:
        raise UnreadableOrdersError(f"orders that cannot be used: {error}") from error
    return orders


def create_camera(
    home: Path,
    storage: Path,
    *,
    name: str,
    make: str,
    model: str,
    now: datetime,
    disk: CameraDisk | None = None,
) -> None:
    """Make a camera: a key of its own, and a request to be admitted.

    Args:
        home: a folder to make, for the key; not on a card that is taken out.
        storage: a folder to make, or an empty card, for what is recorded.
        name: cam.<department's host name>/<serial number>.
        make: of the camera; one line.
        model: of it; one line.
        now: by the camera's clock; aware UTC.
        disk: a model of one, in tests.

    Raises:
        FormatError: a malformed name, make or model.
        CameraHomeError: there is a camera already.
        StorageFullError, StorageFaultError: the disk failed.
    """
    disk, at_home, at_storage = disk or SystemDisk(), str(home), str(storage)
    private = Ed25519PrivateKey.generate()
    public_key = private.public_key().public_bytes_raw()
    request = format_camera_request(
        CameraRequest(
            camera=check_camera_name(name),
            make=make,
            model=model,
            serial=name.partition("/")[2],
            public_key=public_key,
            at=now,
        )
    )
    key = VerifierKey(name=name, algorithm=ED25519, public_key=public_key)
    with told_as_storage("making a camera"):
        for folder in (at_home, at_storage):
            make_folder_durably(disk, folder)
        if KEY in disk.list_folder(at_home):
            raise CameraHomeError(f"{at_home} holds a camera already; its key must not be replaced")
        if CAMERA_JSON in disk.list_folder(at_storage):
            raise CameraHomeError(f"{at_storage} is another camera's storage; put it into a dock first")
        note = sign_note(request, key=key, sign=private.sign).encode()
        about = _camera_json(name, make, model, public_key)
        write_atomically(disk, f"{at_home}/{CAMERA_JSON}", about, mode=PRIVATE_MODE)
        write_atomically(disk, f"{at_home}/{REQUEST}", note, mode=PRIVATE_MODE)
        write_atomically(disk, f"{at_home}/{LOCK}", b"", mode=PRIVATE_MODE)
        write_atomically(disk, f"{at_home}/{STATE}", format_state(CameraState()), mode=PRIVATE_MODE)
        # With the key in it, a home is whole.
        write_atomically(
            disk, f"{at_home}/{KEY}", private.private_bytes_raw().hex().encode(), mode=PRIVATE_MODE
        )
        _prepare_storage(disk, at_home, at_storage)


def open_camera(
    home: Path, storage: Path, *, is_power_on: bool = True, disk: CameraDisk | None = None
) -> Camera:
    """Open a camera.

    At power-on it counts that, finds out what a loss of power left, and finishes what it interrupted. Otherwise it
    only reads, beside a camera that may be running, and no stream may be begun.

    Args:
        home: as given to create_camera.
        storage: as given to create_camera.
        is_power_on: whether the camera is switched on now.
        disk: a model of one, in tests.

    Raises:
        CameraHomeError: no camera there, a damaged file, another camera's storage, or one that is running already.
        StorageFullError, StorageFaultError: the disk failed.
    """
    disk, at_home, at_storage = disk or SystemDisk(), str(home), str(storage)
    with told_as_storage("opening the camera"):
        try:
            private = bytes.fromhex(read_file(disk, f"{at_home}/{KEY}", limit_bytes=_SMALL_BYTES).decode())
            key = Ed25519PrivateKey.from_private_bytes(private)
            state = parse_state(read_file(disk, f"{at_home}/{STATE}", limit_bytes=STATE_LIMIT_BYTES))
            camera = Camera(disk, home=at_home, storage=at_storage, private=key, state=state)
        except FileNotFoundError as error:
            raise CameraHomeError(
                f"no camera in {at_home} and {at_storage}: make one with plainview camera init"
            ) from error
        except ValueError as error:
            raise CameraHomeError(f"the camera in {at_home} is damaged: {error}") from error
        _load_orders(camera)
        if is_power_on:
            _power_on(camera)
        return camera


def _prepare_storage(disk: CameraDisk, home: str, storage: str) -> None:
    """Make a new card this camera's; refuse another camera's, whose recordings would be lost among ours."""
    own = read_file(disk, f"{home}/{CAMERA_JSON}", limit_bytes=_SMALL_BYTES)
    is_prepared = CAMERA_JSON in disk.list_folder(storage)
    if is_prepared and read_file(disk, f"{storage}/{CAMERA_JSON}", limit_bytes=_SMALL_BYTES) != own:
        raise CameraHomeError(f"{storage} is another camera's storage; put it into a dock first")
    for folder in (streams_path(storage), receipts_path(storage)):
        make_folder_durably(disk, folder)
    if is_prepared:
        return
    request = read_file(disk, f"{home}/{REQUEST}", limit_bytes=_SMALL_BYTES)
    write_atomically(disk, f"{storage}/{REQUEST}", request, mode=STORAGE_MODE)
    # Last: with it, a storage is whole.
    write_atomically(disk, f"{storage}/{CAMERA_JSON}", own, mode=STORAGE_MODE)


def _power_on(camera: Camera) -> None:
    disk = camera.disk
    fd = disk.open(f"{camera.home}/{LOCK}")
    if not disk.lock(fd):
        disk.close(fd)
        raise CameraHomeError(f"the camera in {camera.home} is running already")
    camera.hold(fd)
    _prepare_storage(disk, camera.home, camera.storage)
    state = recover_state(disk, home=camera.home, storage=camera.storage, state=camera.state)
    camera.keep_state(replace(state, boot=state.boot + 1))
    forget_heads(disk, camera.home)
    _take_left_orders(camera)


def _take_left_orders(camera: Camera) -> None:
    """Take the orders that a dock left on the storage; old ones, and what are none of ours, change nothing."""
    if ORDERS in camera.disk.list_folder(camera.storage):
        left = f"{camera.storage}/{ORDERS}"
        note = read_file(camera.disk, left, limit_bytes=2 * ORDERS_LIMIT_BYTES).decode("utf-8", "replace")
        with contextlib.suppress(UnreadableOrdersError):
            camera.take_orders(note)


def _load_orders(camera: Camera) -> None:
    if ORDERS in camera.disk.list_folder(camera.home):
        note = read_file(camera.disk, f"{camera.home}/{ORDERS}", limit_bytes=2 * ORDERS_LIMIT_BYTES)
        try:
            camera.orders, camera.orders_note = open_orders(note.decode()), note.decode()
        except (UnreadableOrdersError, UnicodeDecodeError) as error:
            raise CameraHomeError(
                f"{camera.home}/{ORDERS} is damaged: {error}; remove it, and put the camera into a dock"
            ) from error


def _camera_json(name: str, make: str, model: str, public_key: bytes) -> bytes:
    return canonical_json(
        {
            "v": 1,
            "camera": name,
            "make": make,
            "model": model,
            "serial": name.partition("/")[2],
            "public_key": public_key.hex(),
        }
    )


def _read_camera_json(disk: CameraDisk, home: str) -> dict[str, str]:
    data = read_file(disk, f"{home}/{CAMERA_JSON}", limit_bytes=_SMALL_BYTES)
    try:
        record = parse_canonical_json(data, what=CAMERA_JSON, limit_bytes=_SMALL_BYTES)
        return {name: record[name] for name in ("camera", "make", "model", "public_key")}
    except (FormatError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CameraHomeError(f"{home}/{CAMERA_JSON} is damaged: {error}") from error
