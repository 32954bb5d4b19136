"""What a camera and its department tell each other: a camera asks to be admitted; the department says how to record.

Both are signed notes (c2sp.org/signed-note) around one line of canonical JSON. A request is signed with the camera's
own key; orders with the department's key, which they name and the camera keeps from its first orders on. A camera takes
orders that are newer than those it has, so that nobody can bring back old ones.

Example (the text of orders, wrapped here):
    {"at":"2026-03-14T22:10:00.000Z","camera":"cam.example.org/SN42","covert_allowed_by":"","department_key":
    "example.org/department+8c1f...","kind":"plainview-camera-orders","log_keys":["example.org/custody/1+9b3c..."],
    "public_key":"...","seal_to":"...","settings":{"bit_rate_bps":4000000,"buffer_ms":30000,...},"v":1}
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.capture import CAMERA_NAME, WORN_POSITIONS
from plainview.formats.errors import FormatError
from plainview.formats.fields import HEX_32_BYTES, LINE, check_count, check_record, check_text
from plainview.formats.note import format_vkey, parse_vkey
from plainview.formats.times import format_at, parse_at

if TYPE_CHECKING:
    from datetime import datetime

ORDERS_LIMIT_BYTES = 65_536
REQUEST_KIND = "plainview-camera-request"
ORDERS_KIND = "plainview-camera-orders"
_REQUEST_KEYS = frozenset({"v", "kind", "camera", "make", "model", "serial", "public_key", "at"})
_ORDERS_KEYS = frozenset(
    {
        "v",
        "kind",
        "camera",
        "public_key",
        "department_key",
        "seal_to",
        "log_keys",
        "trigger_keys",
        "covert_allowed_by",
        "settings",
        "at",
    }
)
# The least and the greatest of each number a department may set.
SETTING_LIMITS = {
    "buffer_ms": (0, 120_000),
    "post_ms": (0, 120_000),
    "fragment_ms": (1000, 2000),
    "width_px": (160, 3840),
    "height_px": (90, 2160),
    "frame_rate": (1, 60),
    "bit_rate_bps": (100_000, 50_000_000),
    "reminder_ms": (10_000, 600_000),
    "hold_ms": (500, 10_000),
    "longest_ms": (60_000, 14_400_000),
}


@dataclass(frozen=True)
class CameraSettings:
    """How a camera records; see SETTING_LIMITS for what a department may say.

    Attributes:
        buffer_ms: how much of the time before a trigger is kept; 0 is none.
        has_buffer_sound: whether that time has sound.
        post_ms: how long it goes on after being stopped.
        fragment_ms: how much a fragment holds, and so how much a loss of power can take.
        width_px, height_px, frame_rate, bit_rate_bps: of the picture.
        reminder_ms: how often the camera reminds its wearer that it records.
        hold_ms: how long the button is held to stop.
        longest_ms: after how long a recording goes on in a next one.
        worn: where it is worn; one of capture.WORN_POSITIONS.
        zone: IANA zone of the place.
    """

    buffer_ms: int = 30_000
    has_buffer_sound: bool = False
    post_ms: int = 0
    fragment_ms: int = 2000
    width_px: int = 1920
    height_px: int = 1080
    frame_rate: int = 30
    bit_rate_bps: int = 4_000_000
    reminder_ms: int = 120_000
    hold_ms: int = 3000
    longest_ms: int = 14_400_000
    worn: str = "unknown"
    zone: str = "UTC"


@dataclass(frozen=True)
class CameraRequest:
    """A camera that asks to be admitted.

    Attributes:
        camera: its name, cam.<department's host name>/<serial number>.
        make, model, serial: of it; one line each.
        public_key: its own, Ed25519, 32 bytes.
        at: by its clock; aware UTC.
    """

    camera: str
    make: str
    model: str
    serial: str
    public_key: bytes
    at: datetime


@dataclass(frozen=True)
class CameraOrders:
    """What a department tells one of its cameras.

    Attributes:
        camera: whom.
        public_key: that camera's, 32 bytes: what makes these orders its admission.
        department_key: verifier key of who gives these orders and signs them.
        seal_to: the vault's public key, X25519, 32 bytes; what it records is sealed to it.
        log_keys: verifier keys of the custody log; receipts must be signed by one of them before anything is erased.
        trigger_keys: verifier keys of those whose triggers it obeys.
        covert_allowed_by: pseudonym of who allowed lights and sounds to be switched off; empty where nobody did.
        settings: how it records.
        at: when they were given, by the server's clock; aware UTC.
    """

    camera: str
    public_key: bytes
    department_key: str
    seal_to: bytes
    log_keys: tuple[str, ...]
    trigger_keys: tuple[str, ...]
    covert_allowed_by: str
    settings: CameraSettings
    at: datetime


def key_fingerprint(public_key: bytes) -> str:
    """Return how people compare a camera's key: the first 16 bytes of its SHA-256, as 8 groups of 4 hex digits."""
    digits = sha256(public_key).hexdigest()[:32]
    return " ".join(digits[start : start + 4] for start in range(0, 32, 4))


def format_camera_request(request: CameraRequest) -> str:
    """Write the note text of a request; sign it as a note under the camera's name.

    Raises:
        FormatError: a field that parse_camera_request would refuse.
    """
    text = _one_line(
        {
            "v": 1,
            "kind": REQUEST_KIND,
            "camera": request.camera,
            "make": request.make,
            "model": request.model,
            "serial": request.serial,
            "public_key": request.public_key.hex(),
            "at": format_at(request.at),
        }
    )
    parse_camera_request(text)
    return text


def parse_camera_request(text: str) -> CameraRequest:
    """Read the note text of a request; nothing is verified here.

    Raises:
        FormatError: not what format_camera_request writes.
    """
    what = "camera request"
    record = check_record(_from_one_line(text, what), what=what, keys=_REQUEST_KEYS, kind=REQUEST_KIND)
    camera = check_text(record["camera"], what=what, field="camera", pattern=CAMERA_NAME)
    serial = check_text(record["serial"], what=what, field="serial", pattern=LINE)
    if camera.partition("/")[2] != serial:
        raise FormatError(what, f"serial: expected the end of the camera's name, got {serial!a:.80}")
    return CameraRequest(
        camera=camera,
        make=check_text(record["make"], what=what, field="make", pattern=LINE),
        model=check_text(record["model"], what=what, field="model", pattern=LINE),
        serial=serial,
        public_key=_key(record, "public_key", what),
        at=parse_at(record["at"], what=what),
    )


def format_camera_orders(orders: CameraOrders) -> str:
    """Write the note text of orders; sign it as a note under the department's name.

    Raises:
        FormatError: a field that parse_camera_orders would refuse.
    """
    settings = {each.name: getattr(orders.settings, each.name) for each in fields(CameraSettings)}
    text = _one_line(
        {
            "v": 1,
            "kind": ORDERS_KIND,
            "camera": orders.camera,
            "public_key": orders.public_key.hex(),
            "department_key": orders.department_key,
            "seal_to": orders.seal_to.hex(),
            "log_keys": list(orders.log_keys),
            "trigger_keys": list(orders.trigger_keys),
            "covert_allowed_by": orders.covert_allowed_by,
            "settings": settings,
            "at": format_at(orders.at),
        }
    )
    parse_camera_orders(text)
    return text


def parse_camera_orders(text: str) -> CameraOrders:
    """Read the note text of orders; nothing is verified here.

    Raises:
        FormatError: not what format_camera_orders writes.
    """
    what = "camera orders"
    record = check_record(_from_one_line(text, what), what=what, keys=_ORDERS_KEYS, kind=ORDERS_KIND)
    return CameraOrders(
        camera=check_text(record["camera"], what=what, field="camera", pattern=CAMERA_NAME),
        public_key=_key(record, "public_key", what),
        department_key=_vkey(record["department_key"], "department_key"),
        seal_to=_key(record, "seal_to", what),
        log_keys=_vkeys(record, "log_keys"),
        trigger_keys=_vkeys(record, "trigger_keys"),
        covert_allowed_by=check_text(
            record["covert_allowed_by"], what=what, field="covert_allowed_by", pattern=LINE
        ),
        settings=parse_camera_settings(record["settings"]),
        at=parse_at(record["at"], what=what),
    )


def parse_camera_settings(value: Any) -> CameraSettings:
    """Read settings from a record of JSON.

    Raises:
        FormatError: a setting missing, unknown, of another type, or outside SETTING_LIMITS.
    """
    what = "camera settings"
    record = check_record(value, what=what, keys=frozenset(each.name for each in fields(CameraSettings)))
    for name, (least, greatest) in SETTING_LIMITS.items():
        if check_count(record[name], what=what, field=name, at_least=least) > greatest:
            raise FormatError(what, f"{name}: expected {least} to {greatest}, got {record[name]}")
    if type(record["has_buffer_sound"]) is not bool:
        raise FormatError(what, "has_buffer_sound: expected true or false")
    if check_text(record["worn"], what=what, field="worn") not in WORN_POSITIONS:
        raise FormatError(
            what, f"worn: expected one of {', '.join(WORN_POSITIONS)}, got {record['worn']!r:.40}"
        )
    check_text(record["zone"], what=what, field="zone", pattern=LINE)
    return CameraSettings(**record)


def _one_line(record: dict[str, Any]) -> str:
    return canonical_json(record).decode("utf-8") + "\n"


def _from_one_line(text: str, what: str) -> Any:
    if not text.endswith("\n"):
        raise FormatError(what, "expected a line that ends in a newline")
    return parse_canonical_json(
        text[:-1].encode("utf-8", "surrogatepass"), what=what, limit_bytes=ORDERS_LIMIT_BYTES
    )


def _key(record: dict[str, Any], field: str, what: str) -> bytes:
    return bytes.fromhex(check_text(record[field], what=what, field=field, pattern=HEX_32_BYTES))


def _vkeys(record: dict[str, Any], field: str) -> tuple[str, ...]:
    what = "camera orders"
    if type(record[field]) is not list or len(record[field]) > 256:
        raise FormatError(what, f"{field}: expected a list of at most 256 verifier keys")
    return tuple(_vkey(each, field) for each in record[field])


def _vkey(value: Any, field: str) -> str:
    return format_vkey(parse_vkey(check_text(value, what="camera orders", field=field)))
