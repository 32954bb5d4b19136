"""Attacks on a package in somebody's hands. The golden package is OK under its key; each of these must not be."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from plainview.formats.chunks import ChunkTimes, format_chunk_times, format_chunks
from plainview.formats.note import NoteSignature, SignedNote, format_note, parse_note
from plainview.formats.package import (
    LEAVES,
    MANIFEST,
    PACKAGE_JSON,
    PACKAGE_RECEIPT,
    POLICY,
    TAGMANIFEST,
    LeafPlace,
    chunk_times_path,
    chunks_path,
    proof_path,
)
from plainview.formats.policy import TrustPolicy, format_policy
from plainview.formats.proof import LogProof, format_proof
from plainview.formats.receipt import format_receipt, make_receipt, parse_receipt
from plainview.verify.package import check_package
from plainview.verify.results import PackageReport
from plainview.verify.verdicts import VERDICTS
from simulators.attacks import Row
from simulators.package_builder import (
    ORIGIN,
    RECORDING_A,
    BuiltPackage,
    Signer,
    TinyLog,
    build_package,
    chunk_list,
    cosigner,
    footage,
)

A = f"data/original/2026-03-14_2352_{RECORDING_A}.mp4"
B = "data/original/2026-03-14_2352_R-26-00004218-G.mp4"
GOLDEN_KEY = Signer(ORIGIN, 1).key


@lru_cache
def _golden() -> tuple[TemporaryDirectory, BuiltPackage]:
    home = TemporaryDirectory(prefix="golden-")
    return home, build_package(Path(home.name) / "package")


def golden(folder: Path) -> BuiltPackage:
    """Copy the golden package into a new folder, with the log that made it."""
    _, built = _golden()
    shutil.copytree(built.folder, folder)
    log = replace(built.log, entries=list(built.log.entries), details=dict(built.log.details))
    return replace(built, folder=folder, log=log)


def tally(report: PackageReport) -> str:
    """Count the verdicts of a report, gravest first."""
    words = [result.verdict for result in report.files]
    return ", ".join(f"{words.count(v.word)} {v.word}" for v in VERDICTS if v.word in words)


ROWS: list[Row] = []


def attack(number: str, verdict: str, *, group: str, keys=(GOLDEN_KEY,), policy=None):
    """Register a function that alters a package as one row; its docstring's first line is the sentence."""

    def register(do: Callable[[BuiltPackage], None]):
        def run(scratch: Path) -> tuple[str, str]:
            built = golden(scratch / "package")
            do(built)
            report = check_package(str(built.folder), keys=keys, policy=policy)
            return report.verdict.word, tally(report)

        ROWS.append(Row(number, do.__doc__.strip().rstrip("."), verdict, run, group))
        return do

    return register


# --- every file, one at a time -----------------------------------------------------------------------------------


def cut(built, name):
    data = built.path(name).read_bytes()
    built.write(name, data[:-1])


def extend(built, name):
    built.write(name, built.path(name).read_bytes() + b"\0")


def delete(built, name):
    built.path(name).unlink()


def rename(built, name):
    built.path(name).rename(built.path(name + ".bak"))


def empty(built, name):
    built.write(name, b"")


def swap(built, name):
    other = "bagit.txt" if name != "bagit.txt" else "custody.csv"
    one, two = built.path(name).read_bytes(), built.path(other).read_bytes()
    built.write(name, two)
    built.write(other, one)


def link(built, name):
    # The bytes are right; where they come from may change.
    aside = built.folder.parent / "aside"
    built.path(name).rename(aside)
    built.path(name).symlink_to(aside)


# What is done to each file, and the verdict on that file; no proof of a receipt that is gone or unreadable is left.
ONE_FILE = {
    "P01": (BuiltPackage.flip, "One bit in the middle of the file is flipped", "ALTERED", "UNPROVEN"),
    "P02": (cut, "The last byte of the file is cut off", "ALTERED", "UNPROVEN"),
    "P03": (extend, "A byte is added at the end of the file", "ALTERED", "UNPROVEN"),
    "P04": (empty, "The file is emptied", "ALTERED", "UNPROVEN"),
    "P05": (swap, "The file and another one change places", "ALTERED", "UNPROVEN"),
    "P06": (delete, "The file is deleted", "MISSING", "MISSING"),
    "P07": (rename, "The file is given another name", "MISSING", "MISSING"),
    "P08": (link, "The file is replaced by a symbolic link to the same bytes", "MISSING", "MISSING"),
}


def run_on_each_file(scratch: Path, do, expected: str, expected_receipt: str) -> tuple[str, str]:
    """Do it to each file of the golden package in turn; return the verdict if it was on every file as expected."""
    names = golden(scratch / "names").files()
    for at, name in enumerate(names):
        built = golden(scratch / f"{at}")
        do(built, name)
        report = check_package(str(built.folder), keys=[GOLDEN_KEY])
        found = {result.path: result.verdict for result in report.files}
        should = expected_receipt if name == PACKAGE_RECEIPT else expected
        if found[name] != should or report.verdict.exit_code != 1:
            return found[name], f"on {name}"
        shutil.rmtree(built.folder)
    others = "" if expected == expected_receipt else f"; {PACKAGE_RECEIPT} {expected_receipt}"
    return expected, f"{len(names)} files in turn{others}"


for _number, (_do, _sentence, _verdict, _of_receipt) in ONE_FILE.items():
    ROWS.append(
        Row(
            _number,
            f"{_sentence} (each file of the package in turn)",
            _verdict,
            lambda scratch, do=_do, v=_verdict, r=_of_receipt: run_on_each_file(scratch, do, v, r),
            "Each file of a package",
        )
    )

# --- footage -----------------------------------------------------------------------------------------------------

FOOTAGE = "Footage, with every list made to fit"


@attack("P10", "ALTERED", group=FOOTAGE)
def replace_footage(built):
    """One byte of an original is changed, and both manifests and package.json are rewritten to fit."""
    built.flip(A)
    built.rewrite_lists()


@attack("P11", "ALTERED", group=FOOTAGE)
def replace_footage_and_items(built):
    """An original is replaced, and package.json names the new size and hash as well."""
    data = footage(99, 1234)
    built.write(A, data)
    built.write_manifests()
    item = replace(built.originals[0].item(), sha256=sha256(data).hexdigest(), size_bytes=len(data))
    built.write_package_json(items=(item, built.originals[1].item()))


@attack("P12", "ALTERED", group=FOOTAGE)
def swap_originals(built):
    """Two originals change names, and every list is rewritten to fit."""
    one, two = built.path(A).read_bytes(), built.path(B).read_bytes()
    built.write(A, two)
    built.write(B, one)
    built.rewrite_lists()


@attack("P13", "ALTERED", group=FOOTAGE)
def swap_names_in_package_json(built):
    """Two originals change names, and package.json says that each was received as the other."""
    one, two = built.path(A).read_bytes(), built.path(B).read_bytes()
    built.write(A, two)
    built.write(B, one)
    built.write_manifests()
    first, second = (original.item() for original in built.originals)
    built.write_package_json(items=(replace(first, path=B), replace(second, path=A)))


@attack("P14", "ALTERED", group=FOOTAGE)
def drop_chunk(built):
    """A MiB is cut out of the middle of an original."""
    data = built.path(A).read_bytes()
    built.write(A, data[: 1 << 20] + data[2 << 20 :])


@attack("P15", "ALTERED", group=FOOTAGE)
def rewrite_chunk_list(built):
    """An original and its chunk list are changed together, so that the list fits, and every list is rewritten."""
    built.flip(A)
    original = built.originals[0]
    built.write(
        chunks_path(original.recording, original.sha256),
        format_chunks(chunk_list(built.path(A).read_bytes())),
    )
    built.rewrite_lists()


@attack("P16", "ALTERED", group=FOOTAGE)
def delete_footage(built):
    """An original is left out, and every list is rewritten as if it never belonged."""
    built.path(A).unlink()
    built.write_manifests()
    built.write_package_json(items=(built.originals[1].item(),))


@attack("P17", "ALTERED", group=FOOTAGE)
def add_footage(built):
    """A file is put beside the originals, and the manifests list it."""
    built.write("data/original/another.mp4", footage(98, 500))
    built.write_manifests()


# --- lists -------------------------------------------------------------------------------------------------------

LISTS = "Lists: what a bag alone does not notice"


@attack("P20", "UNLISTED", group=LISTS)
def add_payload(built):
    """A file is put beside the originals, and no list names it."""
    built.write("data/original/another.mp4", footage(98, 500))


@attack("P21", "UNLISTED", group=LISTS)
def add_tag_file(built):
    """A file is put at the top of the folder, and no list names it."""
    built.write("READ-ME-SECOND.html", b"<p>The footage is fine.</p>")


@attack("P22", "ALTERED", group=LISTS)
def rewrite_custody(built):
    """The readable chain of custody is rewritten, and the manifests and package.json are made to fit."""
    built.write("custody.html", b"<!doctype html><title>Another story</title>\n")
    built.rewrite_lists()


@attack("P23", "ALTERED", group=LISTS)
def change_recipient(built):
    """package.json names another recipient."""
    built.write_package_json(recipient="A newspaper")


@attack("P24", "ALTERED", group=LISTS)
def drop_line(built):
    """A file is deleted together with its line in the manifest."""
    built.path("custody.csv").unlink()
    built.write_manifests()


@attack("P25", "MISSING", group=LISTS)
def no_package_json(built):
    """package.json is taken away."""
    built.path(PACKAGE_JSON).unlink()


@attack("P26", "MISSING", group=LISTS)
def only_a_bag(built):
    """package.json and its receipt are taken away: what is left is a bag that proves itself to itself."""
    built.path(PACKAGE_JSON).unlink()
    built.path(PACKAGE_RECEIPT).unlink()


@attack("P27", "ALTERED", group=LISTS)
def manifest_of_windows(built):
    """The lines of a manifest end as Windows writes them."""
    built.write(MANIFEST, built.path(MANIFEST).read_bytes().replace(b"\n", b"\r\n"))


@attack("P28", "ALTERED", group=LISTS)
def manifest_that_climbs(built):
    """A manifest lists a file outside the folder."""
    line = b"0" * 64 + b"  ../../etc/passwd\n"
    built.write(TAGMANIFEST, line + built.path(TAGMANIFEST).read_bytes())


@attack("P29", "ALTERED", group=LISTS)
def manifest_listing_twice(built):
    """A manifest lists a file twice, with two hashes."""
    lines = built.path(MANIFEST).read_bytes()
    built.write(MANIFEST, lines + b"0" * 64 + lines[64:].split(b"\n")[0] + b"\n")


@attack("P30", "UNPROVEN", group=LISTS)
def nested_package_json(built):
    """package.json is nested 100,000 deep, and the receipt is broken as well."""
    built.write(PACKAGE_JSON, b"[" * 100_000 + b"]" * 100_000)
    built.write(PACKAGE_RECEIPT, b"[" * 100_000 + b"]" * 100_000)


@attack("P31", "UNPROVEN", group=LISTS)
def endless_manifest(built):
    """A manifest is a gigabyte long."""
    with built.path(MANIFEST).open("r+b") as file:
        file.truncate(1 << 30)


# --- proofs ------------------------------------------------------------------------------------------------------

PROOFS = "Proofs and leaves"


def reseal(built: BuiltPackage) -> None:
    """Make every list fit and export again: what the holder of the key could be brought to do."""
    built.rewrite_lists()
    built.export()


@attack("P40", "UNPROVEN", group=PROOFS)
def no_proof(built):
    """The proof of an original is left out of a package that is then exported."""
    built.path(proof_path(LeafPlace(1, 1))).unlink()
    reseal(built)


@attack("P41", "UNPROVEN", group=PROOFS)
def no_leaves(built):
    """The leaves are left out of a package that is then exported."""
    built.path(LEAVES).unlink()
    reseal(built)


@attack("P42", "UNPROVEN", group=PROOFS)
def proof_of_another_leaf(built):
    """Two proofs change places, and every list is made to fit and exported."""
    one, three = (
        built.path(proof_path(LeafPlace(1, 1))).read_bytes(),
        built.path(proof_path(LeafPlace(1, 3))).read_bytes(),
    )
    built.write(proof_path(LeafPlace(1, 1)), three)
    built.write(proof_path(LeafPlace(1, 3)), one)
    reseal(built)


@attack("P43", "UNPROVEN", group=PROOFS)
def proof_of_another_package(built):
    """The proofs are those of another package of another log with the same name."""
    other = TinyLog(Signer(ORIGIN, 2))
    build_package(built.folder.parent / "other", log=other, package=2, seed=7)
    for name in built.files():
        if name.endswith(".tlog-proof"):
            built.write(name, (built.folder.parent / "other" / name).read_bytes())
    reseal(built)


@attack("P44", "UNPROVEN", group=PROOFS)
def index_raised(built):
    """The index in a proof is another."""
    proof = built.log.proof(1)
    built.write(proof_path(LeafPlace(1, 1)), format_proof(LogProof(2, proof.path, proof.note)).encode())
    reseal(built)


@attack("P45", "UNPROVEN", group=PROOFS)
def path_cut(built):
    """A hash is taken out of a proof's path."""
    proof = built.log.proof(1)
    built.write(proof_path(LeafPlace(1, 1)), format_proof(LogProof(1, proof.path[1:], proof.note)).encode())
    reseal(built)


@attack("P46", "UNPROVEN", group=PROOFS)
def leaf_rewritten(built):
    """A leaf says that another hash was received, and every list is made to fit and exported."""
    data = footage(99, 1234)
    forged = TinyLog(built.log.signer)
    forged.append("log.started", forged.origin, {})
    facts = {
        "sha256": sha256(data).hexdigest(),
        "size_bytes": 1234,
        "chunk_root": chunk_list(data).root().hex(),
    }
    forged.append("recording.received", RECORDING_A, facts)
    lines = built.path(LEAVES).read_bytes().split(b"\n")
    built.write(LEAVES, b"\n".join([forged.disclose(1), *lines[1:]]))
    built.write(A, data)
    built.write_manifests()
    item = replace(built.originals[0].item(), sha256=facts["sha256"], size_bytes=1234)
    built.write_package_json(items=(item, built.originals[1].item()))
    built.export()


@attack("P47", "ALTERED", group=PROOFS)
def leaves_reordered(built):
    """The lines of proof/leaves.jsonl stand in another order."""
    lines = built.path(LEAVES).read_bytes().split(b"\n")
    built.write(LEAVES, b"\n".join([*reversed(lines[:-1]), b""]))


@attack("P48", "UNPROVEN", group=PROOFS)
def leaf_twice(built):
    """A leaf is disclosed twice."""
    lines = built.path(LEAVES).read_bytes()
    built.write(LEAVES, lines + lines.split(b"\n")[0] + b"\n")
    reseal(built)


@attack("P49", "UNPROVEN", group=PROOFS)
def words_replaced(built):
    """The words disclosed beside a leaf are not those the leaf commits to."""
    data = built.path(LEAVES).read_bytes()
    built.write(LEAVES, data.replace(b"body 3.mp4", b"body 4.mp4", 1))
    reseal(built)


@attack("P50", "UNPROVEN", group=PROOFS)
def times_replaced(built):
    """The table from bytes to seconds is another, and every list is made to fit and exported."""
    original = built.originals[0]
    table = format_chunk_times(ChunkTimes(((0, 1), (1, 2), (2, 3), (3, 4))))
    built.write(chunk_times_path(original.recording, original.sha256), table)
    reseal(built)


@attack("P51", "UNPROVEN", group=PROOFS)
def chunks_replaced(built):
    """The chunk list is that of other bytes, and every list is made to fit and exported."""
    original = built.originals[0]
    table = format_chunks(chunk_list(footage(97, len(original.data))))
    built.write(chunks_path(original.recording, original.sha256), table)
    reseal(built)


@attack("P52", "UNPROVEN", group=PROOFS)
def another_recordings_leaf(built):
    """package.json names the received leaf of another recording for an original."""
    first, second = (original.item() for original in built.originals)
    built.write_package_json(items=(replace(first, received=second.received), second))
    built.export()


@attack("P53", "UNPROVEN", group=PROOFS)
def probed_leaf_for_received(built):
    """package.json names a leaf that tells of something else than receiving."""
    first, second = (original.item() for original in built.originals)
    built.write_package_json(items=(replace(first, received=first.probed), second))
    built.export()


@attack("P54", "UNPROVEN", group=PROOFS)
def recording_under_another_name(built):
    """An original is exported under a file name that bears another recording's identifier."""
    other = A.replace(RECORDING_A, "R-26-00000009-X")
    built.path(A).rename(built.path(other))
    built.write_manifests()
    first, second = (original.item() for original in built.originals)
    built.write_package_json(items=(replace(first, path=other), second))
    built.export()


# --- receipts, keys and checkpoints ------------------------------------------------------------------------------

KEYS = "Receipts, keys and checkpoints"


@attack("P60", "ALTERED", group=KEYS)
def receipt_of_another_package(built):
    """The receipt is that of another package from the same log."""
    other = build_package(built.folder.parent / "other", log=built.log, package=2, seed=7)
    built.write(PACKAGE_RECEIPT, other.path(PACKAGE_RECEIPT).read_bytes())


@attack("P61", "UNPROVEN", group=KEYS)
def receipt_of_another_act(built):
    """The receipt is that of a recording received, from the same log."""
    built.write(PACKAGE_RECEIPT, built.log.receipt(1))


@attack("P62", "SIGNER UNKNOWN", group=KEYS)
def another_log(built):
    """Somebody makes a whole package of their own, with a log and key of their own."""
    shutil.rmtree(built.folder)
    build_package(built.folder, log=TinyLog(Signer("attacker.example/custody/1", 6)))


@attack("P63", "SIGNER UNKNOWN", group=KEYS)
def same_name_other_key(built):
    """Somebody makes a whole package of their own under the log's name, with another key."""
    shutil.rmtree(built.folder)
    build_package(built.folder, log=TinyLog(Signer(ORIGIN, 6)))


@attack("P64", "SIGNER UNKNOWN", group=KEYS, keys=None)
def nobody_gave_a_key(_built):
    """Nothing is altered, and no key is given: the package alone cannot say whose it is."""


@attack("P65", "UNPROVEN", group=KEYS)
def signature_of_another(built):
    """The checkpoint bears the log's name and key id, and a signature that does not fit."""
    receipt = parse_receipt(built.path(PACKAGE_RECEIPT).read_bytes())
    note = parse_note(receipt.proof.note)
    forged = Signer(ORIGIN, 6).sign(note.text).signature
    resigned = SignedNote(note.text, (NoteSignature(ORIGIN, built.key.key_id, forged),))
    proof = LogProof(receipt.proof.index, receipt.proof.path, format_note(resigned))
    built.write(PACKAGE_RECEIPT, format_receipt(make_receipt(receipt.entry, proof)))


def altered_note(built: BuiltPackage, **changes: str) -> None:
    receipt = parse_receipt(built.path(PACKAGE_RECEIPT).read_bytes())
    note = receipt.proof.note
    for old, new in changes.values():
        assert old in note
        note = note.replace(old, new)
    built.write(
        PACKAGE_RECEIPT,
        format_receipt(make_receipt(receipt.entry, LogProof(receipt.proof.index, receipt.proof.path, note))),
    )


@attack("P66", "UNPROVEN", group=KEYS)
def size_altered(built):
    """The size in the signed checkpoint is another."""
    altered_note(built, size=("\n5\n", "\n6\n"))


@attack("P67", "UNPROVEN", group=KEYS)
def root_altered(built):
    """The root in the signed checkpoint is another."""
    text = parse_note(built.log.note()).text
    root = text.split("\n")[2]
    altered_note(built, root=(root, "A" + root[1:] if root[0] != "A" else "B" + root[1:]))


@attack("P68", "UNPROVEN", group=KEYS)
def other_log_with_a_given_key(built):
    """A known log's key signs a checkpoint in the name of another log."""
    signer, victim = Signer(ORIGIN, 1), Signer("victim.example/custody/1", 8)
    from plainview.formats.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint

    receipt = parse_receipt(built.path(PACKAGE_RECEIPT).read_bytes())
    checkpoint = parse_checkpoint(parse_note(receipt.proof.note).text)
    text = format_checkpoint(Checkpoint(victim.key.name, checkpoint.size, checkpoint.root))
    note = format_note(SignedNote(text, (signer.sign(text),)))
    proof = LogProof(receipt.proof.index, receipt.proof.path, note)
    built.write(PACKAGE_RECEIPT, format_receipt(make_receipt(receipt.entry, proof)))


@attack("P69", "ALTERED", group=KEYS, keys=None)
def policy_replaced(built):
    """No key is given, and the package's own proof/log.policy names the attacker's key."""
    built.write(POLICY, format_policy(TrustPolicy((Signer(ORIGIN, 6).key,))).encode())


@attack(
    "P70",
    "UNPROVEN",
    group=KEYS,
    policy=TrustPolicy((GOLDEN_KEY,), (("board", cosigner("board.example", 20).key),), (), "board"),
)
def no_cosigner(_built):
    """The trust policy asks for a co-signer, and none signed."""


@attack("P71", "ALTERED", group=KEYS)
def two_packages_mixed(built):
    """The lists, proofs and receipt of another package are laid over this one."""
    other = build_package(built.folder.parent / "other", log=built.log, package=2, seed=7)
    for name in other.files():
        if not name.startswith("data/"):
            built.write(name, other.path(name).read_bytes())


# --- folder tricks -----------------------------------------------------------------------------------------------

FOLDER = "Things in the folder that are not files, or should not be there"


@attack("P80", "UNLISTED", group=FOLDER)
def hidden_file(built):
    """A hidden file is added."""
    built.write(".DS_Store", b"\0")


@attack("P81", "UNLISTED", group=FOLDER)
def link_out(built):
    """A symbolic link to a file outside the folder is added."""
    built.path("passwords").symlink_to("/etc/passwd")


@attack("P82", "MISSING", group=FOLDER)
def folder_link(built):
    """The folder of originals is replaced by a symbolic link to a copy of itself."""
    aside = built.folder.parent / "aside"
    built.path("data/original").rename(aside)
    built.path("data/original").symlink_to(aside)


@attack("P83", "UNLISTED", group=FOLDER)
def endless_link(built):
    """A symbolic link to the folder itself is added."""
    built.path("data/again").symlink_to("..")


@attack("P84", "UNLISTED", group=FOLDER)
def pipe(built):
    """A named pipe is added; opening it would wait for ever."""
    os.mkfifo(built.path("pipe"))


@attack("P85", "MISSING", group=FOLDER)
def pipe_in_place(built):
    """An original is replaced by a named pipe."""
    built.path(A).unlink()
    os.mkfifo(built.path(A))


@attack("P86", "MISSING", group=FOLDER)
def pipe_for_receipt(built):
    """The receipt is replaced by a named pipe."""
    built.path(PACKAGE_RECEIPT).unlink()
    os.mkfifo(built.path(PACKAGE_RECEIPT))


@attack("P87", "UNLISTED", group=FOLDER)
def socket_file(built):
    """A socket is added."""
    here = Path.cwd()
    os.chdir(built.folder)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket")
    finally:
        os.chdir(here)


@attack("P88", "UNLISTED", group=FOLDER)
def steering_name(built):
    """A file is added whose name would move a terminal's cursor and write OK."""
    built.write("\x1b[2J\x1b[1;1HOK  everything\r\n", b"")


@attack("P89", "UNLISTED", group=FOLDER)
def right_to_left_name(built):
    """A file is added whose name reads backwards, and one whose name is no text at all."""
    built.write("fdp.\u202e4pm.exe", b"")
    built.write(os.fsdecode(b"\xff\xfe"), b"")


@attack("P90", "UNLISTED", group=FOLDER)
def deep_folders(built):
    """A file is added three hundred folders deep."""
    folder = built.folder
    for _ in range(300):
        folder = folder / "deeper"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"")


@attack("P91", "MISSING", group=FOLDER)
def folder_in_place(built):
    """A file is replaced by a folder of the same name that holds it."""
    data = built.path("custody.csv").read_bytes()
    built.path("custody.csv").unlink()
    built.write("custody.csv/custody.csv", data)


@attack("P92", "MISSING", group=FOLDER)
def other_case(built):
    """A file's name is spelled in capital letters."""
    built.path("custody.csv").rename(built.path("CUSTODY.CSV"))


@attack("P93", "UNLISTED", group=FOLDER)
def second_case(built):
    """A second file is added whose name differs from a listed one only in case."""
    built.write("Custody.csv", b"seq,at,act\n1,then,nothing happened\n")
