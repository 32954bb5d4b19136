"""How fast files are handed in, beside @tus/server of Node, and what pages and memory do meanwhile.

The server is the real one (plainview serve), the client a socket with sendfile in a process of its own. Both servers get
the same file in the same pieces, in turn. Ours hashes, encrypts and syncs; @tus/server does none of the three. Needs
twice the file's size free in the system's temporary folder (TMPDIR), and npm for the comparison.

Usage: python bench/upload.py [--mib N] [--rounds N]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import multiprocessing
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plainview.project.settings")

import django

django.setup()

from rows import Row  # noqa: E402 - after Django, as everything here

from simulators.offered_files import footage  # noqa: E402 - the same
from simulators.program import ingest, plainview  # noqa: E402 - the same
from simulators.senders import PIECE, Sender, add_people  # noqa: E402 - the same
from simulators.servers import Server, eventually, serving  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

Answer = tuple[int, dict[str, str]]

MIB = 1 << 20
PIECE_BYTES = 8 * MIB
AT_ONCE = 50
SHORT_BYTES = 24 * MIB
PLAYERS = 24
PAGE_S = 20.0
TARGET_RATIO = 1.3
TARGET_MS = 300.0
# What 50 uploads may hold more than one: eight pieces at once, with a few MiB each.
TARGET_MORE_BYTES = 200 * MIB

NODE = """
import {Server} from '@tus/server';
import {FileStore} from '@tus/file-store';
const server = new Server({path: '/files', datastore: new FileStore({directory: process.argv[2]})});
const http = server.listen({host: '127.0.0.1', port: 0}, () => console.log(http.address().port));
"""


class Line:
    """One connection of a tus client that sends a file from the page cache."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        where = urlsplit(address)
        self.host, self.headers = where.netloc, headers
        self.connection = socket.create_connection((where.hostname, where.port))

    def ask(
        self, method: str, path: str, headers: dict[str, str], piece: tuple[int, int, int] | None = None
    ) -> Answer:
        """Return status and headers of an answer; piece is file descriptor, offset and length."""
        length = piece[2] if piece else 0
        said = self.headers | headers | {"Host": self.host, "Content-Length": str(length)}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
        self.connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        if piece:
            fd, offset, left = piece
            while left:
                sent = os.sendfile(self.connection.fileno(), fd, offset, left)
                offset, left = offset + sent, left - sent
        return self._answer(method)

    def _answer(self, method: str) -> Answer:
        with http.client.HTTPResponse(self.connection, method=method) as response:
            response.begin()
            response.read()
            return response.status, {name.lower(): value for name, value in response.getheaders()}

    def send(self, path: str, file: Path, size_bytes: int, piece_bytes: int = PIECE_BYTES) -> str:
        """Announce one MiB more than there is, so that it can be given up; send what there is; return its address."""
        length = {"Upload-Length": str(size_bytes + MIB), "Upload-Metadata": "filename YQ=="}
        status, headers = self.ask("POST", path, length)
        if status == 429:
            # What a connection that was cut off left begun: others end theirs.
            raise ConnectionAbortedError(status)
        assert status == 201, (status, headers)
        address = urlsplit(headers["location"]).path
        offset = 0
        with file.open("rb") as source:
            while offset < size_bytes:
                piece = (source.fileno(), offset, min(piece_bytes, size_bytes - offset))
                offset = self._send_piece(address, piece)
        return address

    def _send_piece(self, address: str, piece: tuple[int, int, int]) -> int:
        _, offset, _ = piece
        said = {"Upload-Offset": str(offset), "Content-Type": PIECE}
        status, headers = self.ask("PATCH", address, said, piece)
        if status == 503:
            time.sleep(float(headers["retry-after"]) * random.uniform(0.3, 1.0))
            return offset
        assert status == 204, (status, headers)
        return int(headers["upload-offset"])


# --- speed


@dataclass(frozen=True)
class Way:
    """How files are sent: pieces of what size, how many files at once."""

    name: str
    piece_bytes: int
    at_once: int
    target: float | None = None


WAYS = (
    Way("pieces of 8 MiB", 8 * MIB, 1, TARGET_RATIO),
    Way("pieces of 32 MiB", 32 * MIB, 1),
    Way("four files at once, pieces of 8 MiB", 8 * MIB, 4),
)


def send_once(address: str, path: str, headers: dict[str, str], file: Path, way: Way) -> float:
    """Send a file, or as many parts of it at once, each from a process of its own; return how many seconds it took."""
    size_bytes = file.stat().st_size // way.at_once
    told = multiprocessing.SimpleQueue()

    def work() -> None:
        told.put(Line(address, headers).send(path, file, size_bytes, way.piece_bytes))

    children = [multiprocessing.get_context("fork").Process(target=work) for _ in range(way.at_once)]
    began = time.monotonic()
    for child in children:
        child.start()
    for child in children:
        child.join()
    took_s = time.monotonic() - began
    for _ in children:
        Line(address, headers).ask("DELETE", told.get(), {})
    return took_s


@contextlib.contextmanager
def node_server(folder: Path) -> Iterator[tuple[str, int, str] | None]:
    """Install and run @tus/server; yield its address, process and version, or None where it cannot be had."""
    problem = install_node(folder)
    if problem:
        print(f"  NOT COMPARED with @tus/server: {problem}", flush=True)
        yield None
        return
    (folder / "server.mjs").write_text(NODE)
    (folder / "files").mkdir()
    version = re.search(
        r'"version": "([^"]+)"', (folder / "node_modules/@tus/server/package.json").read_text()
    )
    command = ["node", "server.mjs", str(folder / "files")]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}", process.pid, version[1] if version else "unknown"
        finally:
            process.terminate()


def install_node(folder: Path) -> str:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "npm or node is not installed"
    folder.mkdir()
    command = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder),
        "@tus/server",
        "@tus/file-store",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else f"npm says {done.stderr.strip()[-200:]}"


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(server: Server, sender: Sender, file: Path, rounds: int, scratch: Path) -> list[Row]:
    with node_server(scratch / "node") as node:
        return [row for way in WAYS for row in compare_way(way, server, sender, file, rounds, node)]


def compare_way(
    way: Way, server: Server, sender: Sender, file: Path, rounds: int, node: tuple[str, int, str] | None
) -> list[Row]:
    web, size_mb = answering(server), file.stat().st_size / 1e6
    ours: list[float] = []
    theirs: list[float] = []
    spent = {"ours": 0.0, "theirs": 0.0}
    for _ in range(rounds):
        before = cpu_s(web)
        ours.append(send_once(server.address, "/uploads", sender.headers, file, way))
        spent["ours"] += cpu_s(web) - before
        if node is not None:
            before = cpu_s(node[1])
            theirs.append(send_once(node[0], "/files", {"Tus-Resumable": "1.0.0"}, file, way))
            spent["theirs"] += cpu_s(node[1]) - before
    speed = f"{size_mb / median(ours):.0f} MB/s"
    detail = (
        f"{file.stat().st_size >> 20} MiB over loopback, {rounds} times, "
        f"{', '.join(f'{size_mb / took:.0f}' for took in ours)} MB/s; "
        f"{spent['ours'] / rounds:.1f} CPU s of the server each; every piece hashed, encrypted and synced"
    )
    rows = [Row(f"handing in, {way.name}", speed, detail=detail)]
    target = "" if way.target is None else f"at least {way.target}"
    if node is None:
        return [
            *rows,
            Row(f"beside @tus/server, {way.name}", "not compared", target, None, "npm is not there"),
        ]
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    detail = (
        f"@tus/server {node[2]} with its file store, which hashes, encrypts and syncs nothing: "
        f"{', '.join(f'{size_mb / took:.0f}' for took in theirs)} MB/s, {spent['theirs'] / rounds:.1f} CPU s each; "
        f"in turn, ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
    )
    met = None if way.target is None else median(ratios) >= way.target
    shown = f"{median(ratios):.2f} times as fast"
    return [*rows, Row(f"beside @tus/server, {way.name}", shown, target, met, detail)]


# --- many at once


def answering(server: Server) -> int:
    """Return the process that answers requests."""
    (pid,) = eventually(lambda: server.children_of(server.part("web")))
    return pid


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def sending(address: str, headers: dict[str, str], file: Path, count: int) -> Iterator[None]:
    """Have so many clients, in a process of their own, send file after file until the context ends."""
    over = multiprocessing.Event()

    def one() -> None:
        while not over.is_set():
            # A piece that is refused because many are sending is not read: the connection ends.
            with contextlib.suppress(OSError, http.client.HTTPException):
                send_until(over, Line(address, headers), file)
            time.sleep(random.uniform(0.3, 1.0))

    def work() -> None:
        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    try:
        yield
    finally:
        over.set()
        child.join()


def send_until(over: Event, line: Line, file: Path) -> None:
    while not over.is_set():
        line.ask("DELETE", line.send("/uploads", file, SHORT_BYTES), {})


def peak_while(pid: int, seconds: float) -> int:
    end, peak = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        peak = max(peak, resident_bytes(pid))
        time.sleep(0.02)
    return peak


def memory(server: Server, sender: Sender, file: Path) -> Row:
    web = answering(server)
    with sending(server.address, sender.headers, file, 1):
        alone = peak_while(web, 5)
    with sending(server.address, sender.headers, file, AT_ONCE):
        peaks = [peak_while(web, 5) for _ in range(3)]
    more = max(peaks) - alone
    return Row(
        f"memory with {AT_ONCE} uploads at once",
        f"{max(peaks) >> 20} MiB, {more >> 20} more than with one",
        f"at most {TARGET_MORE_BYTES >> 20} more",
        more <= TARGET_MORE_BYTES,
        f"peaks of the process that answers, 5 s each: {', '.join(str(peak >> 20) for peak in peaks)} MiB",
    )


# --- pages meanwhile


@contextlib.contextmanager
def paused_players(server: Server, sender: Sender, identifier: str) -> Iterator[int]:
    """Ask for a recording as players do, and read nothing of the answers; yield how many were answered."""
    where = urlsplit(server.address)
    held = []
    for _ in range(PLAYERS):
        connection = socket.create_connection((where.hostname, where.port), timeout=30)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = [
            f"GET /recordings/{identifier}/video HTTP/1.1",
            f"Host: {where.netloc}",
            "Range: bytes=0-",
            f"Cookie: {sender.headers['Cookie']}",
        ]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        held.append(connection)
    try:
        yield sum(connection.recv(12).endswith(b"206") for connection in held)
    finally:
        for connection in held:
            connection.close()


def page_ms(sender: Sender, path: str, seconds: float) -> list[float]:
    end, took = time.monotonic() + seconds, []
    while time.monotonic() < end:
        began = time.monotonic()
        answer = sender.ask("GET", path)
        took.append((time.monotonic() - began) * 1000)
        assert answer.status_code == 200, answer.status_code
        time.sleep(0.05)
    return took


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def pages(server: Server, sender: Sender, file: Path, identifier: str) -> list[Row]:
    quiet = {path: page_ms(sender, path, 3) for path in ("/healthz", "/recordings")}
    with (
        paused_players(server, sender, identifier) as players,
        sending(server.address, sender.headers, file, AT_ONCE),
    ):
        busy = {path: page_ms(sender, path, PAGE_S) for path in ("/healthz", "/recordings")}
    rows = []
    for path, name in (("/healthz", "a light page"), ("/recordings", "the list of recordings")):
        slow = p95(busy[path])
        detail = (
            f"{AT_ONCE} uploads without pause and {players} players that asked for a recording and do not read it, for "
            f"{PAGE_S:.0f} s; {len(busy[path])} asked, median {median(busy[path]):.0f} ms; with nothing else to do "
            f"{median(quiet[path]):.0f} ms; clients and server share the cores"
        )
        rows.append(
            Row(
                f"{name} meanwhile",
                f"{slow:.0f} ms at p95",
                f"under {TARGET_MS:.0f} ms",
                slow < TARGET_MS,
                detail,
            )
        )
    return rows


def write_source(path: Path, size_bytes: int) -> None:
    piece = random.Random(1).randbytes(16 * MIB)
    with path.open("wb") as file:
        for start in range(0, size_bytes, len(piece)):
            file.write(piece[: size_bytes - start])


def run(mib: int = 2048, rounds: int = 3) -> list[Row]:
    """Measure on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        scratch, data = Path(folder), Path(folder) / "data"
        made = plainview("init", "--log-name", "bench.example", data=data)
        assert made.returncode == 0, made.stderr
        add_people(data, "investigator")
        # Long enough that a capped answer does not end by itself.
        (scratch / "a.mp4").write_bytes(footage("bench") + bytes(8) + os.urandom(12 * MIB))
        (outcome,), _ = ingest(scratch / "a.mp4", data=data)
        write_source(scratch / "source", mib * MIB)
        with serving(data, "--workers", "0") as server:
            sender = Sender(server.address, role="investigator")
            sender.ask("GET", "/recordings")
            rows = compare(server, sender, scratch / "source", rounds, scratch)
            rows.append(memory(server, sender, scratch / "source"))
            return rows + pages(server, sender, scratch / "source", outcome["recording"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for row in run(given.mib, given.rounds):
        print(f"{row.name}: {row.measured} ({row.target}) {row.is_met}\n    {row.detail}")
