import os
import socket
from pathlib import Path

from plainview.service.peers import EVERY_S, IDLE_S, TIMES, notice_lost_peers


def is_asked(connection):
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    asked = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1 and asked == [
        IDLE_S,
        EVERY_S,
        TIMES,
    ]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_connected_and_what_is_accepted_later_is_asked_whether_it_is_still_there():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as before:
            assert not is_asked(before)
            open_before = open_files()
            assert notice_lost_peers() >= 3
            assert open_files() == open_before
            assert is_asked(before)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as after:
            assert is_asked(after)


def test_other_sockets_are_left_alone():
    one, other = socket.socketpair()
    with one, other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM), os.fdopen(os.memfd_create("x"), "wb"):
        before = one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        notice_lost_peers()
        assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == before
