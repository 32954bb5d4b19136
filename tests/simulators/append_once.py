"""Append to a custody log once, in a process of its own, to be killed by whoever traces it.

Usage: append_once.py SOURCES FOLDER WRITER START STOP. Says BEGIN on stderr when all is imported, ACK on stdout when done.
"""

import os
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1].split(os.pathsep)
    from pathlib import Path

    from plainview.vault.checkpoint_store import CheckpointStore
    from plainview.vault.log import TiledLog
    from simulators import bad_logs
    from simulators.custody_logs import KEY, ORIGIN, SIGN, leaves

    folder, writer = Path(sys.argv[2]), getattr(bad_logs, sys.argv[3], TiledLog)
    start, stop = int(sys.argv[4]), int(sys.argv[5])
    entries = leaves(start, stop)
    SIGN(b"warm up: imports and tables are loaded before the tracing counts")
    os.write(2, b"BEGIN\n")
    store = CheckpointStore(folder / "checkpoint-store.sqlite")
    checkpoint = writer(folder / "log", origin=ORIGIN).append(
        entries, sign=SIGN, key=KEY, checkpoints=store, start=start
    )
    os.write(1, b"ACK %d\n" % checkpoint.size)
