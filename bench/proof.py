"""What proof costs on a camera: bytes for each fragment of a long recording, and work for each."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rows import Row

from plainview.camera.identity import Camera, create_camera, open_camera
from plainview.camera.journal import Journal, sign_note
from plainview.camera.stream import StreamStart, begin_stream
from plainview.formats.camera_orders import CameraOrders, CameraSettings, format_camera_orders
from plainview.formats.capture import CaptureFragment, CaptureStart, format_journal_box
from plainview.formats.note import ED25519, VerifierKey, format_vkey

NAME = "cam.police.example.org/X6031234567"
SEVEN = datetime(2026, 3, 15, 7, tzinfo=UTC)
FRAGMENT_MS = 2000
FRAGMENTS = 4 * 3600 * 1000 // FRAGMENT_MS
FRAGMENT_BYTES = 1 << 20  # two seconds at 4 Mbit/s
LINE_LIMIT_BYTES = 1300
WORK_FRAGMENTS = 150


def line_sizes() -> tuple[list[int], float]:
    """Return the bytes of each fragment's line in a four-hour recording, and milliseconds of work for one."""
    private = Ed25519PrivateKey.generate()
    journal = Journal(f"{NAME}/000042-9f2c41aa", private.public_key().public_bytes_raw(), private.sign)
    journal.sign_line(first_leaf())
    sizes, offset, began = [], 1380, time.process_time()
    for number in range(FRAGMENTS):
        leaf = CaptureFragment(
            seq=journal.size,
            at=SEVEN + timedelta(milliseconds=FRAGMENT_MS * number),
            mono_ms=81_223 + FRAGMENT_MS * number,
            position_ms=FRAGMENT_MS * number,
            duration_ms=FRAGMENT_MS,
            offset=offset,
            size_bytes=FRAGMENT_BYTES,
            sha256="ab" * 32,
            sealed_sha256="cd" * 32,
            phase="recording",
            sound="on",
        )
        line = journal.sign_line(leaf)
        sizes.append(len(line))
        offset += FRAGMENT_BYTES + len(format_journal_box(line))
    return sizes, 1000 * (time.process_time() - began) / FRAGMENTS


def first_leaf() -> CaptureStart:
    return CaptureStart(
        at=SEVEN,
        mono_ms=0,
        purpose="shift",
        serial="X6031234567",
        make="Example",
        model="One",
        firmware="1",
        boot=1,
        counter=42,
        previous=None,
        clock="rtc",
        zone="UTC",
        worn="chest",
        trigger="",
        trigger_at=None,
        buffer_ms=0,
        buffer_setting_ms=0,
        has_buffer_sound=False,
        init=None,
    )


def new_camera(folder: Path) -> Camera:
    create_camera(folder / "home", folder / "storage", name=NAME, make="Example", model="One", now=SEVEN)
    camera = open_camera(folder / "home", folder / "storage")
    department = Ed25519PrivateKey.generate()
    key = VerifierKey("example.org/department", ED25519, department.public_key().public_bytes_raw())
    orders = CameraOrders(
        camera=NAME,
        public_key=camera.public_key,
        department_key=format_vkey(key),
        seal_to=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        log_keys=(),
        trigger_keys=(),
        covert_allowed_by="",
        settings=CameraSettings(),
        at=SEVEN,
    )
    camera.take_orders(sign_note(format_camera_orders(orders), key=key, sign=department.sign))
    return camera


def fragment_times(folder: Path) -> tuple[list[float], list[float]]:
    """Return, for each fragment of 1 MiB, milliseconds of the processor's time and of the clock."""
    start = StreamStart(
        at=SEVEN,
        mono_ms=0,
        firmware="1",
        clock="rtc",
        zone="UTC",
        worn="chest",
        trigger="button",
        trigger_at=SEVEN,
    )
    writer = begin_stream(new_camera(folder), purpose="recording", start=start, init=bytes(1380))
    data, worked, took = os.urandom(FRAGMENT_BYTES), [], []
    for number in range(WORK_FRAGMENTS):
        began, began_work = time.perf_counter(), time.process_time()
        writer.add_fragment(
            data,
            at=SEVEN,
            mono_ms=FRAGMENT_MS * number,
            position_ms=FRAGMENT_MS * number,
            duration_ms=FRAGMENT_MS,
            phase="recording",
            sound="on",
        )
        worked.append(1000 * (time.process_time() - began_work))
        took.append(1000 * (time.perf_counter() - began))
    writer.close("button", at=SEVEN, mono_ms=0)
    return sorted(worked), sorted(took)


def bare_times(folder: Path) -> tuple[list[float], list[float]]:
    """Return the same for a plain write and fsync of 1 MiB."""
    data, worked, took = os.urandom(FRAGMENT_BYTES), [], []
    with (folder / "bare").open("wb", buffering=0) as file:
        for _ in range(WORK_FRAGMENTS):
            began, began_work = time.perf_counter(), time.process_time()
            file.write(data)
            os.fsync(file.fileno())
            worked.append(1000 * (time.process_time() - began_work))
            took.append(1000 * (time.perf_counter() - began))
    return sorted(worked), sorted(took)


def run() -> list[Row]:
    """Measure in a folder of its own and return the figures."""
    sizes, line_ms = line_sizes()
    with tempfile.TemporaryDirectory() as folder:
        worked, took = fragment_times(Path(folder))
        bare_worked, bare_took = bare_times(Path(folder))
    mean, most = sum(sizes) / len(sizes), max(sizes)
    extra = median(worked) - median(bare_worked)
    return [
        Row(
            "proof: one fragment's line",
            f"mean {mean:,.0f} bytes, most {most:,}",
            f"at most {LINE_LIMIT_BYTES:,} bytes",
            most <= LINE_LIMIT_BYTES,
            f"{FRAGMENTS:,} fragments of {FRAGMENT_MS // 1000} s, four hours; each line stands in the footage and "
            f"beside it: {2 * sum(sizes) / (FRAGMENTS * FRAGMENT_BYTES):.2%} of footage at 4 Mbit/s",
        ),
        Row(
            "proof: work for one fragment",
            f"{extra:.1f} ms",
            f"at most {FRAGMENT_MS // 100} ms, 1 % of a core",
            extra <= FRAGMENT_MS / 100,
            f"median of {WORK_FRAGMENTS} of 1 MiB, processor's time to seal, hash, sign and write, less a plain write "
            f"and fsync ({median(bare_worked):.1f} ms); a line alone {line_ms:.2f} ms",
        ),
        Row(
            "proof: until a fragment lasts",
            f"{median(took):.1f} ms, p95 {took[int(0.95 * len(took))]:.1f} ms",
            detail=f"by the clock, three files synced; a plain write and fsync of 1 MiB here: {median(bare_took):.1f} "
            f"ms, p95 {bare_took[int(0.95 * len(bare_took))]:.1f} ms",
        ),
    ]
