"""The verify.py in a package, on other Pythons, without site packages and without a network."""

import ast
import json
import shutil
import subprocess
import sys

import pytest

from plainview.formats.note import format_vkey
from plainview.verify.command import main
from plainview.verify.single_file import build_single_file
from simulators.capture_attacks import MADE, blanked, flipped
from simulators.package_attacks import A, B, golden
from simulators.package_builder import build_package
from simulators.pythons import find_python

PYTHONS = ("3.8", "3.12", "3.13")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A package with the real checker in it."""
    return build_package(tmp_path_factory.mktemp("sealed") / "package", checker=build_single_file())


@pytest.fixture
def package(sealed, tmp_path):
    shutil.copytree(sealed.folder, tmp_path / "package")
    return tmp_path / "package"


def run(python, folder, *arguments):
    command = [python, "-I", "-S", str(folder / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def alter_nothing(_folder):
    """Leave the package as it is."""


def alter_footage(folder):
    data = bytearray((folder / A).read_bytes())
    data[2_300_000] ^= 1
    (folder / A).write_bytes(bytes(data))


def alter_much(folder):
    alter_footage(folder)
    (folder / B).unlink()
    (folder / "proof/leaves.jsonl").write_bytes(b"nonsense")
    (folder / "caf\u00e9 \u202e.txt").write_bytes(b"")
    (folder / "package.receipt.json").write_bytes(b"{}")


CASES = [
    (alter_nothing, True, 0),
    (alter_nothing, False, 3),
    (alter_footage, True, 1),
    (alter_footage, False, 1),
    (alter_much, True, 1),
]


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(("alter", "with_key", "exit_code"), CASES)
def test_verify_py_and_plainview_verify_agree_to_the_word(
    sealed, package, capsys, version, form, alter, with_key, exit_code
):
    python = find_python(version)
    if python is None:
        pytest.skip(f"NO PYTHON {version} HERE: verify.py was not tried on it (set PLAINVIEW_PYTHONS)")
    alter(package)
    arguments = [*form, *(["--key", format_vkey(sealed.key)] if with_key else [])]
    done = run(python, package, *arguments)
    assert (done.returncode, done.stderr) == (exit_code, "")
    assert main([str(package), *arguments]) == exit_code
    assert done.stdout == capsys.readouterr().out


def test_verify_py_needs_no_network(sealed, package):
    unshare = shutil.which("unshare")
    probe = [unshare, "--user", "--map-root-user", "--net", "true"] if unshare else ["false"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("NO NETWORK NAMESPACES HERE: verify.py was not tried without a network")
    command = [*probe[:-1], sys.executable, "-I", "-S", str(package / "verify.py"), "--key"]
    done = subprocess.run([*command, format_vkey(sealed.key)], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0


def test_verify_py_writes_nothing_into_the_package(sealed, package):
    before = sorted(package.rglob("*"))
    run(sys.executable, package, "--key", format_vkey(sealed.key))
    assert sorted(package.rglob("*")) == before


def test_verify_py_checks_a_kept_receipt(sealed, package, tmp_path):
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(sealed.log.receipt(sealed.originals[0].received))
    key = format_vkey(sealed.key)
    done = run(sys.executable, package, "--receipt", str(receipt), "--key", key, str(package / A))
    assert done.returncode == 0, done.stdout
    done = run(sys.executable, package, "--receipt", str(receipt), "--key", key, str(package / B), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["files"][0]["verdict"] == "ALTERED"


def test_verify_py_asks_nothing_when_nobody_is_there(package):
    command = [sys.executable, "-I", "-S", str(package / "verify.py")]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3
    assert "Paste" not in done.stdout


def test_verify_py_prints_what_its_terminal_can_hold(package):
    (package / "caf\u00e9.txt").write_bytes(b"")
    command = [sys.executable, "-E", "-S", "-X", "utf8=0", str(package / "verify.py")]
    done = subprocess.run(
        command,
        env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"UNLISTED" in done.stdout


def test_the_single_file_is_python_3_8_and_imports_only_the_standard_library():
    tree = ast.parse(build_single_file(), feature_version=(3, 8))
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name.split(".")[0] for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module.split(".")[0] for node in top if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


def test_the_single_file_is_the_same_each_time():
    assert build_single_file() == build_single_file()


def test_a_golden_package_passes_without_any_key_but_says_so(tmp_path, capsys):
    folder = golden(tmp_path / "package").folder
    assert main([str(folder)]) == 3
    out = capsys.readouterr().out
    assert "Whose key signed this has not been checked" in out
    assert "Signed by example.org/custody/1+" in out


RECORDINGS = {
    "as signed": (MADE.footage, 0),
    "altered": (flipped(MADE.footage, MADE.spans[2][0] + 300), 1),
    "a line gone": (blanked(MADE, [3]), 1),
    "the end gone": (MADE.footage[: MADE.boxes[-1][0]], 1),
    "the last signature altered": (flipped(MADE.footage, MADE.boxes[-1][1] - 40), 1),
}


@pytest.mark.parametrize("version", ["3.8", "3.13"])
@pytest.mark.parametrize("how", RECORDINGS)
def test_what_a_camera_signed_is_checked_alike_with_and_without_openssl(
    sealed, tmp_path, capsys, version, how
):
    python = find_python(version)
    if python is None:
        pytest.skip(f"NO PYTHON {version} HERE: verify.py was not tried on it (set PLAINVIEW_PYTHONS)")
    data, code = RECORDINGS[how]
    footage = tmp_path / "footage.mp4"
    footage.write_bytes(data)
    arguments = ["--capture", str(footage), "--camera-key", MADE.public_key.hex()]
    done = run(python, sealed.folder, *arguments)
    assert done.returncode == main(arguments) == code, done.stderr
    assert done.stdout == capsys.readouterr().out
