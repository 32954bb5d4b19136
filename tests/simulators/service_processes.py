"""Processes for the tests of the database launcher, and ways to see what runs where."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

# Starts the database, says so on its output, and waits to be killed.
HOLDER = """
import sys, time
from pathlib import Path
import psycopg
from plainview.service.lock import hold_data_lock
from plainview.service.postgres import running_postgres
from plainview.service.roles import ensure_database

data = Path(sys.argv[1])
with hold_data_lock(data, command="plainview serve") as lock, running_postgres(data, lock) as cluster:
    ensure_database(cluster)
    with psycopg.connect(cluster.dsn("owner")) as connection:
        connection.execute("create table if not exists kept (word text)")
        connection.execute("insert into kept values ('acknowledged')")
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder_of(data, *, wrap=()):
    """Run a process of its own that holds DATA and its database; it ends with the context."""
    process = subprocess.Popen(
        [*wrap, sys.executable, "-c", HOLDER, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = process.stdout.readline()
        if said != "ready\n":
            raise AssertionError(process.stderr.read())
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        process.wait()


def processes_in(folder):
    """Return the processes whose working directory is this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


def arguments_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def copy_data(made, data):
    """Copy a data directory that nothing is running on."""
    shutil.copytree(made, data, ignore=shutil.ignore_patterns("lock", "socket", "*.log"))
    data.chmod(0o700)
    (data / "lock").touch()
    return data
