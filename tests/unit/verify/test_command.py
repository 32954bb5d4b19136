import io
import json
import sys

import pytest

from plainview.formats.note import format_vkey
from plainview.formats.policy import TrustPolicy, format_policy
from plainview.verify import command
from plainview.verify.command import main, own_folder
from simulators.package_builder import Signer, TinyLog, build_package, cosigner

SMALL_BYTES = 2000
EARLY = 1_700_000_000


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    log = TinyLog(
        cosigners=((cosigner("board.example", 20), EARLY), (cosigner("court.example", 21), EARLY + 60))
    )
    return build_package(tmp_path_factory.mktemp("command") / "package", log=log, big_bytes=SMALL_BYTES)


@pytest.fixture
def vkey(package):
    return format_vkey(package.key)


def test_all_ok_under_a_given_key_ends_in_0(package, vkey, capsys):
    assert main([str(package.folder), "--key", vkey]) == 0
    assert "Result: OK." in capsys.readouterr().out


def test_a_pinned_key_counts_as_given(package, capsys):
    assert main([str(package.folder)], pinned_keys=[package.key]) == 0
    assert capsys.readouterr().err == ""


def test_an_unknown_signer_ends_in_3_and_the_key_is_printed_in_full(package, vkey, capsys):
    assert main([str(package.folder)]) == 3
    assert vkey in capsys.readouterr().out


def test_a_given_key_of_the_same_name_that_did_not_sign_is_pointed_out(package, capsys):
    other = format_vkey(Signer(package.log.origin, 6).key)
    assert main([str(package.folder), "--key", other]) == 3
    assert "is not the key that signed" in capsys.readouterr().out


def test_the_folder_of_the_script_is_checked_when_none_is_named(package, vkey):
    assert main(["--key", vkey], default_folder=str(package.folder)) == 0
    assert own_folder("/somewhere/verify.py") == "/somewhere"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_folder_without_a_package_ends_in_2(tmp_path, capsys, form):
    assert main([str(tmp_path), *form]) == 2
    out = capsys.readouterr().out
    if form:
        assert json.loads(out)["exit_code"] == 2
    else:
        assert out.startswith("Cannot check: ")


def test_a_question_that_is_not_understood_ends_in_2(capsys):
    assert main(["--no-such-option"]) == 2
    assert "usage" in capsys.readouterr().err


def test_help_ends_in_0_and_tells_the_exit_codes(capsys):
    assert main(["--help"]) == 0
    assert "exit codes" in capsys.readouterr().out


def test_cosigners_in_a_trust_policy_are_counted_with_their_times(package, tmp_path, capsys):
    named = tuple((signer.key.name, signer.key) for signer, _ in package.log.cosigners)
    file = tmp_path / "policy"
    file.write_text(format_policy(TrustPolicy((package.key,), named, (), "court.example")))
    assert main([str(package.folder), "--key", str(file)]) == 0
    out = capsys.readouterr().out
    assert "WITNESSED BY 2 OF 2" in out
    assert "TIME BETWEEN 2023-11-14T22:13:20.000Z AND 2023-11-14T22:14:20.000Z" in out


def test_a_cosigners_key_may_be_given_beside_the_logs(package, vkey, tmp_path, capsys):
    file = tmp_path / "keys"
    board = format_vkey(package.log.cosigners[0][0].key)
    file.write_bytes(b"\xef\xbb\xbf" + f"{vkey}\r\n{board}\r\n".encode())
    assert main([str(package.folder), "--key", str(file)]) == 0
    assert "WITNESSED BY 1 OF 1" in capsys.readouterr().out


def test_cosigners_that_only_the_package_names_are_said_to_be_so(package, vkey, capsys):
    assert main([str(package.folder), "--key", vkey]) == 0
    assert "WITNESSED BY 2 OF 2 (co-signers as the package itself names them)" in capsys.readouterr().out


@pytest.mark.parametrize("data", [b"nonsense", b"\xff", b"a" * 100_001, b"log nonsense\n"])
def test_a_key_file_that_is_none_ends_in_2(package, tmp_path, data, capsys):
    file = tmp_path / "keys"
    file.write_bytes(data)
    assert main([str(package.folder), "--key", str(file)]) == 2
    assert "Cannot check" in capsys.readouterr().out


def test_a_key_file_that_cannot_be_read_ends_in_2(package, tmp_path, monkeypatch, capsys):
    file = tmp_path / "keys"
    file.write_bytes(b"")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(command.Path, "open", refuse)
    assert main([str(package.folder), "--key", str(file)]) == 2
    assert "Permission denied" in capsys.readouterr().out


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self):
        return True


def sit_at_terminal(monkeypatch):
    """Put a terminal in place of the standard streams; within the test, as pytest sets them anew for each phase."""
    terminal = Terminal()
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, terminal)
    return terminal


def test_on_a_terminal_the_key_is_asked_for(package, vkey, monkeypatch):
    terminal = sit_at_terminal(monkeypatch)
    monkeypatch.setattr("builtins.input", lambda _prompt: vkey)
    assert main([str(package.folder)]) == 0
    assert "Reading 100 %" in terminal.getvalue()


@pytest.mark.parametrize("answer", ["", EOFError()])
def test_without_an_answer_the_check_goes_on(package, monkeypatch, answer):
    sit_at_terminal(monkeypatch)

    def reply(_prompt):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("builtins.input", reply)
    assert main([str(package.folder)]) == 3


def test_nothing_is_asked_when_json_is_wanted(package, monkeypatch):
    terminal = sit_at_terminal(monkeypatch)
    monkeypatch.setattr("builtins.input", lambda _prompt: pytest.fail("asked"))
    assert main([str(package.folder), "--json"]) == 3
    assert json.loads(terminal.getvalue())["verdict"] == "SIGNER UNKNOWN"


def test_progress_is_shown_once_a_percent_also_for_nothing(monkeypatch):
    terminal = sit_at_terminal(monkeypatch)
    show = command._progress()
    show(0, 0)
    show(0, 0)
    assert terminal.getvalue().count("100 %") == 1


def test_a_window_without_streams_is_no_reason_to_fail(package, vkey, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main([str(package.folder), "--key", vkey]) == 0
    assert main([str(package.folder)]) == 3
    assert "OK" in capsys.readouterr().out


def test_a_kept_receipt_is_checked_with_the_file_it_speaks_of(package, vkey, tmp_path, capsys):
    original = package.originals[0]
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(package.log.receipt(original.received))
    assert main(["--receipt", str(receipt), "--key", vkey, str(package.folder / original.path)]) == 0
    assert main(["--receipt", str(receipt), "--key", vkey, str(package.folder / "bagit.txt")]) == 1
    assert "received with 2000" in capsys.readouterr().out
