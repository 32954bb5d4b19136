"""Notice that whoever is connected has gone without a word: a car that left, a cable pulled, a laptop closed.

Without this a request whose body stopped in the middle keeps its thread, and its upload, until the process ends: the
web server has no time limit of its own for it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

# Asked after so long a silence, and again so often; whoever answers none of it in 40 s is gone.
IDLE_S = 20
EVERY_S = 5
TIMES = 4


def notice_lost_peers() -> int:
    """Have the system ask silent connections over TCP, those of this process, whether they are there.

    What is accepted later inherits it from the socket that this process listens on. Linux only; elsewhere nothing is
    done.

    Returns:
        How many sockets listen, or are connected.

    Source: tcp(7), TCP_KEEPIDLE; the options are copied to accepted sockets.
    """
    found = 0
    folder = Path("/proc/self/fd")
    for entry in list(folder.iterdir()) if folder.is_dir() else []:
        # The folder's own descriptor is gone by now, and most others are no sockets.
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(entry.stat().st_mode):
                with socket.socket(fileno=os.dup(int(entry.name))) as ours:
                    found += _ask_often(ours)
    return found


def _ask_often(ours: socket.socket) -> bool:
    if ours.family not in {socket.AF_INET, socket.AF_INET6} or ours.type != socket.SOCK_STREAM:
        return False
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, IDLE_S),
        (socket.TCP_KEEPINTVL, EVERY_S),
        (socket.TCP_KEEPCNT, TIMES),
    ):
        ours.setsockopt(socket.IPPROTO_TCP, option, value)
    return True
