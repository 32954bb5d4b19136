"""What the numbered attacks leave out: packages their own maker got wrong, and files that cannot be read."""

from dataclasses import replace
from hashlib import sha256

import pytest

from plainview.formats.chunks import CHUNK_BYTES, ChunkTimes, format_chunk_times
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
    parse_package,
    proof_path,
)
from plainview.verify.errors import NotAPackageError
from plainview.verify.package import check_package
from simulators.package_builder import (
    RECORDING_A,
    Signer,
    TinyLog,
    build_package,
    chunk_list,
    receive,
)

A = f"data/original/2026-03-14_2352_{RECORDING_A}.mp4"


@pytest.fixture
def built(tmp_path):
    return build_package(tmp_path / "package", big_bytes=2 * CHUNK_BYTES + 10)


def check(built, **options):
    report = check_package(str(built.folder), **{"keys": [built.key], **options})
    return {result.path: result for result in report.files}


def verdict(built, path, **options):
    found = check(built, **options)[path]
    return found.verdict, found.reason


def reseal(built):
    built.write_manifests()
    built.write_package_json()
    built.export()


def export_bytes(built, data, *, name=None):
    """Have the log prove these bytes as package.json."""
    built.write(PACKAGE_JSON, data)
    facts = {"package_sha256": sha256(data).hexdigest()}
    index = built.log.append("package.exported", name or f"package:{built.package}", facts)
    built.write(PACKAGE_RECEIPT, built.log.receipt(index))


def test_a_folder_with_nothing_of_a_package_is_none(tmp_path):
    with pytest.raises(NotAPackageError, match=r"no package\.json"):
        check_package(str(tmp_path))


def test_a_receipt_larger_than_any_receipt_is_not_read(built):
    built.write(PACKAGE_RECEIPT, b" " * 1_200_001)
    assert verdict(built, PACKAGE_RECEIPT) == ("UNPROVEN", "expected at most 1200000 bytes, and it goes on")


def test_a_package_json_that_is_proved_but_malformed_is_unproven(built):
    export_bytes(built, b"{}")
    found = check(built)
    assert found[PACKAGE_JSON].verdict == "UNPROVEN"
    assert found[MANIFEST].reason == "package.json, which names it, cannot be read"
    # The original is still found, by the identifier in its name.
    assert (found[A].verdict, found[A].recording) == ("OK", RECORDING_A)


def test_without_package_json_an_original_under_another_name_is_unproven(built):
    other = A.replace(RECORDING_A, "R-26-00000009-X")
    built.path(A).rename(built.path(other))
    built.write_manifests()
    built.path(PACKAGE_JSON).unlink()
    assert verdict(built, other)[0] == "UNPROVEN"


def test_a_leaf_that_exports_another_package_does_not_prove_this_one(built):
    export_bytes(built, built.path(PACKAGE_JSON).read_bytes(), name="package:" + "f" * 32)
    assert verdict(built, PACKAGE_JSON)[0] == "UNPROVEN"


def test_a_package_that_names_another_log_than_the_one_that_signed_is_unproven(built):
    built.write_package_json(origin="other.example/custody/1")
    export_bytes(built, built.path(PACKAGE_JSON).read_bytes())
    assert verdict(built, PACKAGE_JSON) == (
        "UNPROVEN",
        "it names the log other.example/custody/1, and another one signed",
    )


@pytest.mark.parametrize(
    ("name", "line"), [(MANIFEST, "custody.csv"), (TAGMANIFEST, A), (TAGMANIFEST, "package.json")]
)
def test_a_manifest_that_lists_what_is_not_its_to_list_counts_for_nothing(built, name, line):
    lines = [*built.path(name).read_text().splitlines(), f"{'0' * 64}  {line}"]
    built.write(name, ("\n".join(sorted(lines, key=lambda each: each[66:])) + "\n").encode())
    built.write_package_json()
    built.export()
    assert verdict(built, name) == ("UNPROVEN", f"it lists {line}, which is not its to list")


def test_a_failed_export_is_no_proof(built):
    data = built.path(PACKAGE_JSON).read_bytes()
    index = built.log.append(
        "package.exported",
        f"package:{built.package}",
        {"package_sha256": sha256(data).hexdigest()},
        outcome="error",
    )
    built.write(PACKAGE_RECEIPT, built.log.receipt(index))
    assert verdict(built, PACKAGE_RECEIPT)[0] == "UNPROVEN"


@pytest.mark.parametrize("data", [b"\xff", b"nonsense", b""])
def test_a_malformed_policy_proves_nothing_to_whoever_has_no_key(built, data):
    built.write(POLICY, data)
    reseal(built)
    assert verdict(built, POLICY)[0] == "UNPROVEN"
    assert verdict(built, A)[0] == "OK"
    assert verdict(built, A, keys=None)[0] == "UNPROVEN"


def test_progress_ends_at_all_bytes(built):
    told = []
    check(built, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_file_that_changes_while_it_is_read_is_not_judged(built):
    def meddle(done, _total):
        if done == CHUNK_BYTES:
            with built.path(A).open("ab") as file:
                file.write(b"more")

    assert verdict(built, A, on_progress=meddle) == (
        "UNPROVEN",
        "it changed while it was being read; check again",
    )


def test_leaves_of_other_acts_are_checked_too(built):
    built.write(LEAVES, built.log.disclose(0) + b"\n" + built.path(LEAVES).read_bytes())
    reseal(built)
    assert verdict(built, LEAVES) == (
        "UNPROVEN",
        f"leaf 0: its proof, {proof_path(LeafPlace(1, 0))}, is MISSING",
    )


@pytest.mark.parametrize("data", [b"\xff", b"nonsense", b"", b" " * 1_000_001])
def test_a_malformed_proof_proves_nothing(built, data):
    built.write(proof_path(LeafPlace(1, 1)), data)
    reseal(built)
    assert verdict(built, A)[0] == verdict(built, proof_path(LeafPlace(1, 1)))[0] == "UNPROVEN"


def test_a_last_line_without_its_end_is_noticed(built):
    built.write(LEAVES, built.path(LEAVES).read_bytes()[:-1])
    reseal(built)
    assert verdict(built, LEAVES) == ("UNPROVEN", "its last line is cut short")


def reprobe(built, table, facts=None, **leaf):
    """Write another table of seconds, with a leaf that commits to it."""
    original = built.originals[0]
    known = {"chunk_times_sha256": sha256(table).hexdigest(), "sha256": original.sha256}
    act, obj = leaf.get("act", "recording.probed"), leaf.get("obj", original.recording)
    index = built.log.append(act, obj, known if facts is None else facts)
    built.originals = (replace(original, probed=index, times=table), built.originals[1])
    built.seal()
    return chunk_times_path(original.recording, original.sha256)


def spans(count):
    return format_chunk_times(ChunkTimes(tuple((1000 * at, 1000 * at + 999) for at in range(count))))


def test_a_table_with_another_number_of_chunks_is_unproven(built):
    assert "chunks do not make" in verdict(built, reprobe(built, spans(9)))[1]


def test_a_table_of_another_original_is_unproven(built):
    table = spans(3)
    facts = {"chunk_times_sha256": sha256(table).hexdigest(), "sha256": "0" * 64}
    assert "another original" in verdict(built, reprobe(built, table, facts))[1]


def test_a_table_of_another_act_is_unproven(built):
    assert (
        "tells of recording.received" in verdict(built, reprobe(built, spans(3), act="recording.received"))[1]
    )


def test_a_table_no_leaf_speaks_for_is_unproven(built):
    original = built.originals[0]
    built.originals = (replace(original, probed=None), built.originals[1])
    built.seal()
    assert "no leaf" in verdict(built, chunk_times_path(original.recording, original.sha256))[1]


@pytest.mark.parametrize("make_path", [chunks_path, chunk_times_path])
def test_a_malformed_table_is_unproven_and_costs_only_the_place(built, make_path):
    original = built.originals[0]
    path = make_path(original.recording, original.sha256)
    data = b"{}"
    built.write(path, data)
    if make_path is chunk_times_path:
        index = built.log.append(
            "recording.probed", original.recording, {"chunk_times_sha256": sha256(data).hexdigest()}
        )
        built.originals = (replace(original, probed=index, times=data), built.originals[1])
        built.seal()
    else:
        reseal(built)
    built.flip(A)
    found = check(built)
    assert found[path].verdict == "UNPROVEN"
    assert found[A].verdict == "ALTERED"
    assert all(part.first_ms is None for part in found[A].altered)


@pytest.mark.parametrize("facts", [{}, {"sha256": "x", "size_bytes": 1, "chunk_root": "0" * 64}])
def test_a_received_leaf_without_its_facts_proves_nothing(built, facts):
    index = built.log.append("recording.received", RECORDING_A, facts)
    built.originals = (replace(built.originals[0], received=index), built.originals[1])
    built.seal()
    assert verdict(built, A)[0] == "UNPROVEN"


def test_an_original_proved_by_a_log_whose_key_was_not_given_has_an_unknown_signer(built, tmp_path):
    # After a disaster a new log goes on; what the old one received is proved by the old key.
    old = TinyLog(Signer("example.org/custody/0", 3))
    old.append("log.started", old.origin, {})
    original = receive(old, RECORDING_A, built.originals[0].data)
    built.originals = (original, built.originals[1])
    built.seal()
    from plainview.formats.policy import TrustPolicy, format_policy
    from plainview.formats.proof import format_proof

    lines = built.path(LEAVES).read_bytes().split(b"\n")
    built.write(LEAVES, b"\n".join([old.disclose(1), old.disclose(2), *lines[2:]]))
    for index in (1, 2):
        built.write(proof_path(LeafPlace(1, index)), format_proof(old.proof(index)).encode())
    built.write(POLICY, format_policy(TrustPolicy((built.key, old.signer.key))).encode())
    reseal(built)
    assert verdict(built, A)[0] == "SIGNER UNKNOWN"
    assert verdict(built, A, keys=[built.key, old.signer.key])[0] == "OK"


def test_altered_chunks_are_named_with_their_seconds(tmp_path):
    built = build_package(tmp_path / "package", big_bytes=5 * CHUNK_BYTES)
    data = bytearray(built.path(A).read_bytes())
    for at in (0, 3, 4):
        data[at * CHUNK_BYTES] ^= 1
    built.write(A, bytes(data))
    found = check(built)[A]
    assert found.reason == "in MiB 1 (0:00.000 to 0:04.020), MiB 4 to 5 (0:11.980 to 0:20.100)"
    assert [(part.first_mib, part.last_mib) for part in found.altered] == [(1, 1), (4, 5)]


def test_a_cut_original_is_named_with_both_sizes(built):
    built.write(A, built.path(A).read_bytes()[:CHUNK_BYTES])
    assert verdict(built, A)[1].endswith("; 1048576 bytes long, received with 2097162")


def test_the_package_in_the_report_is_doubted_when_package_json_is(built):
    built.write_package_json(recipient="A newspaper")
    report = check_package(str(built.folder), keys=[built.key])
    assert report.package == parse_package(built.path(PACKAGE_JSON).read_bytes())
    from plainview.verify.report import format_report

    assert "(so says package.json, which is ALTERED)" in format_report(report)


def test_the_chunk_list_of_the_golden_package_is_the_originals(built):
    assert chunk_list(built.originals[0].data).root().hex() in built.path(LEAVES).read_text()


def test_an_original_that_neither_a_leaf_nor_the_manifest_speaks_for_is_unproven(built):
    lines = built.path(MANIFEST).read_bytes().splitlines(keepends=True)
    built.write(MANIFEST, b"".join(line for line in lines if A.encode() not in line))
    built.path(LEAVES).unlink()
    found = check(built)[A]
    assert (found.verdict, found.recording) == ("UNPROVEN", None)
    assert "which should say what was received" in found.reason
