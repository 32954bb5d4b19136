"""How much memory this process held at its peak."""

import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """Return the peak of resident memory since this program began.

    Not getrusage: on Linux its figure survives exec, so a child of a large process looks large itself.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
