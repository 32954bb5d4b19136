"""Attacks on a receipt somebody kept, and on the file it speaks of."""

from collections.abc import Callable
from pathlib import Path

from plainview.formats.proof import LogProof
from plainview.formats.receipt import format_receipt, make_receipt, parse_receipt
from plainview.verify.errors import NotAPackageError
from plainview.verify.receipt_file import check_receipt_file
from simulators.attacks import Row
from simulators.package_attacks import GOLDEN_KEY, tally
from simulators.package_builder import ORIGIN, RECORDING_A, Signer, TinyLog, footage, receive

ROWS: list[Row] = []
DATA = footage(5, 2000)


def handed_in(folder: Path, log: TinyLog | None = None) -> tuple[Path, Path, TinyLog]:
    """Write an original and the receipt its bringer keeps."""
    log = log or TinyLog()
    log.append("log.started", log.origin, {})
    original = receive(log, RECORDING_A, DATA)
    receipt, file = folder / "receipt.json", folder / "body 3.mp4"
    receipt.write_bytes(log.receipt(original.received))
    file.write_bytes(DATA)
    return receipt, file, log


def attack(number: str, verdict: str, *, keys=(GOLDEN_KEY,)):
    """Register a function that alters a receipt or its file as one row."""

    def register(do: Callable[[Path, Path, TinyLog], None]):
        def run(scratch: Path) -> tuple[str, str]:
            receipt, file, log = handed_in(scratch)
            do(receipt, file, log)
            try:
                report = check_receipt_file(str(receipt), str(file), keys=keys)
            except NotAPackageError:
                return "cannot check", "exit code 2"
            return report.verdict.word, tally(report)

        ROWS.append(Row(number, do.__doc__.strip().rstrip("."), verdict, run, "A receipt somebody kept"))
        return do

    return register


@attack("R01", "ALTERED")
def file_altered(_receipt, file, _log):
    """One byte of the file it speaks of is changed."""
    file.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))


@attack("R02", "ALTERED")
def file_grown(_receipt, file, _log):
    """The file it speaks of has grown."""
    file.write_bytes(DATA + b"\0")


@attack("R03", "UNPROVEN")
def leaf_altered(receipt, _file, _log):
    """The receipt's leaf names another time, so its hash is another."""
    text = receipt.read_bytes()
    assert b"12:00:01.000Z" in text
    receipt.write_bytes(text.replace(b"12:00:01.000Z", b"11:00:01.000Z"))


@attack("R04", "cannot check")
def receipt_cut(receipt, _file, _log):
    """The receipt is cut short."""
    receipt.write_bytes(receipt.read_bytes()[:-10])


@attack("R05", "SIGNER UNKNOWN", keys=None)
def no_key(_receipt, _file, _log):
    """Nothing is altered, and no key is given."""


@attack("R06", "SIGNER UNKNOWN")
def forged_receipt(receipt, file, _log):
    """Somebody writes a receipt of their own under the log's name, with another key."""
    handed_in(receipt.parent, TinyLog(Signer(ORIGIN, 6)))


@attack("R07", "UNPROVEN")
def receipt_of_something_else(receipt, _file, log):
    """The receipt is a true one, of an act that received nothing."""
    receipt.write_bytes(log.receipt(2))


@attack("R08", "UNPROVEN", keys=None)
def path_altered_without_key(receipt, _file, _log):
    """No key is given, and the receipt's path does not lead to its root."""
    parsed = parse_receipt(receipt.read_bytes())
    proof = LogProof(parsed.proof.index, (bytes(32), *parsed.proof.path[1:]), parsed.proof.note)
    receipt.write_bytes(format_receipt(make_receipt(parsed.entry, proof)))
