"""The receipts of one stream as they are handed to its camera: `receipts/<stream>.json`, or the body of a request.

Example: {"footage":{"kind":"plainview-receipt",...},"journal":{"kind":"plainview-receipt",...},"v":1}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.formats.canonical import canonical_json, parse_canonical_json
from plainview.formats.errors import FormatError
from plainview.formats.fields import check_record
from plainview.formats.receipt import RECEIPT_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plainview.dock.rules import FileState

RECEIPTS_LIMIT_BYTES = 2 * RECEIPT_LIMIT_BYTES + 1000
_KEYS = frozenset({"v", "footage", "journal"})


def format_receipts(files: Sequence[FileState]) -> bytes:
    """Write the receipts of a stream's files."""
    record: dict[str, object] = {"v": 1, "footage": None, "journal": None}
    for each in files:
        assert each.receipt is not None, "only what has a checked receipt is erased"
        record[each.file.kind] = parse_canonical_json(
            each.receipt, what="receipt", limit_bytes=RECEIPT_LIMIT_BYTES
        )
    return canonical_json(record)


def parse_receipts(data: bytes) -> Mapping[str, bytes]:
    """Return the receipts of a stream's files, by kind, each as it came; nothing is checked here.

    Raises:
        FormatError: not what format_receipts writes.
    """
    what = "receipts"
    record = check_record(
        parse_canonical_json(data, what=what, limit_bytes=RECEIPTS_LIMIT_BYTES), what=what, keys=_KEYS
    )
    found = {kind: record[kind] for kind in ("footage", "journal") if record[kind] is not None}
    if any(type(receipt) is not dict for receipt in found.values()):
        raise FormatError(what, "expected a receipt, or null, for footage and journal")
    return {kind: canonical_json(receipt) for kind, receipt in found.items()}
