"""Structured logs: one JSON object a line in DATA/service/plainview.log, for whoever runs the machine.

They tell what commands did and what failed, never who is in a recording: no file names, no people. The custody log,
not this file, is the record of acts.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

LOG_LIMIT_BYTES = 10 << 20
KEPT_FILES = 3


def write_logs_to(path: Path) -> None:
    """Send structured logs to a file, replacing wherever they went before; it is rotated by size."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_LIMIT_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("plainview")
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
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
    log: structlog.stdlib.BoundLogger = structlog.get_logger("plainview")
    return log
