"""Make the real examples in docs/formats, from fixed keys and salts; every run gives the same bytes.

    python tests/vectors/make_format_examples.py          writes the examples into the pages
    python tests/vectors/make_format_examples.py FOLDER   writes the example files there, to check by hand

The keys here are written down for all to see: sign nothing with them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plainview.formats import (
    camera_orders,
    capture,
    checkpoint,
    chunks,
    ids,
    leaf,
    merkle,
    note,
    object_header,
    package,
    policy,
    proof,
    receipt,
    recovery,
    sealed_file,
    tiles,
    trigger,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulators import journals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGES = Path(__file__).resolve().parents[2] / "docs" / "formats"
BLOCK = re.compile(r"(<!-- example: ([a-z0-9-]+) -->\n```[a-z]*\n)(.*?)(\n```\n)", re.DOTALL)

ORIGIN = "example.org/custody/1"
STARTED_AT = datetime(2026, 3, 15, 6, 50, 0, 0, tzinfo=UTC)
RECORDING = ids.format_identifier(kind="R", year=2026, number=4217)
OFFICER = "user:3f9c0d5b7a1e4c22"
# What `yes Plainview | head -c 1200000` prints: anyone can make it.
ORIGINAL = (b"Plainview\n" * 120_000)[:1_200_000]
OBJECT_ID = bytes(range(0x70, 0x80))
OBJECT_KEY = bytes(range(0x20, 0x40))
PACKAGE_ID = bytes(range(0x50, 0x60)).hex()
SALT = bytes(range(0x80, 0xA0))
WORDS = {"file_name": "body_0007.mp4", "brought_by": "J. Rivera, badge 4417"}
RECEIVED_INDEX = 1
PROBED_INDEX = 2
EXPORTED_INDEX = 3


def _signer(first_byte: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(first_byte, first_byte + 32)))


LOG_SIGNER, BOARD_SIGNER, COURT_SIGNER = _signer(0x00), _signer(0xA0), _signer(0xC0)
RECOVERY_SIGNER = X25519PrivateKey.from_private_bytes(bytes(range(0x40, 0x60)))
# Where the recovery key's private half is meant to be chance, this one is written down.
ESCROW_EPHEMERAL = X25519PrivateKey.from_private_bytes(bytes(range(0x60, 0x80)))


def _verifier_key(name: str, signer: Ed25519PrivateKey, algorithm: int) -> note.VerifierKey:
    return note.VerifierKey(name, algorithm, signer.public_key().public_bytes_raw())


LOG_KEY = _verifier_key(ORIGIN, LOG_SIGNER, note.ED25519)
BOARD_KEY = _verifier_key("board.example", BOARD_SIGNER, note.ED25519_COSIGNATURE)
DEPARTMENT_KEY = _verifier_key("example.org/department", COURT_SIGNER, note.ED25519)
COURT_KEY = _verifier_key("court.example", COURT_SIGNER, note.ED25519_COSIGNATURE)


@dataclass(frozen=True)
class ExampleLog:
    """A custody log of four entries, and what they speak of."""

    entries: tuple[bytes, ...]
    chunk_list: chunks.ChunkList
    chunk_times: chunks.ChunkTimes
    sealed_object: bytes
    package_files: Mapping[str, bytes]


@lru_cache(maxsize=1)
def example_log() -> ExampleLog:
    """Return the custody log that every page's example is taken from."""
    chunk_list = _chunk_list(ORIGINAL)
    chunk_times = chunks.ChunkTimes(((0, 8040), (7960, 9000)))
    sealed_object = _seal_object(ORIGINAL)
    entries = [
        _entry(0, "log.started", f"log:{ORIGIN}", actor="system:vault"),
        _entry(
            RECEIVED_INDEX,
            "recording.received",
            RECORDING,
            facts={
                "object": OBJECT_ID.hex(),
                "object_sha256": hashlib.sha256(sealed_object).hexdigest(),
                "sha256": hashlib.sha256(ORIGINAL).hexdigest(),
                "chunk_root": chunk_list.root().hex(),
                "size_bytes": len(ORIGINAL),
            },
            detail=leaf.commitment(salt=SALT, words=WORDS),
        ),
        _entry(
            PROBED_INDEX,
            "recording.probed",
            RECORDING,
            actor="system:pipeline",
            facts={"chunk_times_sha256": hashlib.sha256(chunks.format_chunk_times(chunk_times)).hexdigest()},
        ),
    ]
    files = _package_files(entries, chunk_list, chunk_times)
    package_sha256 = hashlib.sha256(files[package.PACKAGE_JSON]).hexdigest()
    entries.append(
        _entry(
            EXPORTED_INDEX,
            "package.exported",
            f"package:{PACKAGE_ID}",
            facts={"package_sha256": package_sha256},
        )
    )
    files[package.PACKAGE_RECEIPT] = receipt.format_receipt(
        receipt.make_receipt(entries[EXPORTED_INDEX], log_proof(entries, EXPORTED_INDEX))
    )
    return ExampleLog(tuple(entries), chunk_list, chunk_times, sealed_object, MappingProxyType(files))


def _entry(
    seq: int,
    act: str,
    subject: str,
    *,
    actor: str = OFFICER,
    facts: Mapping[str, leaf.Fact] = MappingProxyType({}),
    detail: str | None = None,
) -> bytes:
    at = STARTED_AT + timedelta(milliseconds=127_300 * seq)
    return leaf.format_leaf(
        leaf.CustodyLeaf(
            seq=seq,
            at=at,
            act=act,
            object=subject,
            actor=actor,
            outcome="ok",
            why=None,
            facts=facts,
            session=None,
            detail=detail,
        )
    )


def _chunk_list(original: bytes) -> chunks.ChunkList:
    pieces = [original[at : at + chunks.CHUNK_BYTES] for at in range(0, len(original), chunks.CHUNK_BYTES)]
    return chunks.ChunkList(len(original), tuple(merkle.leaf_hash(piece) for piece in pieces))


def _seal_object(original: bytes) -> bytes:
    header = object_header.format_object_header(object_header.ObjectHeader(OBJECT_ID))
    cipher, sealed = AESGCM(OBJECT_KEY), [header]
    count = chunks.chunk_count(len(original))
    for number in range(count):
        piece = original[number * chunks.CHUNK_BYTES : (number + 1) * chunks.CHUNK_BYTES]
        nonce = object_header.chunk_nonce(number, is_last=number == count - 1)
        sealed.append(cipher.encrypt(nonce, piece, header))
    return b"".join(sealed)


def sign_checkpoint(entries: Sequence[bytes], *, cosigned: bool = False) -> str:
    """Return the signed checkpoint over these entries, with the board's and the court's signatures if asked."""
    root = merkle.tree_root(merkle.leaf_hash(entry) for entry in entries)
    text = checkpoint.format_checkpoint(checkpoint.Checkpoint(ORIGIN, len(entries), root))
    lines = [note.NoteSignature(ORIGIN, LOG_KEY.key_id, LOG_SIGNER.sign(text.encode()))]
    if cosigned:
        lines += [
            _cosignature(BOARD_KEY, BOARD_SIGNER, text, signed_at_s=1_773_558_000),
            _cosignature(COURT_KEY, COURT_SIGNER, text, signed_at_s=1_773_558_007),
        ]
    return note.format_note(note.SignedNote(text, tuple(lines)))


def _cosignature(
    key: note.VerifierKey, signer: Ed25519PrivateKey, text: str, *, signed_at_s: int
) -> note.NoteSignature:
    signature = signer.sign(f"cosignature/v1\ntime {signed_at_s}\n{text}".encode())
    return note.NoteSignature(key.name, key.key_id, signed_at_s.to_bytes(8, "big") + signature)


def log_proof(entries: Sequence[bytes], index: int) -> proof.LogProof:
    """Return the proof that the entry at index is in the log of these entries."""
    path = merkle.inclusion_path([merkle.leaf_hash(entry) for entry in entries], index)
    return proof.LogProof(index, tuple(path), sign_checkpoint(entries))


def _package_files(
    entries: Sequence[bytes], chunk_list: chunks.ChunkList, chunk_times: chunks.ChunkTimes
) -> dict[str, bytes]:
    path, sha256 = f"data/original/2026-03-14_2352_{RECORDING}.mp4", hashlib.sha256(ORIGINAL).hexdigest()
    disclosed = [
        package.DisclosedLeaf(
            package.LeafPlace(1, index),
            entry,
            leaf.parse_leaf(entry),
            SALT if index == RECEIVED_INDEX else None,
            WORDS if index == RECEIVED_INDEX else None,
        )
        for index, entry in enumerate(entries)
    ]
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        package.MANIFEST: package.format_manifest({path: sha256}),
        package.LEAVES: b"".join(package.format_disclosed_leaf(line) + b"\n" for line in disclosed),
        package.POLICY: policy.format_policy(policy.TrustPolicy((LOG_KEY,))).encode(),
        package.chunks_path(RECORDING, sha256): chunks.format_chunks(chunk_list),
        package.chunk_times_path(RECORDING, sha256): chunks.format_chunk_times(chunk_times),
    }
    tags.update(
        (
            package.proof_path(package.LeafPlace(1, index)),
            proof.format_proof(log_proof(entries, index)).encode(),
        )
        for index in (RECEIVED_INDEX, PROBED_INDEX)
    )
    tag_manifest = package.format_manifest(
        {name: hashlib.sha256(data).hexdigest() for name, data in tags.items()}
    )
    item = package.PackageItem(
        path,
        "original",
        RECORDING,
        sha256,
        len(ORIGINAL),
        package.LeafPlace(1, RECEIVED_INDEX),
        package.LeafPlace(1, PROBED_INDEX),
    )
    manifest = package.PackageManifest(
        package=PACKAGE_ID,
        at=STARTED_AT + timedelta(hours=1),
        origin=ORIGIN,
        tool="plainview 0.1.0",
        recipient="Office of the Public Defender",
        purpose="discovery",
        manifest_sha256=hashlib.sha256(tags[package.MANIFEST]).hexdigest(),
        tagmanifest_sha256=hashlib.sha256(tag_manifest).hexdigest(),
        items=(item,),
    )
    return {
        path: ORIGINAL,
        **tags,
        package.TAGMANIFEST: tag_manifest,
        package.PACKAGE_JSON: package.format_package(manifest),
    }


def _expand(secret: bytes, info: bytes, length: int) -> bytes:
    # RFC 5869 section 2.3, for lengths of at most one block of SHA-256.
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()[:length]


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + secret, hashlib.sha256).digest()


def _labeled_expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return _expand(secret, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def seal_with_fixed_chance(plaintext: bytes, recipient: X25519PublicKey, *, info: bytes) -> bytes:
    """Seal as HPKE does, with an ephemeral key that is written down above instead of drawn by chance.

    Source: RFC 9180 sections 4.1, 5.1 and 5.2; X25519, HKDF-SHA256, AES-256-GCM, base mode.
    """
    kem, suite = b"KEM" + bytes([0x00, 0x20]), b"HPKE" + bytes([0x00, 0x20, 0x00, 0x01, 0x00, 0x02])
    encapsulated = ESCROW_EPHEMERAL.public_key().public_bytes_raw()
    secret = _labeled_extract(kem, b"", b"eae_prk", ESCROW_EPHEMERAL.exchange(recipient))
    context = encapsulated + recipient.public_bytes_raw()
    shared = _labeled_expand(kem, secret, b"shared_secret", context, 32)
    schedule = (
        b"\x00"
        + _labeled_extract(suite, b"", b"psk_id_hash", b"")
        + _labeled_extract(suite, b"", b"info_hash", info)
    )
    secret = _labeled_extract(suite, shared, b"secret", b"")
    key = _labeled_expand(suite, secret, b"key", schedule, 32)
    nonce = _labeled_expand(suite, secret, b"base_nonce", schedule, 12)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, b"")


ESCROW_INFO = b"plainview-key-escrow/v1"


def recovery_key() -> recovery.RecoveryKey:
    """Return the recovery key of the examples."""
    public = RECOVERY_SIGNER.public_key().public_bytes_raw()
    return recovery.RecoveryKey(RECOVERY_SIGNER.private_bytes_raw(), public)


def key_escrow() -> recovery.KeyEscrow:
    """Return an escrow of the example object's key, sealed to the recovery key of the examples."""
    keys = recovery.format_escrowed_keys({OBJECT_ID.hex(): OBJECT_KEY})
    sealed = seal_with_fixed_chance(keys, RECOVERY_SIGNER.public_key(), info=ESCROW_INFO)
    return recovery.KeyEscrow(STARTED_AT, recovery_key().public, sealed)


def example_policy() -> policy.TrustPolicy:
    """Return a policy that asks for the log's signature and two co-signers."""
    return policy.TrustPolicy(
        logs=(LOG_KEY,),
        witnesses=(("board", BOARD_KEY), ("court", COURT_KEY)),
        groups=(policy.PolicyGroup("outside", 2, ("board", "court")),),
        quorum="outside",
    )


def sign_note(text: str, name: str, signer: Ed25519PrivateKey) -> bytes:
    """Return a signed note of this text."""
    key = _verifier_key(name, signer, note.ED25519)
    signature = note.NoteSignature(name, key.key_id, signer.sign(text.encode()))
    return note.format_note(note.SignedNote(text, (signature,))).encode()


def _capture_files() -> dict[str, bytes]:
    """Return what a camera writes and is told: a recording, its sealed journal, request, orders, a trigger."""
    camera = journals.SigningCamera()
    made = camera.record(fragments=2, events=((1, "marker"),))
    line = capture.parse_journal_line(made.lines[1])
    request = camera_orders.CameraRequest(
        made.camera, "Example", "One", "SN42", made.public_key, STARTED_AT - timedelta(hours=9)
    )
    orders = camera_orders.CameraOrders(
        camera=made.camera,
        public_key=made.public_key,
        seal_to=recovery_key().public,
        department_key=note.format_vkey(DEPARTMENT_KEY),
        log_keys=(note.format_vkey(LOG_KEY),),
        trigger_keys=(),
        covert_allowed_by="",
        settings=camera_orders.CameraSettings(),
        at=STARTED_AT - timedelta(hours=8),
    )
    rung = trigger.TriggerMessage("car.example.org/12A", "light_bar", STARTED_AT, "5f1c0e7a9b3d2c48")
    public = camera.private.public_key()
    return {
        "footage.mp4": made.footage,
        "journal": made.journal,
        "capture-leaf.json": line.entry,
        "capture.tlog-proof": proof.format_proof(line.proof).encode(),
        "camera.hex": made.public_key.hex().encode() + b"\n",
        "camera.pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "journal.sealed": _seal_journal(made),
        "camera-request": sign_note(
            camera_orders.format_camera_request(request), made.camera, camera.private
        ),
        "camera-orders": sign_note(
            camera_orders.format_camera_orders(orders), DEPARTMENT_KEY.name, COURT_SIGNER
        ),
        "trigger": sign_note(trigger.format_trigger(rung), rung.sender, BOARD_SIGNER),
    }


def _seal_journal(made: journals.SimulatedRecording) -> bytes:
    kind, sealed_to = "journal", RECOVERY_SIGNER.public_key()
    info = sealed_file.seal_info(kind, made.camera, made.stream)
    header = sealed_file.format_sealed_header(
        sealed_file.SealedHeader(
            kind=kind,
            camera=made.camera,
            stream=made.stream,
            counter=1,
            purpose="recording",
            sealed_to=sealed_to.public_bytes_raw(),
            sealed_key=seal_with_fixed_chance(OBJECT_KEY, sealed_to, info=info),
        )
    )
    cipher, pieces = AESGCM(OBJECT_KEY), [header]
    for number, line in enumerate(made.lines):
        piece = cipher.encrypt(
            sealed_file.piece_nonce(number), line + b"\n", sealed_file.piece_context(header)
        )
        pieces += [len(piece).to_bytes(4, "big"), piece]
    return b"".join(pieces)


@lru_cache(maxsize=1)
def example_files() -> dict[str, bytes]:
    """Return every example as the file it is, by path."""
    log = example_log()
    entries, size = log.entries, len(log.entries)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    root = merkle.tree_root(hashes)
    backup = recovery.BackupFacts(STARTED_AT, ORIGIN, size, root, "plainview 0.1.0")
    received = receipt.make_receipt(entries[RECEIVED_INDEX], log_proof(entries, RECEIVED_INDEX))
    files = {
        "leaf.json": entries[RECEIVED_INDEX],
        "detail.salt": SALT,
        "detail.json": leaf.canonical_json(WORDS),
        "checkpoint": sign_checkpoint(entries, cosigned=True).encode(),
        "log.vkey": note.format_vkey(LOG_KEY).encode() + b"\n",
        "log.pem": LOG_SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "log.policy": policy.format_policy(example_policy()).encode(),
        "1.tlog-proof": proof.format_proof(log_proof(entries, RECEIVED_INDEX)).encode(),
        "receipt.json": receipt.format_receipt(received),
        "object": log.sealed_object,
        "object.key": OBJECT_KEY,
        "chunks.json": chunks.format_chunks(log.chunk_list),
        "times.json": chunks.format_chunk_times(log.chunk_times),
        "recovery-key.json": recovery.format_recovery_key(recovery_key()),
        "key-escrow.json": recovery.format_escrow(key_escrow()),
        "backup.json": recovery.format_backup_facts(backup),
        f"log/{tiles.tile_path(level=0, number=0, width=size)}": tiles.pack_tile(hashes),
        f"log/{tiles.entries_path(number=0, width=size)}": tiles.pack_entries(entries),
    }
    files.update(_capture_files())
    files.update((f"package/{path}", data) for path, data in log.package_files.items())
    return files


def _hex_lines(data: bytes) -> str:
    return "\n".join(data[at : at + 16].hex(" ", 4) for at in range(0, len(data), 16))


def examples() -> dict[str, str]:
    """Return the text of every example block in docs/formats, by its name."""
    files = example_files()

    def text(path: str) -> str:
        return files[path].decode().rstrip("\n")

    lines = text("journal").split("\n")
    sealed = files["journal.sealed"]
    tile, bundle = files["log/tile/0/000.p/4"], files["log/tile/entries/000.p/4"]
    return {
        "leaf": text("leaf.json"),
        "leaf-detail": text("detail.json"),
        "checkpoint": text("checkpoint"),
        "vkey": text("log.vkey"),
        "proof": text("1.tlog-proof"),
        "policy": text("log.policy"),
        "receipt": text("receipt.json"),
        "object-header": _hex_lines(files["object"][: object_header.HEADER_BYTES]),
        "chunks": text("chunks.json"),
        "chunk-times": text("times.json"),
        "recovery-key": text("recovery-key.json"),
        "key-escrow": text("key-escrow.json"),
        "backup": text("backup.json"),
        "package": text(f"package/{package.PACKAGE_JSON}"),
        "manifest": text(f"package/{package.MANIFEST}"),
        "tagmanifest": text(f"package/{package.TAGMANIFEST}"),
        "disclosed-leaf": text(f"package/{package.LEAVES}").split("\n")[RECEIVED_INDEX],
        "package-listing": "\n".join(sorted(example_log().package_files)),
        "log-files": "\n".join(
            [
                *(tiles.entries_path(number=n, width=w) for n, w in list(tiles.bundles_of(70_000))[-2:]),
                *(_tile_path(tile) for tile in list(tiles.tiles_of(70_000))[-5:]),
            ]
        ),
        "log-tile": _hex_lines(tile),
        "log-bundle": _hex_lines(bundle[:32]),
        "identifier": RECORDING,
        "journal-start": lines[0],
        "journal-line": lines[1],
        "journal-end": lines[-1],
        "sealed-header": sealed[12 : sealed_file.sealed_header_bytes(sealed[:12])].decode(),
        "camera-request": text("camera-request"),
        "camera-orders": text("camera-orders"),
        "trigger": text("trigger"),
    }


def _tile_path(tile: tuple[int, int, int]) -> str:
    level, number, width = tile
    return tiles.tile_path(level=level, number=number, width=width)


def fill_page(page: str, blocks: Mapping[str, Any]) -> str:
    """Return a page with each example block replaced by what it should be."""
    return BLOCK.sub(lambda match: match.group(1) + blocks[match.group(2)] + match.group(4), page)


def main(arguments: Sequence[str]) -> None:
    """Write the pages, or the files where the one argument says."""
    if arguments:
        for name, data in example_files().items():
            path = Path(arguments[0]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return
    blocks = examples()
    for path in sorted(PAGES.glob("*.md")):
        page = path.read_text(encoding="utf-8")
        path.write_text(fill_page(page, blocks), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
