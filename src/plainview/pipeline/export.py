"""Make a package: a folder for one named recipient that proves itself."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.db import transaction

from plainview import __version__
from plainview.custody.queries import logged_act, logged_acts
from plainview.custody.record import record
from plainview.evidence import queries
from plainview.evidence.camera_actions import about_device
from plainview.evidence.camera_queries import camera_key_with
from plainview.evidence.capture_queries import journal_of
from plainview.evidence.rules import original_file_name
from plainview.formats.chunks import CHUNK_BYTES, ChunkList, format_chunks
from plainview.formats.fields import LINE
from plainview.formats.leaf import parse_leaf
from plainview.formats.merkle import leaf_hash
from plainview.formats.package import (
    LEAVES,
    MANIFEST,
    PACKAGE_JSON,
    PACKAGE_RECEIPT,
    POLICY,
    TAGMANIFEST,
    DisclosedLeaf,
    LeafPlace,
    PackageItem,
    PackageManifest,
    chunk_times_path,
    chunks_path,
    format_disclosed_leaf,
    format_manifest,
    format_package,
    proof_path,
)
from plainview.formats.policy import TrustPolicy, format_policy
from plainview.formats.proof import format_proof
from plainview.formats.receipt import format_receipt, make_receipt
from plainview.pipeline import package_pages
from plainview.pipeline.errors import NotOneLineError, OriginalDiffersError, OutputTakenError
from plainview.pipeline.installation import publish
from plainview.vault.errors import AlteredObjectError
from plainview.vault.reader import open_object
from plainview.verify.single_file import build_single_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from plainview.custody.queries import LoggedAct
    from plainview.custody.record import Actor
    from plainview.evidence.rules import KnownOriginal, KnownRecording
    from plainview.formats.note import VerifierKey
    from plainview.pipeline.installation import Installation

TOOL = f"plainview {__version__}"
# What says of a camera's key that it counts, or no longer.
KEY_ACTS = frozenset({"camera.admitted", "camera.revoked"})
BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True)
class Order:
    """What to put into a package.

    Attributes:
        recordings: which; at least one, none twice.
        recipient: for whom, or None.
        purpose: for what, or None.
        folder: where; it must not exist.
    """

    recordings: Sequence[KnownRecording]
    recipient: str | None
    purpose: str | None
    folder: Path


@dataclass(frozen=True)
class Export:
    """One package being made.

    Attributes:
        order: what to put in.
        installation: where it comes from.
        actor: who asked.
        now: when.
        on_bytes: told how many bytes were copied in each step.
    """

    order: Order
    installation: Installation
    actor: Actor
    now: datetime
    on_bytes: Callable[[int], None] = lambda _: None


@dataclass(frozen=True)
class Made:
    """A package that was made: what package.json says, and the public keys that check it."""

    manifest: PackageManifest
    keys: tuple[VerifierKey, ...]


def export(job: Export) -> Made:
    """Write a package, and its act into the custody log.

    The folder appears whole or not at all: everything is written beside it, synced, and then given its name.

    Raises:
        NotOneLineError: recipient or purpose cannot stand in a package.
        OutputTakenError: the folder exists.
        OriginalDiffersError: what the vault holds is not what was received.
        VaultError, LogError: object, key or log cannot be read, or the act not be published.
        OSError: the folder cannot be written, say because the disk is full.
    """
    _check_words(job.order)
    # What happened a moment ago belongs into the package too.
    publish(job.installation)
    with _whole_folder(job.order.folder) as folder:
        writer = _Writer(folder)
        items = [item for recording in job.order.recordings for item in _copy(job, recording, writer)]
        leaves = _disclose(job, writer)
        keys = job.installation.keys_of({leaf.place.epoch for leaf in leaves})
        writer.write(POLICY, format_policy(TrustPolicy(logs=keys)).encode())
        _write_pages(job, items, leaves, keys, writer)
        package = _seal(job, items, writer)
        _record_export(job, package, writer)
        writer.sync()
    return Made(package, keys)


def _check_words(order: Order) -> None:
    # Now, and not when everything is copied.
    for what, words in (("recipient", order.recipient), ("purpose", order.purpose)):
        if words is not None and not LINE.match(words):
            raise NotOneLineError(what)


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise OutputTakenError(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody else gives: only what an interrupted export left is removed.
    part = folder.with_name(f".{folder.name}.plainview-part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
        _sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


class _Writer:
    """Writes a package's files and keeps their digests for the manifests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}

    def write(self, path: str, data: bytes) -> None:
        with self.open(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.digests[path] = hashlib.sha256(data).hexdigest()

    def open(self, path: str) -> BinaryIO:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    def sync(self) -> None:
        for folder, _, _ in os.walk(self.folder):
            _sync_folder(Path(folder))


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _copy(job: Export, recording: KnownRecording, writer: _Writer) -> Iterator[PackageItem]:
    """Copy a recording's originals, with the hashes of their chunks and the table of their seconds."""
    acts = logged_acts([recording.identifier])
    for number, original in enumerate(queries.originals_of(recording), 1):
        name = original_file_name(
            identifier=recording.identifier,
            started_at=recording.times.started_at,
            zone=recording.times.zone,
            extension=Path(original.offered_name).suffix,
            part=number,
        )
        path, sha256 = f"data/original/{name}", original.facts.sha256
        received = _find_act(job, acts, "recording.received", sha256)
        probed = _find_act(job, acts, "recording.probed", sha256)
        if received is None:
            raise OriginalDiffersError(recording.identifier, "the log holds no act of its receipt")
        chunks = _copy_original(job, recording, original, writer, path)
        writer.write(chunks_path(recording.identifier, sha256), format_chunks(chunks))
        times = queries.chunk_times_of(original)
        if times is not None and probed is not None:
            writer.write(chunk_times_path(recording.identifier, sha256), times)
        yield PackageItem(
            path=path,
            role="original",
            recording=recording.identifier,
            sha256=sha256,
            size_bytes=original.facts.size_bytes,
            received=received,
            probed=probed,
        )


def _copy_original(
    job: Export, recording: KnownRecording, original: KnownOriginal, writer: _Writer, path: str
) -> ChunkList:
    whole, hashes, source = hashlib.sha256(), [], job.installation
    try:
        with (
            open_object(source.store, source.keys, original.facts.object_id) as sealed,
            writer.open(path) as file,
        ):
            while chunk := sealed.read(CHUNK_BYTES):
                file.write(chunk)
                whole.update(chunk)
                hashes.append(leaf_hash(chunk))
                job.on_bytes(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    except AlteredObjectError as error:
        raise OriginalDiffersError(recording.identifier, str(error)) from error
    chunks = ChunkList(size_bytes=original.facts.size_bytes, hashes=tuple(hashes))
    if whole.hexdigest() != original.facts.sha256 or chunks.root().hex() != original.facts.chunk_root:
        raise OriginalDiffersError(
            recording.identifier, "the stored original has another SHA-256 than the one received"
        )
    writer.digests[path] = original.facts.sha256
    return chunks


def _find_act(job: Export, acts: Sequence[LoggedAct], act: str, sha256: str) -> LeafPlace | None:
    """Return the place of the newest act of this kind that speaks of this digest."""
    for logged in reversed(acts):
        if logged.act == act and parse_leaf(_entry(job, logged)).facts.get("sha256") == sha256:
            return LeafPlace(logged.epoch, logged.index)
    return None


def _disclose(job: Export, writer: _Writer) -> list[DisclosedLeaf]:
    """Write every leaf about these recordings and their cameras' keys, with its proof and the words behind it."""
    leaves = []
    acts = logged_acts([recording.identifier for recording in job.order.recordings])
    for logged in sorted([*acts, *_key_acts(job)], key=lambda logged: (logged.epoch, logged.index)):
        entry, place = _entry(job, logged), LeafPlace(logged.epoch, logged.index)
        leaves.append(DisclosedLeaf(place, entry, parse_leaf(entry), logged.salt, logged.detail))
        proof = job.installation.log_of(logged.epoch).prove(logged.index)
        writer.write(proof_path(place), format_proof(proof).encode())
    writer.write(LEAVES, b"".join(format_disclosed_leaf(leaf) + b"\n" for leaf in leaves))
    return leaves


def _key_acts(job: Export) -> Iterator[LoggedAct]:
    """Find the acts that say whose keys signed these recordings: without them a checker knows no camera's key."""
    journals = [journal_of(recording) for recording in job.order.recordings]
    for public_key in {each.camera_key.public_key for each in journals if each and each.camera_key}:
        known = camera_key_with(bytes.fromhex(public_key))
        for logged in logged_acts([about_device(known.device)] if known else []):
            if (
                logged.act in KEY_ACTS
                and parse_leaf(_entry(job, logged)).facts.get("public_key") == public_key
            ):
                yield logged


def _entry(job: Export, logged: LoggedAct) -> bytes:
    return job.installation.log_of(logged.epoch).entry(logged.index)


def _write_pages(
    job: Export,
    items: Sequence[PackageItem],
    leaves: Sequence[DisclosedLeaf],
    keys: Sequence[VerifierKey],
    writer: _Writer,
) -> None:
    facts = package_pages.PageFacts(
        items=items,
        leaves=leaves,
        keys=keys,
        recordings=job.order.recordings,
        recipient=job.order.recipient,
        purpose=job.order.purpose,
        made_at=job.now,
        tool=TOOL,
    )
    writer.write("READ-ME-FIRST.html", package_pages.read_me_first(facts))
    writer.write("custody.html", package_pages.custody_page(facts))
    writer.write("custody.csv", package_pages.custody_csv(facts))
    writer.write("verify.py", build_single_file().encode())
    writer.write("bagit.txt", BAGIT.encode())
    writer.write("bag-info.txt", package_pages.bag_info(facts))


def _seal(job: Export, items: Sequence[PackageItem], writer: _Writer) -> PackageManifest:
    """Write the manifests over everything so far, and package.json over the manifests."""
    payload = {path: digest for path, digest in writer.digests.items() if path.startswith("data/")}
    writer.write(MANIFEST, format_manifest(payload))
    tags = {path: digest for path, digest in writer.digests.items() if not path.startswith("data/")}
    writer.write(TAGMANIFEST, format_manifest(tags))
    package = PackageManifest(
        package=os.urandom(16).hex(),
        at=job.now,
        origin=job.installation.signer.key.name,
        tool=TOOL,
        recipient=job.order.recipient,
        purpose=job.order.purpose,
        manifest_sha256=writer.digests[MANIFEST],
        tagmanifest_sha256=writer.digests[TAGMANIFEST],
        items=tuple(items),
    )
    writer.write(PACKAGE_JSON, format_package(package))
    return package


def _record_export(job: Export, package: PackageManifest, writer: _Writer) -> None:
    """Put the package's digest into the log, and the proof of that into the package."""
    with transaction.atomic():
        act_id = record(
            "package.exported",
            object=f"package:{package.package}",
            actor=job.actor,
            now=job.now,
            facts={"package_sha256": writer.digests[PACKAGE_JSON]},
            detail={
                "recipient": job.order.recipient,
                "purpose": job.order.purpose,
                "recordings": [recording.identifier for recording in job.order.recordings],
            },
        )
    publish(job.installation)
    log, index = job.installation.signer.log, logged_act(act_id).index
    writer.write(PACKAGE_RECEIPT, format_receipt(make_receipt(log.entry(index), log.prove(index))))
