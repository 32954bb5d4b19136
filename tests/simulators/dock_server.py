"""A server that takes in what docks bring, over HTTP: in memory, with a real small log and real receipts.

    with serving_docks() as server:
        server.address, server.token, server.log_keys
        server.fail_next(503)           the next requests that carry bytes are refused so
        server.lie = "wrong digest"     see LIES

Everything is as docs/formats/dock-api.md says, so that a dock cannot tell it from the real one.
"""

import json
import re
import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plainview.formats.leaf import parse_leaf
from plainview.formats.note import format_vkey
from plainview.formats.receipt import parse_receipt
from plainview.formats.times import format_at
from simulators.package_builder import Signer, TinyLog

TOKEN = "a dock's token for tests"
MIB = 1 << 20
DEPARTMENT = Signer("example.org/department", 77)
LIES = (
    "wrong digest",
    "another act",
    "another log",
    "forged signature",
    "receipt of another file",
    "no publication",
    "no proof",
)
ACTS = {"footage": "recording.received", "journal": "attachment.received", "file": "recording.received"}


@dataclass
class HandedIn:
    """A file that is being, or was, handed in."""

    name: str
    said: dict
    size_bytes: int
    data: bytearray = field(default_factory=bytearray)
    state: str = "receiving"
    reason: str = ""
    index: int | None = None

    @property
    def is_sealed(self):
        return self.said["kind"] != "file"


class DockServer:
    """What the server knows; each request is one call under one lock."""

    def __init__(self):
        self.token = TOKEN
        self.log, self.other_log = TinyLog(), TinyLog(Signer("elsewhere.example/custody/1", 5))
        self.forger = Signer(self.log.origin, 9)
        for log in (self.log, self.other_log):
            log.append("log.started", log.origin, {})
        self.lie = None
        self.files = {}
        self.dockings, self.reports, self.requests = [], [], []
        self.admission, self.orders = "admitted", None
        self.assigned, self.critical = "Reyes, 4417", []
        self.badges = {"4417": "Reyes, 4417", "5120": "Okafor, 5120"}
        self.taken_today = {}
        self.cameras = []
        self.refusals = []
        self.now = lambda: datetime.now(UTC)
        self.piece_bytes = 2 * MIB
        self.is_publishing = True
        self.bytes_received = 0
        self.cut_after_bytes = None
        self.lock = threading.RLock()

    @property
    def log_keys(self):
        return (self.log.signer.key,)

    def fail_next(self, *statuses):
        """Answer the next announcements and pieces so; the last is served again."""
        self.refusals += statuses

    def whole(self):
        """Return every file that came whole, by its digest."""
        return {f.said["sha256"]: bytes(f.data) for f in self.files.values() if f.state == "received"}

    # --- requests

    def hello(self, _body):
        return 200, {
            "dock": "North",
            "at": format_at(self.now()),
            "department_key": format_vkey(DEPARTMENT.key),
            "log_keys": [format_vkey(key) for key in self.log_keys],
            "seal_to": "00" * 32,
            "piece_bytes": self.piece_bytes,
        }

    def ask_admission(self, body):
        self.requests.append(body["request"])
        return 200, {"state": self.admission, "fingerprint": "1f0c 22ab", "orders": self.orders}

    def begin_docking(self, body):
        self.dockings.append(body)
        return 200, {
            "docking": len(self.dockings),
            "assigned": self.assigned,
            "critical": list(self.critical),
        }

    def report_docking(self, body, number):
        self.reports.append((int(number), body))
        return 204, None

    def begin_offload(self, headers):
        pairs = (pair.partition(" ") for pair in headers["Upload-Metadata"].split(","))
        said = {key: b64decode(value).decode() for key, _, value in pairs}
        same = ("sha256", "make", "serial")
        for known in self.files.values():
            is_same = all(known.said.get(key) == said.get(key) for key in same)
            if is_same and known.state not in ("refused", "dropped"):
                return 200, self._told(known)
        name = f"{len(self.files):032x}"
        self.files[name] = HandedIn(name, said, int(headers["Upload-Length"]))
        return 201, name

    def take_piece(self, name, offset, piece):
        """Keep a piece as the real server does: whole MiB, and the last one whatever its size."""
        file = self.files.get(name)
        if file is None:
            return 404, None
        if file.state != "receiving" or offset != len(file.data):
            return 409, None
        self.bytes_received += len(piece)
        whole = len(file.data) + len(piece)
        if whole < file.size_bytes:
            whole -= whole % MIB
        file.data += piece[: max(0, whole - offset)]
        if len(file.data) == file.size_bytes:
            self._take_in(file)
        return 204, len(file.data)

    def _take_in(self, file):
        digest = sha256(file.data).hexdigest()
        if digest != file.said["sha256"]:
            file.state, file.reason = "refused", "differs"
            return
        facts = {"sha256": digest, "size_bytes": file.size_bytes}
        if file.is_sealed:
            facts = {"sent_sha256": digest, "sent_bytes": file.size_bytes, "sha256": "0" * 64}
        if self.lie == "wrong digest":
            facts = {key: "f" * 64 if "sha256" in key else value for key, value in facts.items()}
        act = "recording.probed" if self.lie == "another act" else ACTS[file.said["kind"]]
        log = self.other_log if self.lie == "another log" else self.log
        file.index = log.append(act, "R-26-00004217-I", facts)
        file.state = "received"

    def _told(self, file):
        told = {"name": file.name, "state": file.state, "recording": None, "reason": None, "text": None}
        told["receipt"] = None
        if file.state == "received":
            told["receipt"] = self._receipt(file)
            if told["receipt"] is None:
                told["state"] = "stored"
            else:
                told["recording"] = "R-26-00004217-I"
        if file.state == "refused":
            told |= {"reason": file.reason, "text": "Other bytes came than were announced."}
        return told

    def _receipt(self, file):
        if not self.is_publishing or self.lie == "no publication":
            return None
        log = self.other_log if self.lie == "another log" else self.log
        index = 0 if self.lie == "receipt of another file" else file.index
        receipt = json.loads(log.receipt(index))
        if self.lie == "forged signature":
            receipt["proof"] = self._forged(receipt["proof"])
        if self.lie == "no proof":
            lines = receipt["proof"].split("\n")
            lines[2] = "A" * 43 + "="
            receipt["proof"] = "\n".join(lines)
        return receipt

    def _forged(self, proof):
        """Sign the checkpoint with another key, and put its signature under the true key's id."""
        text = "\n".join(proof.split("\n\n")[1].split("\n")) + "\n"
        line = self.log.note().rsplit("\n", 2)[1]
        forged = self.forger.sign(text)
        fake = f"— {self.log.origin} {b64encode(self.log.signer.key.key_id + forged.signature).decode()}"
        return proof.replace(line, fake)

    def result(self, name):
        file = self.files.get(name)
        return (404, None) if file is None else (200, self._told(file))

    def list_cameras(self, _body):
        return 200, {"cameras": self.cameras}

    def check_out(self, body):
        officer = self.badges.get(body["badge"])
        if officer is None:
            return 404, {"error": "badge", "text": "Nobody has this badge."}
        owner = self.taken_today.get(body["serial"])
        if owner not in (None, officer) and body.get("is_sure") is not True:
            return 409, {"error": "assigned", "text": f"{owner} has this camera today."}
        self.taken_today[body["serial"]] = officer
        return 200, {"assigned": officer}

    def leaves(self):
        return [parse_leaf(entry) for entry in self.log.entries]


def receipt_fits(data, digest):
    """Say whether a receipt speaks of a digest."""
    return digest in parse_receipt(data).leaf.facts.values()


ROUTES = (
    ("GET", r"/hello", "hello"),
    ("GET", r"/cameras", "list_cameras"),
    ("POST", r"/cameras", "ask_admission"),
    ("POST", r"/dockings", "begin_docking"),
    ("POST", r"/dockings/(\d+)", "report_docking"),
    ("POST", r"/checkouts", "check_out"),
)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    @property
    def state(self):
        return self.server.state

    def _answer(self, status, record=None, headers=()):
        body = b"" if record is None else json.dumps(record).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _deal(self):
        path = self.path.removeprefix("/api/dock/v1")
        if self.headers.get("Authorization") != f"Bearer {self.state.token}":
            self.close_connection = True
            return self._answer(401, {"error": "token", "text": "No such dock."})
        if path.startswith("/offloads"):
            return self._offloads(path.removeprefix("/offloads").strip("/"))
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"null")
        for method, pattern, deed in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                with self.state.lock:
                    return self._answer(*getattr(self.state, deed)(body, *match.groups()))
        return self._answer(404, {"error": "absent", "text": "Not here."})

    do_GET = do_POST = do_HEAD = do_PATCH = _deal  # noqa: N815 - the names that are looked for

    def _offloads(self, name):
        if self.command in ("POST", "PATCH"):
            with self.state.lock:
                refusal = self.state.refusals.pop(0) if self.state.refusals else None
            if refusal == "cut":
                self.close_connection = True
                return None
            if refusal:
                self.close_connection = True
                said = {"error": "busy", "text": "Many are sending."}
                return self._answer(refusal, said, [("Retry-After", "0")])
        if self.command == "PATCH":
            return self._take_piece(name)
        with self.state.lock:
            if self.command == "POST":
                status, told = self.state.begin_offload(self.headers)
                if status == 201:
                    return self._answer(201, headers=[("Location", f"/api/dock/v1/offloads/{told}")])
                return self._answer(status, told)
            if self.command == "HEAD":
                file = self.state.files.get(name)
                if file is None:
                    return self._answer(404)
                return self._answer(200, headers=[("Upload-Offset", str(len(file.data)))])
            return self._answer(*self.state.result(name))

    def _take_piece(self, name):
        left = int(self.headers["Content-Length"])
        piece = bytearray()
        while left:
            with self.state.lock:
                cut = self.state.cut_after_bytes
            some = self.rfile.read(min(left, 65536))
            if not some:
                break
            piece += some
            left -= len(some)
            if cut is not None and self.state.bytes_received + len(piece) >= cut:
                self.state.cut_after_bytes = None
                break
        with self.state.lock:
            status, offset = self.state.take_piece(name, int(self.headers["Upload-Offset"]), bytes(piece))
        if left:
            # What came before the line was cut is kept, as by the real server; nobody hears so.
            self.close_connection = True
            return None
        return self._answer(status, headers=[("Upload-Offset", str(offset))] if status == 204 else ())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """Say nothing of a client that went away: that is what the tests do."""


@contextmanager
def serving_docks(state=None, port=0):
    """Serve until the context ends; yield what the server knows, with its address."""
    state = state or DockServer()
    http = _Server(("127.0.0.1", port), _Answering)
    http.state = state
    state.port = http.server_address[1]
    state.address = f"http://127.0.0.1:{state.port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
