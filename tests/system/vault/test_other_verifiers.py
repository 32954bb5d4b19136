"""Verifiers that others wrote agree with us on our log, and on every way to tamper with it."""

import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plainview.formats.capture import journal_key, journal_origin, parse_journal_line
from plainview.formats.fields import encode_base64
from plainview.formats.merkle import leaf_hash
from plainview.formats.note import format_vkey, parse_note
from plainview.formats.tiles import entries_path, pack_entries, pack_tile, tile_path, unpack_entries
from plainview.vault.audit import audit_log
from simulators import go_checker
from simulators.custody_logs import KEY, ORIGIN, LogUnderTest, flip, key_of, leaf, leaves, replace_file
from simulators.journals import SigningCamera

SIZE = 66_000  # three levels of tiles: 257 full ones and one of 208, 1.p/1 above them, 2.p/1 above those

pytestmark = pytest.mark.slow
needs_go = pytest.mark.skipif(go_checker.why_not() is not None, reason=go_checker.why_not() or "")
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="SKIPPED: no openssl; on Debian: apt-get install openssl"
)


@pytest.fixture(scope="session")
def checker(tmp_path_factory):
    return go_checker.build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="session")
def vkey_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("vkey") / "log.vkey"
    path.write_text(format_vkey(KEY) + "\n")
    return path


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    log = LogUnderTest(tmp_path_factory.mktemp("large"))
    log.append(leaves(0, 300))
    log.append(leaves(300, SIZE))
    return log


@pytest.fixture
def small(tmp_path):
    log = LogUnderTest(tmp_path)
    log.append(leaves(0, 600))
    return log


@needs_go
def test_go_agrees_with_a_log_of_three_levels(large, checker, vkey_file):
    status, said = go_checker.check(checker, large.root, vkey_file)
    assert (status, said.split()[:4]) == (0, ["OK", str(SIZE), "entries,", "261"])
    assert encode_base64(large.log.root_at(SIZE)) in said


@needs_go
@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1000])
def test_go_agrees_with_a_log_of_any_size(tmp_path, checker, vkey_file, size):
    log = LogUnderTest(tmp_path)
    for start in range(0, size, 300):
        log.append(leaves(start, min(size, start + 300)))
    assert go_checker.check(checker, log.root, vkey_file)[0] == 0


@needs_go
@pytest.mark.parametrize("old", [1, 255, 256, 300, SIZE])
def test_go_agrees_that_the_log_continues_each_older_checkpoint(large, checker, vkey_file, old):
    root = encode_base64(large.log.root_at(old))
    assert go_checker.check(checker, large.root, vkey_file, str(old), root)[0] == 0


@needs_go
def test_go_and_we_refuse_a_checkpoint_that_the_log_does_not_continue(large, checker, vkey_file):
    wrong = encode_base64(large.log.root_at(299))
    status, said = go_checker.check(checker, large.root, vkey_file, "300", wrong)
    assert (status, "does not continue 300 entries" in said) == (1, True)


def test_our_audit_agrees_on_a_log_of_three_levels_with_two_processes(large):
    told = []
    report = audit_log(large.root, keys=[KEY], on_progress=lambda *done: told.append(done), workers=2)
    assert (report.is_sound, report.entries, report.notices) == (True, SIZE, ())
    assert told[-1] == (SIZE, SIZE)


# Every way to tamper: the file that is touched, and how.

TILES = {
    "level 0, full": "tile/0/100",
    "level 0, unfinished": "tile/0/257.p/208",
    "level 1, full": "tile/1/000",
    "level 1, unfinished": "tile/1/001.p/1",
    "level 2": "tile/2/000.p/1",
    "entries, full": "tile/entries/100",
    "entries, unfinished": "tile/entries/257.p/208",
}


@pytest.fixture
def tampered(large):
    """Hand out a function that alters one file of the large log, and put the file back afterwards."""
    kept = {}

    def alter(path, how):
        file = large.root / path
        kept[file] = file.read_bytes()
        how(file)
        return large.root

    yield alter
    for file, data in kept.items():
        replace_file(file, data) if file.exists() else file.write_bytes(data)


@needs_go
@pytest.mark.parametrize("path", TILES.values(), ids=TILES.keys())
@pytest.mark.parametrize("how", [flip, lambda file: file.unlink()], ids=["a bit flipped", "gone"])
def test_a_tile_or_bundle_tampered_with_is_refused_by_go_and_named_by_us(
    tampered, checker, vkey_file, path, how
):
    root = tampered(path, how)
    assert go_checker.check(checker, root, vkey_file)[0] == 1
    assert [finding.path for finding in audit_log(root, keys=[KEY]).findings] == [path]


def bumped_size(file):
    replace_file(file, file.read_bytes().replace(f"\n{SIZE}\n".encode(), f"\n{SIZE - 1}\n".encode()))


def other_root(file):
    lines = file.read_bytes().split(b"\n")
    lines[2] = encode_base64(b"r" * 32).encode()
    replace_file(file, b"\n".join(lines))


def other_signature(file):
    data = bytearray(file.read_bytes())
    data[-20] = ord("A") if data[-20] != ord("A") else ord("B")
    replace_file(file, bytes(data))


def other_origin(file):
    replace_file(file, file.read_bytes().replace(ORIGIN.encode(), b"records.example/custody/2"))


def no_signature(file):
    replace_file(file, file.read_bytes().split(b"\n\n")[0] + b"\n\n")


@needs_go
@pytest.mark.parametrize("how", [bumped_size, other_root, other_signature, other_origin, no_signature, flip])
def test_a_checkpoint_tampered_with_is_refused_by_go_and_by_us(tampered, checker, vkey_file, how):
    root = tampered("checkpoint", how)
    assert go_checker.check(checker, root, vkey_file)[0] == 1
    assert [finding.path for finding in audit_log(root, keys=[KEY]).findings] == ["checkpoint"]


@needs_go
@pytest.mark.parametrize(
    "key", [key_of(b"other")[1], key_of(b"other", "other.example/custody/1")[1]], ids=["key", "name and key"]
)
def test_another_key_is_refused_by_go_and_by_us(small, checker, tmp_path, key):
    other = tmp_path / "other.vkey"
    other.write_text(format_vkey(key))
    assert go_checker.check(checker, small.root, other)[0] == 1
    assert not audit_log(small.root, keys=[key]).is_sound


@needs_go
def test_an_entry_replaced_by_a_plausible_one_is_refused_by_go_and_named_by_us(small, checker, vkey_file):
    bundle = small.root / "tile/entries/001"
    entries = unpack_entries(bundle.read_bytes(), width=256)
    entries[44] = leaf(300, object_id="R-26-99999999-K")
    replace_file(bundle, pack_entries(entries))
    assert go_checker.check(checker, small.root, vkey_file)[0] == 1
    (finding,) = audit_log(small.root, keys=[KEY]).findings
    assert (finding.path, finding.problem) == ("tile/entries/001", "altered: entry 300")


@needs_go
def test_entries_that_changed_places_are_refused_by_go_and_by_us(small, checker, vkey_file):
    bundle = small.root / "tile/entries/000"
    entries = unpack_entries(bundle.read_bytes(), width=256)
    entries[3], entries[4] = entries[4], entries[3]
    replace_file(bundle, pack_entries(entries))
    assert go_checker.check(checker, small.root, vkey_file)[0] == 1
    assert {finding.path for finding in audit_log(small.root, keys=[KEY]).findings} == {"tile/entries/000"}


@needs_openssl
@pytest.mark.parametrize("altered", [False, True])
def test_openssl_checks_the_signature_on_the_note_s_text(small, tmp_path, altered):
    note = parse_note((small.root / "checkpoint").read_text())
    public = Ed25519PublicKey.from_public_bytes(KEY.public_key)
    (tmp_path / "key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "text").write_text(note.text.replace("600", "601") if altered else note.text)
    (tmp_path / "signature").write_bytes(note.signatures[0].signature)
    done = subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-verify",
            "-rawin",
            "-pubin",
            "-inkey",
            "key.pem",
            "-in",
            "text",
            "-sigfile",
            "signature",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is not altered
    assert ("Signature Verified Successfully" in done.stdout) is not altered


@pytest.fixture
def journal(tmp_path):
    """Lay a camera's journal out as the log that it is, and return its folder and the file of its key."""
    made = SigningCamera().record(fragments=40, events=((3, "marker"),))
    lines = [parse_journal_line(line) for line in made.lines]
    entries, root = [line.entry for line in lines], tmp_path / "journal"
    files = {
        tile_path(level=0, number=0, width=len(entries)): pack_tile([leaf_hash(entry) for entry in entries]),
        entries_path(number=0, width=len(entries)): pack_entries(entries),
        "checkpoint": lines[-1].proof.note.encode(),
    }
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    key = journal_key(journal_origin(made.camera, made.stream), made.public_key)
    (tmp_path / "camera.vkey").write_text(format_vkey(key) + "\n")
    return root, tmp_path / "camera.vkey", lines


@needs_go
def test_go_agrees_with_a_journal_and_each_of_its_lines(journal, checker):
    root, vkey_file, lines = journal
    assert go_checker.check(checker, root, vkey_file)[0] == 0
    for line in lines[::13]:
        size, old_root = parse_note(line.proof.note).text.split("\n")[1:3]
        assert go_checker.check(checker, root, vkey_file, size, old_root)[0] == 0


@needs_go
def test_go_refuses_a_journal_that_was_altered(journal, checker):
    root, vkey_file, lines = journal
    bundle = root / entries_path(number=0, width=len(lines))
    bundle.write_bytes(bundle.read_bytes().replace(b'"duration_ms":2000', b'"duration_ms":2001', 1))
    status, said = go_checker.check(checker, root, vkey_file)
    assert (status, "the entries have root" in said) == (1, True)
