"""End a command when the server that it joined ends."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from plainview.service.attach import find_serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.service.attach import Serving

LOOK_EVERY_S = 0.3


@contextmanager
def ending_with(data: Path, serving: Serving, *, say: Callable[[str], None]) -> Iterator[None]:
    """Ask this process to end, as a person would, when the server stops or dies: its database goes with it.

    The next server waits for us before it looks at what an interruption left.
    """
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(LOOK_EVERY_S):
            if find_serving(data) != serving:
                say(f"the server that this works with (process {serving.pid}) is ending")
                os.kill(os.getpid(), signal.SIGTERM)
                return

    watcher = threading.Thread(target=watch, name="server-watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
