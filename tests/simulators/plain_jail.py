"""The decoder jail's interface without a jail: says of an original what its first bytes ask for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from plainview.formats.chunks import CHUNK_BYTES, chunk_count
from plainview.media.facts import Probe, probe_to_json
from plainview.service.errors import JailError
from plainview.service.jail import JailResult
from plainview.vault.reader import open_sealed


@dataclass
class PlainJail:
    """Takes everything for ten seconds of footage, but what begins with "text", or while it is broken.

    Attributes:
        is_broken: fails by itself, whatever the file.
        seen: how many it examined.
    """

    is_broken: bool = False
    seen: list = field(default_factory=list)

    def run(self, task, *, fd, argument=None, limits=None, output=None):
        if self.is_broken:
            raise JailError("The jail cannot be started.")
        with open_sealed(os.dup(fd), argument["key"]) as original:
            size_bytes, begins = original.size_bytes, original.read(4)
        self.seen.append(size_bytes)
        if begins == b"text":
            return _result(None, failure="raised", reason="not_media", message="It holds no picture.")
        return _result(probe_to_json(_probe(size_bytes)))


def _probe(size_bytes):
    return Probe(
        container="mov",
        size_bytes=size_bytes,
        origin_us=0,
        duration_ms=10_000,
        declared_duration_ms=None,
        started_at=None,
        streams=(),
        chunk_bytes=CHUNK_BYTES,
        chunk_spans=(None,) * chunk_count(size_bytes),
        tags=(),
        warnings=(),
    )


def _result(value, **said):
    given = {"failure": None, "reason": None, "message": None} | said
    return JailResult(
        value=value,
        enforced=(),
        not_enforced=(),
        cpu_s=0.0,
        peak_memory_bytes=0,
        wall_s=0.0,
        **given,
    )
