"""Turn what goes wrong into one clear sentence and an exit code."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CANNOT_RUN = 2
# Every package's own base error; their texts say what, expected, got, and what to do next.
_OUR_MODULES = "plainview."


@contextmanager
def refusals_said() -> Iterator[None]:
    """Print our own errors, and those of the disk, as sentences; a fault of the program keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        print("plainview: stopped. What was acknowledged is safe; run the command again.", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        sys.exit(_said(f"{error.filename or 'the system'}: {error.strerror or error}"))
    except Exception as error:
        if not type(error).__module__.startswith(_OUR_MODULES):
            raise
        sys.exit(_said(str(error)))


def _said(sentence: str) -> int:
    print(f"plainview: {sentence}", file=sys.stderr)
    return CANNOT_RUN
