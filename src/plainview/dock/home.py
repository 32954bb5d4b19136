"""What a dock keeps: whom it talks to, whose signatures count, and digests of files it has read already.

Example of dock.json:
    {"certificate":"","department_key":"example.org/custody/1/department+...","dock":"North","kind":"plainview-dock",
    "log_keys":["example.org/custody/1+..."],"server":"https://plainview.example","token":"...","v":1}
"""

from __future__ import annotations

import sqlite3
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.dock.errors import SetUpError
from plainview.dock.folder import read_small, write_lasting
from plainview.dock.server import HttpServer
from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import LINE, check_record, check_text
from plainview.formats.note import VerifierKey, format_vkey, parse_vkey

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.dock.rules import DockFile

DOCK_FILE, DIGESTS_FILE = "dock.json", "digests.sqlite"
DOCK_KIND = "plainview-dock"
DOCK_LIMIT_BYTES = 262_144
_KEYS = frozenset({"v", "kind", "server", "token", "dock", "department_key", "log_keys", "certificate"})


@dataclass(frozen=True)
class DockSetting:
    """What `plainview dock init` wrote down.

    Attributes:
        server: its address.
        token: what this dock shows to it; a secret.
        dock: the name the department gave this dock.
        department_key: that signs orders.
        log_keys: that receipts must be signed by; no others count until somebody runs init again.
        certificate: path of a file with the authority's certificate; empty trusts those of the system.
    """

    server: str
    token: str
    dock: str
    department_key: VerifierKey
    log_keys: tuple[VerifierKey, ...]
    certificate: str = ""

    def connect(self) -> HttpServer:
        """Return a connection for one thread."""
        context = None
        if self.server.startswith("https:"):
            context = ssl.create_default_context(cafile=self.certificate or None)
        return HttpServer(self.server, self.token, context=context)


def write_setting(home: Path, setting: DockSetting) -> None:
    """Keep what init found, readable by its owner only.

    Raises:
        SetUpError: it cannot be written.
    """
    data = canonical_json(
        {
            "v": 1,
            "kind": DOCK_KIND,
            "server": setting.server,
            "token": setting.token,
            "dock": setting.dock,
            "department_key": format_vkey(setting.department_key),
            "log_keys": [format_vkey(key) for key in setting.log_keys],
            "certificate": setting.certificate,
        }
    )
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        write_lasting(home / DOCK_FILE, data)
    except OSError as error:
        raise SetUpError(f"{home / DOCK_FILE} cannot be written: {error.strerror}.") from error


def read_setting(home: Path) -> DockSetting:
    """Return what init wrote.

    Raises:
        SetUpError: it did not, or the file is another.
    """
    path = home / DOCK_FILE
    data = read_small(path, limit_bytes=DOCK_LIMIT_BYTES)
    if data is None:
        raise SetUpError(
            f"This dock is not set up: there is no {path}. Run: plainview dock init --server ADDRESS --token TOKEN"
        )
    try:
        return _parse_setting(data)
    except FormatError as error:
        raise SetUpError(f"{path}: {error}. Run plainview dock init again.") from error


def _parse_setting(data: bytes) -> DockSetting:
    what = "dock setting"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=DOCK_LIMIT_BYTES),
        what=what,
        keys=_KEYS,
        kind=DOCK_KIND,
    )
    if type(record["log_keys"]) is not list:
        raise FormatError(what, "log_keys: expected a list")
    texts = {
        field: check_text(record[field], what=what, field=field, pattern=LINE)
        for field in ("server", "token", "dock", "certificate")
    }
    return DockSetting(
        department_key=parse_vkey(check_text(record["department_key"], what=what, field="department_key")),
        log_keys=tuple(
            parse_vkey(check_text(key, what=what, field="log_keys")) for key in record["log_keys"]
        ),
        **texts,
    )


class Digests:
    """SHA-256 of files that were read already, by where they are, their size and time; for many threads.

    A digest that is wrong is found by the server, which compares: then it is forgotten and the file read anew.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(
            ":memory:" if path is None else path, check_same_thread=False, isolation_level=None
        )
        # Losing the last few costs reading the files once more.
        self._rows.execute("PRAGMA synchronous=OFF")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS digest (camera TEXT, path TEXT, size INTEGER, mtime INTEGER, sha256 TEXT, "
            "PRIMARY KEY (camera, path))"
        )

    def find(self, camera: str, file: DockFile) -> str:
        """Return what was remembered of a file; empty where nothing was."""
        with self._lock:
            row = self._rows.execute(
                "SELECT sha256 FROM digest WHERE camera=? AND path=? AND size=? AND mtime=?",
                (camera, file.path, file.size_bytes, file.mtime_ns),
            ).fetchone()
        return row[0] if row else ""

    def keep(self, camera: str, file: DockFile, sha256: str) -> None:
        """Remember a file's digest."""
        with self._lock:
            self._rows.execute(
                "INSERT OR REPLACE INTO digest VALUES (?,?,?,?,?)",
                (camera, file.path, file.size_bytes, file.mtime_ns, sha256),
            )

    def forget(self, camera: str, file: DockFile) -> None:
        """Forget a file."""
        with self._lock:
            self._rows.execute("DELETE FROM digest WHERE camera=? AND path=?", (camera, file.path))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rows.close()
