"""Structured logs: one JSON object a line in DATA/service/plainview.log, for whoever runs the machine.

They tell what commands did and what failed, never who is in a recording: no file names, no people. The custody log,
not this file, is the record of acts.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

LOG_LIMIT_BYTES = 10 << 20
KEPT_FILES = 3
OURS = "plainview"


class _OneObjectALine(logging.Formatter):
    """Leaves our own lines as they are, and brings what libraries say into their form."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        if record.name == OURS:
            return record.getMessage()
        told = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def write_logs_to(path: Path, *, with_libraries: bool = False) -> None:
    """Send structured logs to a file, replacing wherever they went before; it is rotated by size.

    Args:
        path: the file; one process at a time should write to it.
        with_libraries: whether warnings and errors of Django and others go there too.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_LIMIT_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
    handler.setFormatter(_OneObjectALine())
    logger = logging.getLogger(OURS)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if with_libraries:
        logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_log() -> structlog.stdlib.BoundLogger:
    """Return the log of commands."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger(OURS)
    return log
