"""People who hand files in to a real server: the unmodified tuspy, and connections that break."""

from __future__ import annotations

import io
import re
import socket
import struct
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from tusclient.client import TusClient

from plainview.accounts.actions import add_user, grant_role
from plainview.cli.database import connected
from plainview.pipeline.installation import mark_demo
from simulators.custody_rows import START, SYSTEM
from simulators.offered_files import footage
from simulators.program import database_of

MIB = 1 << 20
PIECE = "application/offset+octet-stream"


def large_footage(word, size_bytes):
    """Return footage of exactly this size: what plays, and a box that players skip."""
    plays = footage(word)
    room = size_bytes - len(plays)
    filling = (word.encode() * (room // len(word) + 1))[: room - 8]
    return plays + struct.pack(">I", room) + b"free" + filling


def add_people(data, *roles):
    """Make a prepared data directory a demo, with somebody for each role whom anyone can enter as."""
    mark_demo(data)
    with database_of(data) as cluster, connected(cluster):
        for role in roles:
            person = add_user(
                username=f"the.{role}", name=role.title(), password=None, actor=SYSTEM, now=START
            )
            grant_role(user=person, role=role, unit=None, actor=SYSTEM, now=START)


class Sender:
    """Somebody who has entered, and hands files in."""

    def __init__(self, address, role="officer"):
        self.address = address
        session = requests.Session()
        page = session.get(f"{address}/enter", timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
        entered = session.post(
            f"{address}/enter",
            data={"role": role, "csrfmiddlewaretoken": token},
            allow_redirects=False,
            timeout=30,
        )
        assert entered.status_code == 302, entered.text
        cookies = session.cookies.get_dict()
        session.close()
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["csrftoken"],
            "Tus-Resumable": "1.0.0",
        }

    def moved_to(self, address):
        """Find the same server elsewhere."""
        self.address = address

    def uploader(self, path, **options):
        """Return tuspy's own uploader for a file."""
        client = TusClient(f"{self.address}/uploads")
        client.set_headers(self.headers)
        given = {"metadata": {"filename": path.name}, "chunk_size": 8 * MIB} | options
        # From memory: tuspy closes no file that it opens.
        return client.uploader(file_stream=io.BytesIO(path.read_bytes()), **given)

    def url(self, address):
        return self.address + urlsplit(address).path

    def ask(self, method, address, **options):
        """Ask for an upload, however the answer is."""
        given = {"timeout": 60} | options
        given["headers"] = self.headers | given.get("headers", {})
        return requests.request(method, self.url(address), **given)

    def begin(self, size_bytes):
        headers = {"Upload-Length": str(size_bytes)}
        answer = self.ask("POST", "/uploads", headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def offset(self, address):
        return int(self.ask("HEAD", address).headers["Upload-Offset"])

    def result(self, address):
        return self.ask("GET", address).json()

    def patch(self, address, data, offset):
        return self.ask(
            "PATCH", address, data=data, headers={"Content-Type": PIECE, "Upload-Offset": str(offset)}
        )

    @contextmanager
    def half_a_piece(self, address, data, offset, *, announced):
        """Send the beginning of a piece, and hold the connection open until the context ends."""
        where = urlsplit(self.address)
        lines = [
            f"PATCH {address} HTTP/1.1",
            f"Host: {where.netloc}",
            f"Content-Type: {PIECE}",
            f"Upload-Offset: {offset}",
            f"Content-Length: {announced}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
            yield connection
