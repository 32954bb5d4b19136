"""Our own PostgreSQL: found, made once, started under the data directory's lock, stopped with us.

Traps that shaped this are in docs/adr/0003-own-postgresql.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psycopg

import plainview
from plainview.service.binaries import find_binaries, program_environment
from plainview.service.cluster import ROLE_NAMES, Cluster, keep_passwords, own_cluster
from plainview.service.errors import (
    DataDirectoryError,
    PasswordsError,
    PostgresError,
    PostgresStartError,
)
from plainview.service.files import publish_file, sync_folder
from plainview.service.launch import CANNOT_BECOME, STUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plainview.service.binaries import Binaries
    from plainview.service.lock import DataLock

PORT = 5432  # only part of the socket's name: nothing listens on a network
START_LIMIT_S = 120.0
LINGER_LIMIT_S = 10.0
STOP_LIMIT_S = 60.0
LOG_LIMIT_BYTES = 8 << 20
SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes; the socket's name and its lock's take some

IdentityKind = Literal["same", "namespace", "unprivileged"]


@dataclass(frozen=True)
class Identity:
    """The user PostgreSQL runs as; it refuses to run as root."""

    kind: IdentityKind
    uid: int
    gid: int


@dataclass(frozen=True)
class _Place:
    """Everything a start needs to know."""

    data: Path
    pg: Path
    log: Path
    binaries: Binaries
    identity: Identity
    lock_fd: int


# --- running it


@contextlib.contextmanager
def running_postgres(
    data: Path,
    lock: DataLock,
    *,
    on_wait: Callable[[str], None] | None = None,
    allow_user_namespace: bool = True,
) -> Iterator[Cluster]:
    """Run PostgreSQL on DATA/pg for as long as the context is open, making the database on first use.

    It listens on a unix socket in a private folder, asks every role for its password, and dies with us.
    Enter this from the main thread: the kernel ties its death to the thread that started it.

    Args:
        data: the data directory, locked.
        lock: its lock; PostgreSQL inherits it.
        on_wait: told in a sentence what is being waited for, when a start takes longer than usual.
        allow_user_namespace: as root, whether to try a user namespace before another user.

    Raises:
        BinariesNotFoundError: no programs, or none of the version that made this database.
        PasswordsError: the passwords do not fit the database.
        PostgresStartError: it does not start, or not in time.
        PostgresError: not the main thread, or no user to run it as.
        DataDirectoryError: a folder it needs is not private.
    """
    if threading.current_thread() is not threading.main_thread():
        raise PostgresError("start PostgreSQL from the main thread: it would end with any other thread")
    place = _prepare_place(data.resolve(), lock, allow_user_namespace=allow_user_namespace)
    passwords = keep_passwords(place.data / "service" / "passwords.json", create=not place.pg.exists())
    if not place.pg.exists():
        _make_database_files(place, superuser_password=passwords[ROLE_NAMES["superuser"]])
    _own_tree(place.pg, place.identity)
    socket_dir = _socket_folder(place.data)
    _clear_stale_files(place.pg, socket_dir, on_wait)
    cluster = own_cluster(socket_dir=socket_dir, port=PORT, passwords=passwords)
    try:
        process = _start(place, cluster, on_wait)
        try:
            yield replace(cluster, process_id=process.pid)
        finally:
            _stop(process, place)
    finally:
        if place.data not in socket_dir.parents:
            with contextlib.suppress(OSError):  # nothing to us once it is empty, and made again when needed
                socket_dir.rmdir()


def has_ended(cluster: Cluster) -> bool:
    """Say whether the PostgreSQL that this process started has ended; its number stays ours until it is waited for."""
    if cluster.process_id is None:
        return False
    return os.waitid(os.P_PID, cluster.process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _prepare_place(data: Path, lock: DataLock, *, allow_user_namespace: bool) -> _Place:
    if lock.data != data:
        raise DataDirectoryError(data, f"the lock given is that of {lock.data}")
    service, pg = data / "service", data / "pg"
    service.mkdir(mode=0o700, exist_ok=True)
    log = service / "postgres.log"
    rotate_log(log)
    return _Place(
        data=data,
        pg=pg,
        log=log,
        binaries=find_binaries(major=_major_of(pg)),
        identity=_choose_identity(allow_user_namespace=allow_user_namespace),
        lock_fd=lock.fd,
    )


def _major_of(pg: Path) -> int | None:
    if not pg.exists():
        return None
    try:
        return int((pg / "PG_VERSION").read_text().strip())
    except (OSError, ValueError) as error:
        raise PostgresError(
            f"{pg} is not a database that can be used ({error}): restore the last backup into a new data directory."
        ) from error


def rotate_log(log: Path, *, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Move a log that has grown beyond limit_bytes aside as "<name>.1", replacing the one before."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_name(log.name + ".1"))


# --- who it runs as


def _choose_identity(*, allow_user_namespace: bool) -> Identity:
    """As ourselves; as root in a user namespace, or where that is refused as another user."""
    if os.geteuid() != 0:
        return Identity("same", os.geteuid(), os.getegid())
    user = _unprivileged_user()
    kinds: tuple[IdentityKind, ...] = (
        ("namespace", "unprivileged") if allow_user_namespace else ("unprivileged",)
    )
    said = ""
    for kind in kinds:
        identity = Identity(kind, user.pw_uid, user.pw_gid)
        tried = subprocess.run(
            _argv(identity, sys.executable, "-V"), capture_output=True, env=program_environment(), check=False
        )
        if tried.returncode == 0:
            return identity
        said = tried.stderr.decode(errors="replace").strip()
    raise PostgresError(
        f"PostgreSQL does not run as root, and this system lets root neither use a user namespace nor become "
        f"'{user.pw_name}' ({said}): run Plainview as an ordinary user, or set DATABASE_URL."
    )


def _unprivileged_user() -> pwd.struct_passwd:
    """Return a user that exists (initdb looks its name up) and is not root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    others = [user for user in pwd.getpwall() if user.pw_uid != 0]
    if not others:
        raise PostgresError("PostgreSQL does not run as root, and this system has no other user: add one.")
    return others[0]


def _own_tree(pg: Path, identity: Identity) -> None:
    """Give the files to the user who will use them: root after a namespace, else the user itself."""
    if identity.kind == "same":
        return
    uid, gid = (0, 0) if identity.kind == "namespace" else (identity.uid, identity.gid)
    if pg.stat().st_uid == uid:
        return
    for folder, names, files in os.walk(pg):
        for name in (*names, *files):
            os.chown(Path(folder) / name, uid, gid, follow_symlinks=False)
    os.chown(pg, uid, gid)  # last: it says that the rest is done


def _argv(identity: Identity, *program: str) -> list[str]:
    source = str(Path(plainview.__file__).resolve().parents[1])
    stub = [sys.executable, "-I", "-S", "-c", STUB, source, str(os.getpid())]
    return [*stub, identity.kind, str(identity.uid), str(identity.gid), *program]


# --- making it


def _make_database_files(place: _Place, *, superuser_password: str) -> None:
    """Make DATA/pg: complete and durable under another name first."""
    new = place.data / "pg.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    _own_tree(new, place.identity)
    password_file = place.data / "service" / "initdb-password"
    _write_password_file(password_file, superuser_password)
    try:
        made = subprocess.run(
            _argv(place.identity, *_initdb_command(place, new, password_file)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=program_environment(),
            pass_fds=(place.lock_fd,),
            cwd="/",
            check=False,
        )
    finally:
        password_file.unlink(missing_ok=True)
    if made.returncode != 0:
        raise PostgresStartError(
            "its files could not be made", log=place.log, log_tail=made.stdout.decode(errors="replace")[-600:]
        )
    # Nothing but the socket, nothing without a password: no line for any network, none with trust.
    (new / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    _sync_tree_top(new)
    publish_file(new, place.pg)


def _write_password_file(path: Path, password: str) -> None:
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(password + "\n")


def _initdb_command(place: _Place, folder: Path, password_file: Path) -> list[str]:
    if place.binaries.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8"]
    return [
        place.binaries.program("initdb"),
        f"--pgdata={folder}",
        f"--username={ROLE_NAMES['superuser']}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        *locale,
    ]


def _sync_tree_top(folder: Path) -> None:
    """Make the one file written after initdb durable; initdb synced its own."""
    with (folder / "pg_hba.conf").open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(folder)


# --- starting and stopping it


def _socket_folder(data: Path) -> Path:
    """Return a private folder with a short, plain path."""
    inside = data / "service" / "socket"
    if is_socket_path_usable(inside):
        folder = inside
    else:
        mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
        folder = _short_base() / f"plainview-{os.geteuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        raise DataDirectoryError(
            folder, "is needed for the database's socket, and is not a private folder of this user: remove it"
        )
    return folder


def is_socket_path_usable(folder: Path) -> bool:
    """Return whether a socket can lie in this folder: short enough, and no sign that needs quoting."""
    path = f"{folder}/.s.PGSQL.{PORT}.lock"
    return len(os.fsencode(path)) < SOCKET_PATH_LIMIT and re.fullmatch(r"[A-Za-z0-9_./-]+", path) is not None


def _short_base() -> Path:
    for base in (Path(f"/run/user/{os.geteuid()}"), Path("/tmp"), Path(tempfile.gettempdir())):  # noqa: S108 (checked)
        if base.is_dir() and os.access(base, os.W_OK | os.X_OK) and is_socket_path_usable(base / ("x" * 40)):
            return base
    raise PostgresError("no folder with a short path for the database's socket: make /tmp writable.")


def _server_command(place: _Place, socket_dir: Path) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "password_encryption": "scram-sha-256",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "hba_file": str(place.pg / "pg_hba.conf"),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [place.binaries.program("postgres"), "-D", str(place.pg), *options]


def _clear_stale_files(pg: Path, socket_dir: Path, on_wait: Callable[[str], None] | None) -> None:
    """Remove a postmaster.pid and a socket's lock that nobody stands behind.

    We hold the lock, which every PostgreSQL of ours inherits, so they are left from a crash. PostgreSQL asks
    only whether a process with that number exists, and the number may by now be an unrelated process's:
    it would refuse to start for ever. Nothing is ever sent to that number; whether PostgreSQL runs is seen
    from who has this folder as working directory.
    """
    left = [path for path in (pg / "postmaster.pid", socket_dir / f".s.PGSQL.{PORT}.lock") if path.exists()]
    if not left:
        return
    end_s = time.monotonic() + LINGER_LIMIT_S
    told = False
    while (users := _processes_in(pg)) and time.monotonic() < end_s:
        if on_wait is not None and not told:
            on_wait("waiting for a database that is still stopping")
            told = True
        time.sleep(0.1)
    if users:
        raise PostgresError(
            f"another PostgreSQL (process {users[0]}), not started by Plainview, is running on {pg}: stop it first."
        )
    if Path("/proc/self/cwd").exists():
        for path in left:
            path.unlink(missing_ok=True)


def _processes_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is this folder, as far as they can be seen."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _start(place: _Place, cluster: Cluster, on_wait: Callable[[str], None] | None) -> subprocess.Popen[bytes]:
    """Start it and wait until it answers; try again while one that was killed still lingers."""
    assert cluster.socket_dir is not None
    linger_end_s = time.monotonic() + LINGER_LIMIT_S
    while True:
        log_start = place.log.stat().st_size if place.log.exists() else 0
        process = _spawn(place, cluster.socket_dir)
        try:
            is_ready = _wait_until_ready(process, cluster, place, on_wait)
        except BaseException:
            _stop(process, place)
            raise
        if is_ready:
            return process
        tail = _log_tail(place.log, log_start)
        lingers = "postmaster.pid" in tail or "still in use" in tail or ".lock" in tail
        if not lingers or time.monotonic() > linger_end_s:
            why = "its user cannot be taken on" if process.returncode == CANNOT_BECOME else "it ended at once"
            raise PostgresStartError(why, log=place.log, log_tail=tail[-600:])
        time.sleep(0.25)


def _spawn(place: _Place, socket_dir: Path) -> subprocess.Popen[bytes]:
    fd = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            _argv(place.identity, *_server_command(place, socket_dir)),
            stdin=subprocess.DEVNULL,
            stdout=fd,
            stderr=fd,
            env=program_environment(),
            pass_fds=(place.lock_fd,),
            cwd="/",
            start_new_session=True,  # Ctrl-C is for us; the database stops after we are done with it
        )
    finally:
        os.close(fd)


def _wait_until_ready(
    process: subprocess.Popen[bytes], cluster: Cluster, place: _Place, on_wait: Callable[[str], None] | None
) -> bool:
    """Return True when it answers, False when it has ended."""
    start_s = time.monotonic()
    tell_at_s = 3.0
    while process.poll() is None:
        if _answers(cluster):
            return True
        waited_s = time.monotonic() - start_s
        if waited_s > START_LIMIT_S:
            raise PostgresStartError(
                f"no answer within {START_LIMIT_S:.0f} s",
                log=place.log,
                log_tail=_log_tail(place.log, 0)[-600:],
            )
        if on_wait is not None and waited_s > tell_at_s:
            on_wait(f"the database is starting or recovering ({waited_s:.0f} s)")
            tell_at_s += 10.0
        time.sleep(0.02 if waited_s < 2 else 0.2)
    return False


def _answers(cluster: Cluster) -> bool:
    try:
        with psycopg.connect(cluster.dsn("superuser"), connect_timeout=10):
            return True
    except psycopg.OperationalError as error:
        # Refusals before the password has been looked at carry no code: only the text says so.
        if "password authentication failed" in str(error):
            raise PasswordsError(
                "service/passwords.json does not fit the database in pg: put back the file that belongs to it."
            ) from None
        return False


def _log_tail(log: Path, start: int) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - 4000))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _stop(process: subprocess.Popen[bytes], place: _Place) -> None:
    """Ask for a fast shutdown, then an immediate one; the process is our child, so the number is its own."""
    for signal_number, limit_s in ((signal.SIGINT, STOP_LIMIT_S), (signal.SIGQUIT, LINGER_LIMIT_S)):
        if process.poll() is not None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            continue
        return
    raise PostgresError(f"PostgreSQL (process {process.pid}) does not stop; its log is {place.log}.")
