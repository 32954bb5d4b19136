"""The command line of the checker: `plainview verify` and a package's verify.py are both this."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

from plainview.formats.errors import FormatError
from plainview.formats.note import VerifierKey, parse_vkey
from plainview.formats.policy import POLICY_LIMIT_BYTES, TrustPolicy, parse_policy
from plainview.verify.capture_files import check_capture_files
from plainview.verify.capture_report import format_capture_report, format_capture_report_json
from plainview.verify.errors import VerificationError
from plainview.verify.folder import reason_of
from plainview.verify.package import check_package
from plainview.verify.receipt_file import check_receipt_file
from plainview.verify.report import format_refusal_json, format_report, format_report_json, shown
from plainview.verify.verdicts import CANNOT_CHECK_EXIT_CODE

if TYPE_CHECKING:
    from plainview.verify.results import PackageReport, Progress

EPILOG = """exit codes: 0 all OK under a given or pinned key; 1 something ALTERED, MISSING, UNLISTED, UNPROVEN or
NOT CLOSED; 2 cannot check; 3 everything fits, and only the signer is unknown."""
PROMPT = "Paste the key of the log, from somewhere other than this folder (or press Enter to go on without): "


def main(
    argv: Sequence[str],
    *,
    pinned_keys: Sequence[VerifierKey] = (),
    default_folder: str = ".",
    program: str = "verify.py",
) -> int:
    """Check a package, a receipt or what a camera signed, and say so on standard output.

    Args:
        argv: arguments, without the program's name.
        pinned_keys: keys this machine keeps, besides those given with --key.
        default_folder: what to check when no folder is named.
        program: the name to show in the usage.

    Returns:
        The exit code: 0, 1, 2 or 3, as docs/formats/verdicts.md says.
    """
    try:
        options = _parser(program).parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        if options.capture is not None or options.journal is not None:
            capture = check_capture_files(options.capture, options.journal, options.camera_key)
            _write(format_capture_report_json(capture) if options.json else format_capture_report(capture))
            return capture.verdict.exit_code
        keys, policy = _read_keys(options.key, asks=_may_ask(options, pinned_keys))
        report = _check(options, (*pinned_keys, *keys), policy, default_folder)
    except (VerificationError, FormatError) as error:
        _write(format_refusal_json(str(error)) if options.json else f"Cannot check: {shown(str(error))}\n")
        return CANNOT_CHECK_EXIT_CODE
    _write(format_report_json(report) if options.json else format_report(report))
    return report.verdict.exit_code


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Check a package of footage: every file gets one word and one sentence. Needs no network.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "folder", nargs="?", help="the package; with --receipt, the file the receipt speaks of"
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY|FILE",
        help="the log's key, got from somewhere other than the package: as text, or a file of keys, one a line, or "
        "a trust policy; may be given again",
    )
    parser.add_argument("--receipt", metavar="FILE", help="check this receipt instead of a package")
    parser.add_argument(
        "--capture",
        metavar="FOOTAGE",
        help="check footage against what its camera signed, instead of a package",
    )
    parser.add_argument("--journal", metavar="FILE", help="with or without --capture: a camera's journal")
    parser.add_argument(
        "--camera-key", metavar="HEX", help="with --capture: the camera's key, got from somewhere else"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, and ask nothing")
    return parser


def _may_ask(options: argparse.Namespace, pinned_keys: Sequence[VerifierKey]) -> bool:
    if options.json or options.key or pinned_keys:
        return False
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _read_keys(words: Sequence[str], *, asks: bool) -> tuple[tuple[VerifierKey, ...], TrustPolicy | None]:
    if asks:
        try:
            words = input(PROMPT).split()
        except EOFError:
            words = ()
    keys: list[VerifierKey] = []
    policy: TrustPolicy | None = None
    for word in words:
        if not os.path.isfile(word):  # noqa: PTH113 - a key is no path, and Path.is_file may raise over it
            keys.append(parse_vkey(word))
            continue
        text = _read_key_file(word)
        if text.startswith("log "):
            policy = parse_policy(text)
        else:
            keys += [parse_vkey(line) for line in text.split("\n") if line]
    return tuple(keys), policy


def _read_key_file(path: str) -> str:
    try:
        with Path(path).open("rb") as source:
            data = source.read(POLICY_LIMIT_BYTES + 1)
    except OSError as error:
        raise FormatError("key file", f"cannot be read: {reason_of(error)}") from error
    if len(data) > POLICY_LIMIT_BYTES:
        raise FormatError("key file", f"expected at most {POLICY_LIMIT_BYTES} bytes")
    try:
        # Windows editors add a mark at the start and write lines their own way.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FormatError("key file", "not text in UTF-8") from error


def _check(
    options: argparse.Namespace,
    keys: Sequence[VerifierKey],
    policy: TrustPolicy | None,
    default_folder: str,
) -> PackageReport:
    progress = None if options.json else _progress()
    if options.receipt is not None:
        return check_receipt_file(
            options.receipt, options.folder, keys=keys, policy=policy, on_progress=progress
        )
    return check_package(options.folder or default_folder, keys=keys, policy=policy, on_progress=progress)


def _progress() -> Progress | None:
    """Return what shows progress on a terminal, None where nobody is looking."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    shown_percent = -1

    def show(done: int, total: int) -> None:
        nonlocal shown_percent
        percent = done * 100 // total if total else 100
        if percent != shown_percent:
            shown_percent = percent
            sys.stderr.write(f"\rReading {percent} %" + ("\r             \r" if done >= total else ""))
            sys.stderr.flush()

    return show


def _write(text: str) -> None:
    """Write to standard output, whatever its encoding can hold."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def own_folder(file: str) -> str:
    """Return the folder a script lies in."""
    return os.path.dirname(os.path.abspath(file))  # noqa: PTH100, PTH120 - as given, without following links
