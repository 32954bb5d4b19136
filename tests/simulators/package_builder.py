"""A package as the exporter makes one, from a log that lives in memory: the golden original of every attack."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plainview.formats.checkpoint import Checkpoint, format_checkpoint
from plainview.formats.chunks import (
    CHUNK_BYTES,
    ChunkList,
    ChunkTimes,
    format_chunk_times,
    format_chunks,
)
from plainview.formats.leaf import CustodyLeaf, commitment, format_leaf, parse_leaf
from plainview.formats.merkle import inclusion_path, leaf_hash, tree_root
from plainview.formats.note import (
    ED25519,
    ED25519_COSIGNATURE,
    NoteSignature,
    SignedNote,
    VerifierKey,
    format_note,
)
from plainview.formats.package import (
    LEAVES,
    MANIFEST,
    OUTSIDE_MANIFESTS,
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
    parse_package,
    proof_path,
)
from plainview.formats.policy import TrustPolicy, format_policy
from plainview.formats.proof import LogProof, format_proof
from plainview.formats.receipt import format_receipt, make_receipt

ORIGIN = "example.org/custody/1"
NOON = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
ACTOR = "system:ingest"
RECORDING_A, RECORDING_B = "R-26-00004217-I", "R-26-00004218-G"


class Signer:
    """A key with a name, that signs notes and co-signs them."""

    def __init__(self, name: str, seed: int, algorithm: int = ED25519) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
        self.key = VerifierKey(name, algorithm, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> NoteSignature:
        return NoteSignature(self.key.name, self.key.key_id, self._private.sign(text.encode()))

    def cosign(self, text: str, time_s: int) -> NoteSignature:
        signature = self._private.sign(f"cosignature/v1\ntime {time_s}\n{text}".encode())
        return NoteSignature(self.key.name, self.key.key_id, time_s.to_bytes(8, "big") + signature)


def cosigner(name: str, seed: int) -> Signer:
    return Signer(name, seed, ED25519_COSIGNATURE)


@dataclass
class TinyLog:
    """A custody log in memory."""

    signer: Signer = field(default_factory=lambda: Signer(ORIGIN, 1))
    cosigners: tuple[tuple[Signer, int], ...] = ()
    entries: list[bytes] = field(default_factory=list)
    details: dict[int, tuple[bytes, dict]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.signer.key.name

    def append(self, act, obj, facts, *, outcome="ok", detail=None) -> int:
        index = len(self.entries)
        salt = sha256(b"salt %d" % index).digest()
        if detail is not None:
            self.details[index] = (salt, detail)
        leaf = CustodyLeaf(
            seq=index,
            at=NOON + timedelta(seconds=index),
            act=act,
            object=obj,
            actor=ACTOR,
            outcome=outcome,
            why=None,
            facts=facts,
            session=None,
            detail=None if detail is None else commitment(salt=salt, words=detail),
        )
        self.entries.append(format_leaf(leaf))
        return index

    def note(self, size: int | None = None) -> str:
        size = len(self.entries) if size is None else size
        root = tree_root(leaf_hash(entry) for entry in self.entries[:size])
        text = format_checkpoint(Checkpoint(self.origin, size, root))
        cosignatures = [signer.cosign(text, time_s) for signer, time_s in self.cosigners]
        return format_note(SignedNote(text, (self.signer.sign(text), *cosignatures)))

    def proof(self, index: int, size: int | None = None) -> LogProof:
        size = len(self.entries) if size is None else size
        hashes = [leaf_hash(entry) for entry in self.entries[:size]]
        return LogProof(index, tuple(inclusion_path(hashes, index)), self.note(size))

    def receipt(self, index: int) -> bytes:
        return format_receipt(make_receipt(self.entries[index], self.proof(index)))

    def disclose(self, index: int) -> bytes:
        salt, detail = self.details.get(index, (None, None))
        entry = self.entries[index]
        return format_disclosed_leaf(
            DisclosedLeaf(LeafPlace(1, index), entry, parse_leaf(entry), salt, detail)
        )


def footage(seed: int, size_bytes: int) -> bytes:
    generator = random.Random(seed)
    return b"".join(
        generator.randbytes(min(1 << 20, size_bytes - at)) for at in range(0, size_bytes, 1 << 20)
    )


def chunk_list(data: bytes) -> ChunkList:
    pieces = (data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES))
    return ChunkList(len(data), tuple(leaf_hash(piece) for piece in pieces))


@dataclass(frozen=True)
class Original:
    """Bytes that were received, and the leaves that say so."""

    recording: str
    data: bytes
    path: str
    received: int
    probed: int | None
    times: bytes | None

    @property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()

    def item(self) -> PackageItem:
        return PackageItem(
            self.path,
            "original",
            self.recording,
            self.sha256,
            len(self.data),
            LeafPlace(1, self.received),
            None if self.probed is None else LeafPlace(1, self.probed),
        )


def receive(log: TinyLog, recording: str, data: bytes, *, with_times: bool = True) -> Original:
    digest = sha256(data).hexdigest()
    received = log.append(
        "recording.received",
        recording,
        {"sha256": digest, "size_bytes": len(data), "chunk_root": chunk_list(data).root().hex()},
        detail={"name": "body 3.mp4"},
    )
    probed = times = None
    if with_times:
        # Neighbouring chunks overlap: a frame may begin in one and end in the next.
        chunks = len(chunk_list(data).hashes)
        times = format_chunk_times(
            ChunkTimes(tuple((max(0, 4020 * at - 80), 4020 * (at + 1)) for at in range(chunks)))
        )
        probed = log.append(
            "recording.probed", recording, {"chunk_times_sha256": sha256(times).hexdigest(), "sha256": digest}
        )
    path = f"data/original/2026-03-14_2352_{recording}.mp4"
    return Original(recording, data, path, received, probed, times)


@dataclass
class BuiltPackage:
    """A package on disk, and what made it."""

    folder: Path
    log: TinyLog
    originals: tuple[Original, ...]
    package: str = "0" * 31 + "1"

    @property
    def key(self) -> VerifierKey:
        return self.log.signer.key

    def path(self, name: str) -> Path:
        return self.folder / name

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def flip(self, name: str, at: int = -1) -> None:
        data = bytearray((self.folder / name).read_bytes())
        data[at if at >= 0 else len(data) // 2] ^= 1
        (self.folder / name).write_bytes(bytes(data))

    def files(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def write_proofs(self, policy: TrustPolicy | None = None) -> None:
        """Write leaves, proofs, chunk lists, tables and policy."""
        indices = sorted({i for o in self.originals for i in (o.received, o.probed) if i is not None})
        self.write(LEAVES, b"".join(self.log.disclose(index) + b"\n" for index in indices))
        for index in indices:
            self.write(proof_path(LeafPlace(1, index)), format_proof(self.log.proof(index)).encode())
        for original in self.originals:
            table = format_chunks(chunk_list(original.data))
            self.write(chunks_path(original.recording, original.sha256), table)
            if original.times is not None:
                self.write(chunk_times_path(original.recording, original.sha256), original.times)
        named = policy or TrustPolicy((self.key,), tuple((s.key.name, s.key) for s, _ in self.log.cosigners))
        self.write(POLICY, format_policy(named).encode())

    def write_manifests(self) -> None:
        """List what is in the folder now."""
        names = [name for name in self.files() if name not in OUTSIDE_MANIFESTS and name != MANIFEST]
        digests = {name: sha256(self.path(name).read_bytes()).hexdigest() for name in names}
        payload = {name: digest for name, digest in digests.items() if name.startswith("data/")}
        self.write(MANIFEST, format_manifest(payload))
        tags = {name: digest for name, digest in digests.items() if name not in payload}
        tags[MANIFEST] = sha256(self.path(MANIFEST).read_bytes()).hexdigest()
        self.write(TAGMANIFEST, format_manifest(tags))

    def write_package_json(self, **changes) -> None:
        """Name the manifests as they are now."""
        fields = {
            "package": self.package,
            "at": NOON + timedelta(hours=1),
            "origin": self.log.origin,
            "tool": "plainview 0.1.0",
            "recipient": "Office of the Public Defender",
            "purpose": "case 26-114",
            "manifest_sha256": sha256(self.path(MANIFEST).read_bytes()).hexdigest(),
            "tagmanifest_sha256": sha256(self.path(TAGMANIFEST).read_bytes()).hexdigest(),
            "items": tuple(original.item() for original in self.originals),
        }
        self.write(PACKAGE_JSON, format_package(PackageManifest(**{**fields, **changes})))

    def export(self) -> None:
        """Put package.json in the log and its receipt in the folder."""
        data = self.path(PACKAGE_JSON).read_bytes()
        name = f"package:{parse_package(data).package}"
        index = self.log.append("package.exported", name, {"package_sha256": sha256(data).hexdigest()})
        self.write(PACKAGE_RECEIPT, self.log.receipt(index))

    def rewrite_lists(self) -> None:
        """Do what an attacker without the signing key can: make every list fit again."""
        self.write_manifests()
        self.write_package_json()

    def seal(self) -> None:
        """Write everything that is made from the originals."""
        self.write_proofs()
        self.rewrite_lists()
        self.export()


def build_package(
    folder: Path,
    *,
    log: TinyLog | None = None,
    package: int = 1,
    seed: int = 0,
    big_bytes: int = 3 * CHUNK_BYTES + 1000,
    checker: str = "# the checker stands here\n",
) -> BuiltPackage:
    """Write a package of two originals, one of four chunks and one of one."""
    log = log or TinyLog()
    if not log.entries:
        log.append("log.started", log.origin, {})
    originals = (
        receive(log, RECORDING_A, footage(seed + 1, big_bytes)),
        receive(log, RECORDING_B, footage(seed + 2, 1000), with_times=False),
    )
    built = BuiltPackage(folder, log, originals, package=f"{package:032x}")
    folder.mkdir(parents=True, exist_ok=True)
    built.write("READ-ME-FIRST.html", b"<!doctype html><title>Read me first</title>\n")
    built.write("verify.py", checker.encode())
    built.write("bagit.txt", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    built.write("bag-info.txt", b"Source-Organization: Example Police\n")
    built.write("custody.html", b"<!doctype html><title>Custody</title>\n")
    built.write("custody.csv", b"seq,at,act\n")
    for original in originals:
        built.write(original.path, original.data)
    built.seal()
    return built
