"""Whatever stands in a package's documents, the checker ends, raises nothing, and does not say OK."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.formats.note import format_vkey
from plainview.verify.package import check_package
from plainview.verify.report import format_report, format_report_json
from plainview.verify.single_file import build_single_file
from simulators.package_attacks import GOLDEN_KEY, golden
from simulators.package_builder import build_package

MEMORY_LIMIT_BYTES = 400 << 20


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_random_changes_to_any_document_are_never_ok(data):
    with tempfile.TemporaryDirectory() as scratch:
        built = golden(Path(scratch) / "package")
        names = [name for name in built.files() if not name.startswith("data/")]
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)):
            old = built.path(name).read_bytes()
            at = data.draw(st.integers(0, len(old)))
            cut = data.draw(st.integers(0, 40))
            new = old[:at] + data.draw(st.binary(max_size=40)) + old[at + cut :]
            built.write(name, new if new != old else old + b"x")
        for keys in ([GOLDEN_KEY], None):
            report = check_package(str(built.folder), keys=keys)
            assert report.verdict.exit_code == 1
            assert "\x1b" not in format_report(report)
            assert format_report_json(report).isascii()


def test_a_large_original_is_read_in_little_memory(tmp_path):
    built = build_package(tmp_path / "package", checker=build_single_file())
    original = next((tmp_path / "package/data/original").iterdir())
    with original.open("r+b") as file:
        file.truncate(1 << 30)

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))

    command = [sys.executable, "-I", "-S", str(built.folder / "verify.py"), "--key", format_vkey(built.key)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    assert f"{1 << 30} bytes long, received with" in done.stdout
