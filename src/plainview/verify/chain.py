"""Check a package's own documents, each vouching for the next: receipt, package.json, the two manifests."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Mapping

from plainview.formats.errors import FormatError
from plainview.formats.package import (
    MANIFEST,
    OUTSIDE_MANIFESTS,
    PACKAGE_JSON,
    PACKAGE_LIMIT_BYTES,
    PACKAGE_RECEIPT,
    TAGMANIFEST,
    PackageManifest,
    parse_manifest,
    parse_package,
)
from plainview.formats.receipt import RECEIPT_LIMIT_BYTES, Receipt, parse_receipt
from plainview.verify.errors import UnreadableError
from plainview.verify.folder import REGULAR, FolderEntry, read_small_file
from plainview.verify.trust import Standing, Trust, judge_leaf
from plainview.verify.verdicts import ALTERED, MISSING, OK, SIGNER_UNKNOWN, UNPROVEN

if TYPE_CHECKING:
    from plainview.formats.checkpoint import Checkpoint

# Files of the payload are listed in one manifest, all others in the other (RFC 8493).
PAYLOAD = "data/"


@dataclass(frozen=True)
class Finding:
    """A verdict on a file, and why."""

    verdict: str
    reason: str = ""

    @property
    def vouches(self) -> bool:
        """Whether what this file says of others counts."""
        return self.verdict in (OK, SIGNER_UNKNOWN)


@dataclass(frozen=True)
class Chain:
    """What a package's own documents amount to.

    Attributes:
        findings: for the receipt, package.json and both manifests.
        receipt: None where it cannot be read.
        checkpoint: what the receipt's proof led to, where it fits.
        package: None where package.json cannot be read.
        digests: for each manifest, from path to SHA-256; None where it cannot be read.
    """

    findings: Mapping[str, Finding]
    receipt: Receipt | None
    checkpoint: Checkpoint | None
    package: PackageManifest | None
    digests: Mapping[str, Mapping[str, str] | None]


def read_document(
    folder: str, entries: Mapping[str, FolderEntry], path: str, *, limit_bytes: int
) -> bytes | Finding:
    """Return a document's bytes, or what its absence amounts to."""
    entry = entries.get(path)
    if entry is None or entry.kind != REGULAR:
        return Finding(MISSING, absence_reason(entry))
    try:
        return read_small_file(folder, path, limit_bytes=limit_bytes)
    except UnreadableError as error:
        return Finding(UNPROVEN, error.problem)


def absence_reason(entry: FolderEntry | None) -> str:
    """Say what is in a file's place, or nothing."""
    return f"in its place is a {entry.kind}" if entry else ""


def check_chain(folder: str, entries: Mapping[str, FolderEntry], trust: Trust) -> Chain:
    """Check receipt, package.json and both manifests.

    Args:
        folder: the package.
        entries: as list_folder found them.
        trust: whose word counts.
    """
    receipt, standing = _check_receipt(
        read_document(folder, entries, PACKAGE_RECEIPT, limit_bytes=RECEIPT_LIMIT_BYTES), trust
    )
    package, finding = _check_package_json(
        read_document(folder, entries, PACKAGE_JSON, limit_bytes=PACKAGE_LIMIT_BYTES), receipt, standing
    )
    findings = {PACKAGE_RECEIPT: Finding(standing.verdict, standing.reason), PACKAGE_JSON: finding}
    digests: dict[str, Mapping[str, str] | None] = {}
    for name in (MANIFEST, TAGMANIFEST):
        data = read_document(folder, entries, name, limit_bytes=PACKAGE_LIMIT_BYTES)
        digests[name], findings[name] = _check_manifest(name, data, package, finding)
    return Chain(findings, receipt, standing.checkpoint, package, digests)


def _check_receipt(data: bytes | Finding, trust: Trust) -> tuple[Receipt | None, Standing]:
    if isinstance(data, Finding):
        return None, Standing(data.verdict, data.reason)
    try:
        receipt = parse_receipt(data)
    except FormatError as error:
        return None, Standing(UNPROVEN, str(error))
    leaf = receipt.leaf
    if leaf.act != "package.exported" or leaf.outcome != "ok":
        return receipt, Standing(
            UNPROVEN, f"it tells of {leaf.act} ({leaf.outcome}), not of a package that was made"
        )
    return receipt, judge_leaf(receipt.entry, leaf.seq, receipt.proof, trust)


def _check_package_json(
    data: bytes | Finding, receipt: Receipt | None, standing: Standing
) -> tuple[PackageManifest | None, Finding]:
    if isinstance(data, Finding):
        return None, data
    package, malformed = None, ""
    try:
        package = parse_package(data)
    except FormatError as error:
        malformed = str(error)
    if receipt is None or not standing.fits:
        reason = f"{PACKAGE_RECEIPT}, which should prove it, is {standing.verdict}"
        return package, Finding(UNPROVEN, malformed or reason)
    if sha256(data).hexdigest() != receipt.leaf.facts.get("package_sha256"):
        return package, Finding(ALTERED, f"its bytes are not those that {PACKAGE_RECEIPT} proves")
    if package is None:
        return None, Finding(UNPROVEN, malformed)
    misfit = _misfit_of(package, receipt, standing.checkpoint)
    return package, Finding(UNPROVEN, misfit) if misfit else Finding(standing.verdict)


def _misfit_of(package: PackageManifest, receipt: Receipt, checkpoint: Checkpoint | None) -> str:
    if receipt.leaf.object != f"package:{package.package}":
        return f"the log tells of {receipt.leaf.object}, not of this package"
    if checkpoint is None or checkpoint.origin != package.origin:
        return f"it names the log {package.origin}, and another one signed"
    return ""


def _check_manifest(
    name: str, data: bytes | Finding, package: PackageManifest | None, voucher: Finding
) -> tuple[Mapping[str, str] | None, Finding]:
    if isinstance(data, Finding):
        return None, data
    digests, malformed = _read_manifest(name, data)
    if package is None:
        return digests, Finding(UNPROVEN, malformed or f"{PACKAGE_JSON}, which names it, cannot be read")
    expected = package.manifest_sha256 if name == MANIFEST else package.tagmanifest_sha256
    if sha256(data).hexdigest() != expected:
        return digests, Finding(ALTERED, f"its bytes are not those that {PACKAGE_JSON} names")
    if malformed:
        return None, Finding(UNPROVEN, malformed)
    if not voucher.vouches:
        return digests, Finding(UNPROVEN, f"{PACKAGE_JSON}, which names it, is {voucher.verdict}")
    return digests, Finding(voucher.verdict)


def _read_manifest(name: str, data: bytes) -> tuple[Mapping[str, str] | None, str]:
    try:
        digests = parse_manifest(data)
    except FormatError as error:
        return None, str(error)
    for path in digests:
        if path in OUTSIDE_MANIFESTS or manifest_of(path) != name:
            return None, f"it lists {path}, which is not its to list"
    return digests, ""


def manifest_of(path: str) -> str:
    """Return which manifest lists a file at this path."""
    return MANIFEST if path.startswith(PAYLOAD) else TAGMANIFEST
