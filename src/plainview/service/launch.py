"""The step between us and a program we run: become the right user, die with the parent, execute.

A program of its own, because running code between fork and exec is not safe in a process with threads.
Run as: python -I -S -c STUB SOURCE_FOLDER PARENT_PID IDENTITY UID GID PROGRAM ARGUMENTS...
"""

from __future__ import annotations

import os
import signal
import sys

from plainview.service import linux

CAP_DAC_OVERRIDE = 1
CANNOT_BECOME = 125  # the exit status when the identity cannot be had

STUB = "import sys; sys.path.insert(0, sys.argv[1]); from plainview.service.launch import main; main(sys.argv[2:])"


def main(arguments: list[str]) -> None:
    """Take the identity asked for and become the program; does not return."""
    parent_pid, identity, uid, gid = int(arguments[0]), arguments[1], int(arguments[2]), int(arguments[3])
    try:
        take_identity(identity, uid=uid, gid=gid)
    except (OSError, NotImplementedError) as error:
        sys.stderr.write(f"cannot run as {identity} user: {error}\n")
        sys.exit(CANNOT_BECOME)
    try:
        # After the change of user, which would undo it. SIGINT asks postgres for a fast shutdown.
        linux.die_with_parent(signal.SIGINT, parent_pid=parent_pid)
    except ProcessLookupError:
        sys.exit(0)
    except NotImplementedError:
        pass  # not Linux: the lock on the data directory still keeps the next start waiting
    os.execv(arguments[4], arguments[4:])  # noqa: S606 (that is the purpose; the arguments are ours)


PART_STUB = "import sys; sys.path.insert(0, sys.argv[1]); from plainview.service.launch import run_part; run_part(sys.argv[2:])"


def run_part(arguments: list[str]) -> None:
    """Become a part of the server that does not outlive it; does not return.

    Arguments: PARENT_PID PROGRAM ARGUMENTS...
    """
    try:
        # Nothing is lost: whatever a part does may be cut off anywhere, and what it held is free at once.
        linux.die_with_parent(signal.SIGKILL, parent_pid=int(arguments[0]))
    except ProcessLookupError:
        sys.exit(0)
    except NotImplementedError:
        pass  # not Linux: the lock on the data directory still keeps the next start waiting
    os.execv(arguments[1], arguments[1:])  # noqa: S606 (that is the purpose; the arguments are ours)


def take_identity(identity: str, *, uid: int, gid: int) -> None:
    """Become the user that PostgreSQL will run as.

    Args:
        identity: "same"; "namespace", a user namespace in which root is uid; or "unprivileged", uid
            itself with the right to reach files in root's private folders and no other.
        uid: see identity.
        gid: see identity.

    Raises:
        OSError: the kernel refuses.
    """
    if identity == "namespace":
        linux.enter_user_namespace(uid=uid, gid=gid)
    elif identity == "unprivileged":
        linux.become_user_keeping(CAP_DAC_OVERRIDE, uid=uid, gid=gid)
