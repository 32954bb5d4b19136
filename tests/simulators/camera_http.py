"""Cameras a dock can be tested with: a storage folder as a camera leaves it, and a camera's HTTP over such a folder.

    storage = CameraStorage(folder, serial="SN42")
    storage.add_stream(1, b"sealed footage", b"sealed journal", is_critical=True)
    with serving_camera(storage, log_keys) as camera:
        camera.address

The files hold any bytes: a dock cannot open them anyway. The camera checks receipts itself before it erases.
"""

import json
import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plainview.formats.canonical import canonical_json
from plainview.formats.policy import TrustPolicy
from plainview.formats.receipt import parse_receipt
from plainview.formats.times import format_at
from plainview.verify.errors import VerificationError
from plainview.verify.receipt import verify_receipt


class CameraStorage:
    """The storage folder of one camera."""

    def __init__(self, folder, serial="SN42", make="Plainview", model="Pi"):
        self.folder = folder
        self.about = {
            "v": 1,
            "camera": f"cam.example.org/{serial}",
            "make": make,
            "model": model,
            "serial": serial,
            "public_key": "00" * 32,
        }
        (folder / "streams").mkdir(parents=True)
        (folder / "camera.json").write_bytes(canonical_json(self.about))
        (folder / "request.note").write_text("a request, signed\n")

    def add_stream(
        self, counter, footage, journal=b"journal", *, is_critical=False, is_closed=True, purpose="recording"
    ):
        stream = f"{counter:06d}-{sha256(str(counter).encode()).hexdigest()[:8]}"
        place = self.folder / "streams" / stream
        place.mkdir()
        if footage is not None:
            (place / "footage.sealed").write_bytes(footage)
        (place / "journal.sealed").write_bytes(journal + stream.encode() + self.about["serial"].encode())
        about = {"v": 1, "stream": stream, "counter": counter, "purpose": purpose}
        about |= {"is_closed": is_closed, "is_critical": is_critical}
        (place / "about.json").write_bytes(canonical_json(about))
        return stream

    def streams(self):
        return sorted(path.name for path in (self.folder / "streams").iterdir())

    def sealed(self):
        """Return the bytes of every sealed file, by its digest."""
        files = (path.read_bytes() for path in self.folder.glob("streams/*/*.sealed"))
        return {sha256(data).hexdigest(): data for data in files}


class CameraOnline:
    """What a camera answers with."""

    def __init__(self, storage, log_keys):
        self.storage, self.policy = storage, TrustPolicy(logs=tuple(log_keys))
        self.clock_ahead_ms, self.battery_percent = 0, 81
        self.state, self.docked_in, self.orders = "off", None, []
        self.orders_refused = None
        self.refused = []
        self.unplug_after_bytes = None
        self.sent_bytes = 0
        self.is_there = True
        # Two docks at once: one stream is erased, or listed, at a time.
        self.lock = threading.Lock()

    def camera(self):
        at = datetime.now(UTC) + timedelta(milliseconds=self.clock_ahead_ms)
        more = {"at": format_at(at.replace(microsecond=at.microsecond // 1000 * 1000)), "mono_ms": 1000}
        return self.storage.about | more | {"state": self.state, "battery_percent": self.battery_percent}

    def streams(self):
        found = []
        for place in sorted((self.storage.folder / "streams").iterdir()):
            about = json.loads((place / "about.json").read_bytes())
            about["files"] = {path.name: path.stat().st_size for path in place.glob("*.sealed")}
            found.append(about)
        return {"streams": found}

    def erase(self, stream, body):
        """Check each receipt as a camera does, then erase; return why not, or None."""
        place = self.storage.folder / "streams" / stream
        for path in place.glob("*.sealed"):
            value = body[path.name.partition(".")[0]]
            if value is None:
                return f"there is no receipt of {path.name}"
            try:
                receipt = parse_receipt(canonical_json(value))
                verify_receipt(receipt, self.policy)
            except (VerificationError, ValueError) as error:
                return str(error)
            if receipt.leaf.facts.get("sent_sha256") != sha256(path.read_bytes()).hexdigest():
                return f"the receipt is not of {path.name}"
        for path in sorted(place.iterdir()):
            path.unlink()
        place.rmdir()
        return None


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _answer(self, status, data=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _deal(self):
        camera = self.server.camera
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not camera.is_there:
            self.close_connection = True
            return None
        match (self.command, self.path):
            case ("GET", "/v1/camera"):
                return self._answer(200, json.dumps(camera.camera()).encode())
            case ("GET", "/v1/request"):
                return self._answer(200, (camera.storage.folder / "request.note").read_bytes())
            case ("PUT", "/v1/orders"):
                if camera.orders_refused:
                    return self._answer(409, json.dumps({"text": camera.orders_refused}).encode())
                camera.orders.append(body.decode())
                return self._answer(204)
            case ("GET", "/v1/streams"):
                with camera.lock:
                    listed = json.dumps(camera.streams()).encode()
                return self._answer(200, listed)
            case ("POST", "/v1/docked"):
                if camera.state == "recording":
                    return self._answer(409, b'{"text":"it records"}')
                camera.docked_in = json.loads(body)["dock"]
                return self._answer(204)
            case ("POST", "/v1/taken"):
                camera.docked_in = None
                return self._answer(204)
        return self._stream(camera, body)

    do_GET = do_POST = do_PUT = _deal  # noqa: N815 - the names that are looked for

    def _stream(self, camera, body):
        if match := re.fullmatch(r"/v1/streams/([0-9a-f-]+)/receipt", self.path):
            with camera.lock:
                is_there = (camera.storage.folder / "streams" / match[1]).exists()
                why = camera.erase(match[1], json.loads(body)) if is_there else None
            if why:
                camera.refused.append(why)
                return self._answer(409, json.dumps({"text": why}).encode())
            return self._answer(204 if is_there else 404)
        path = camera.storage.folder / self.path.removeprefix("/v1/")
        try:
            data = path.read_bytes()
        except OSError:
            return self._answer(404)
        offset = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            offset = int(asked[1])
        self.send_response(206 if offset else 200)
        self.send_header("Content-Length", str(len(data) - offset))
        self.end_headers()
        for at in range(offset, len(data), 4096):
            if camera.unplug_after_bytes is not None and camera.sent_bytes >= camera.unplug_after_bytes:
                camera.is_there, camera.unplug_after_bytes = False, None
                self.close_connection = True
                return None
            self.wfile.write(data[at : at + 4096])
            camera.sent_bytes += 4096
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing of a dock that went away."""


@contextmanager
def serving_camera(storage, log_keys):
    """Serve a camera until the context ends; yield it, with its address."""
    http = _Server(("127.0.0.1", 0), _Answering)
    http.camera = CameraOnline(storage, log_keys)
    http.camera.address = f"127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield http.camera
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
