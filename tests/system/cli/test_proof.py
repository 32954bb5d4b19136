"""make proof, as a newcomer runs it; and other people's code on the log it leaves behind."""

import re
import shutil
import subprocess
import sys

import pytest

from plainview.formats.note import parse_note, parse_vkey
from simulators import go_checker
from simulators.media_files import MINIMAL_PDF
from simulators.program import PROGRAM, environment

DER_OF_ED25519 = bytes.fromhex(
    "302a300506032b6570032100"
)  # RFC 8410 section 10.1: what stands before a raw key


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomer") / "demo"
    done = subprocess.run(
        [*PROGRAM, "prove", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=environment(),
    )
    return folder, done


def test_the_demo_goes_the_whole_way_and_names_the_altered_byte_by_its_second(demo):
    folder, done = demo
    assert done.returncode == 0, done.stdout + done.stderr
    results = re.findall(r"Result: ([A-Z ]+)\.", done.stdout)
    assert results == ["OK", "ALTERED"]
    assert re.search(
        r"ALTERED +data/original/\S+\.mp4 +\(in MiB 2 \(0:\d\d\.\d{3} to 0:\d\d\.\d{3}\)\)", done.stdout
    )
    assert (folder / "recovery-key.json").is_file()


def test_the_package_the_demo_leaves_is_whole_again(demo):
    folder, done = demo
    key = re.search(r"--key '([^']+)'", done.stdout).group(1)
    command = [sys.executable, "-I", "-S", str(folder / "package" / "verify.py"), "--key", key]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_folder_that_is_not_a_demonstrations_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("keep")
    done = subprocess.run(
        [*PROGRAM, "prove", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 2
    assert "left alone" in done.stderr
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_file_that_is_no_footage_is_said_to_be_kept_and_unusable(tmp_path):
    paper = tmp_path / "report.mp4"
    paper.write_bytes(MINIMAL_PDF)
    command = [*PROGRAM, "prove", str(paper), "--folder", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 1
    assert "Quarantined: Kept, not usable. The file is a document" in done.stdout


@pytest.mark.skipif(go_checker.why_not() is not None, reason=str(go_checker.why_not()))
def test_go_agrees_with_the_demos_log(demo, tmp_path):
    folder, _ = demo
    (vkey,) = (folder / "data" / "trust").glob("*.vkey")
    checker = go_checker.build(tmp_path)
    status, said = go_checker.check(checker, folder / "data" / "log" / "1", vkey)
    assert status == 0, said
    assert re.search(r"\b4 entries\b", said), said  # started, received, probed, exported


@pytest.mark.skipif(go_checker.why_not() is not None, reason=str(go_checker.why_not()))
def test_go_refuses_the_demos_log_with_one_entry_changed(demo, tmp_path):
    folder, _ = demo
    (vkey,) = (folder / "data" / "trust").glob("*.vkey")
    copy = tmp_path / "log"
    shutil.copytree(folder / "data" / "log" / "1", copy)
    bundle = copy / "tile" / "entries" / "000.p" / "4"
    bundle.chmod(0o600)
    bundle.write_bytes(bundle.read_bytes().replace(b"recording.received", b"recording.ReCeived"))
    status, _ = go_checker.check(go_checker.build(tmp_path), copy, vkey)
    assert status != 0


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="SKIPPED: no openssl; on Debian: apt-get install openssl"
)
@pytest.mark.parametrize("change", ["", "0"])
def test_openssl_agrees_with_the_demos_checkpoint_and_refuses_another(demo, tmp_path, change):
    folder, _ = demo
    (vkey,) = (folder / "data" / "trust").glob("*.vkey")
    key = parse_vkey(vkey.read_text().strip())
    note = parse_note((folder / "data" / "log" / "1" / "checkpoint").read_text())
    files = {name: tmp_path / name for name in ("key.der", "note", "signature")}
    files["key.der"].write_bytes(DER_OF_ED25519 + key.public_key)
    files["note"].write_text(note.text.replace("\n4\n", f"\n4{change}\n"))
    files["signature"].write_bytes(note.signatures[0].signature)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        str(files["key.der"]),
        "-rawin",
    ]
    command += ["-in", str(files["note"]), "-sigfile", str(files["signature"])]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode == 0) == (change == "")
