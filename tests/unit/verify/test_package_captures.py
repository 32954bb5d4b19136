import json

import pytest

from plainview.formats.capture import format_journal_box
from plainview.formats.package import LEAVES, LeafPlace, proof_path
from plainview.formats.proof import format_proof
from plainview.verify.capture_boxes import first_journal_box
from plainview.verify.package import check_package
from plainview.verify.report import format_report, format_report_json
from simulators.capture_attacks import MADE, flipped
from simulators.journals import SigningCamera, box
from simulators.package_builder import (
    RECORDING_A,
    RECORDING_B,
    BuiltPackage,
    TinyLog,
    footage,
    receive,
)

ADMITTED = {"camera": MADE.camera, "public_key": MADE.public_key.hex()}
SENTENCE = "Recorded by camera cam.example.org/SN42: 6 of 6 fragments as signed, closed"


def packed(folder, data, *camera_leaves):
    """Write a package of a recording with a journal and one without, and disclose these leaves about cameras."""
    log = TinyLog()
    log.append("log.started", log.origin, {})
    about = [log.append(act, "device:0123456789abcdef", facts) for act, facts in camera_leaves]
    originals = (receive(log, RECORDING_A, data), receive(log, RECORDING_B, footage(2, 1000)))
    package = BuiltPackage(folder, log, originals)
    for original in originals:
        package.write(original.path, original.data)
    package.write_proofs()
    package.write(
        LEAVES, b"".join(log.disclose(index) + b"\n" for index in about) + package.path(LEAVES).read_bytes()
    )
    for index in about:
        package.write(proof_path(LeafPlace(1, index)), format_proof(log.proof(index)).encode())
    package.rewrite_lists()
    package.export()
    return package


def checked(package):
    return check_package(str(package.folder), keys=[package.key])


def test_what_a_camera_signed_is_a_fact_beside_the_verdict(tmp_path):
    report = checked(packed(tmp_path / "p", MADE.footage, ("camera.admitted", ADMITTED)))
    assert report.verdict.word == "OK"
    (capture,) = report.captures
    assert (capture.sentence, capture.verdict, capture.is_key_vouched) == (SENTENCE, "OK", True)
    assert f"{capture.path}: {SENTENCE}\n" in format_report(report)
    assert json.loads(format_report_json(report))["captures"][0]["proven"] == 6


@pytest.mark.parametrize(
    "leaf",
    [
        ("log.started", {}),
        ("camera.admitted", {**ADMITTED, "public_key": SigningCamera(seed=9).public_key.hex()}),
        ("camera.admitted", {**ADMITTED, "camera": "cam.example.org/SN43"}),
        ("camera.admitted", {"camera": MADE.camera}),
        ("camera.admitted", {**ADMITTED, "public_key": "no key"}),
        ("camera.revoked", ADMITTED),
    ],
)
def test_a_key_that_no_leaf_admits_is_said_to_be_nobody_s(tmp_path, leaf):
    report = checked(packed(tmp_path / "p", MADE.footage, leaf))
    assert report.verdict.word == "OK"
    assert report.captures[0].sentence == SENTENCE + ", by a key nobody vouches for"
    assert (report.captures[0].verdict, report.captures[0].is_key_vouched) == ("SIGNER UNKNOWN", False)


def test_a_leaf_whose_proof_does_not_fit_admits_nobody(tmp_path):
    package = packed(tmp_path / "p", MADE.footage, ("camera.admitted", ADMITTED))
    package.flip(proof_path(LeafPlace(1, 1)), 40)
    assert not checked(package).captures[0].is_key_vouched


def test_a_revoked_key_is_said_to_be_one(tmp_path):
    leaves = (("camera.admitted", ADMITTED), ("camera.revoked", ADMITTED))
    (capture,) = checked(packed(tmp_path / "p", MADE.footage, *leaves)).captures
    assert capture.sentence == SENTENCE + ", by a key that was revoked 2026-03-15T12:00:02.000Z"


def test_footage_altered_before_it_was_received_is_ok_and_its_camera_tells(tmp_path):
    data = flipped(MADE.footage, MADE.spans[2][0] + 300)
    report = checked(packed(tmp_path / "p", data, ("camera.admitted", ADMITTED)))
    assert (report.verdict.word, report.captures[0].verdict) == ("OK", "ALTERED")
    assert "5 of 6 fragments as signed" in report.captures[0].sentence


def test_footage_altered_since_says_which_of_it_the_camera_still_vouches_for(tmp_path):
    package = packed(tmp_path / "p", MADE.footage, ("camera.admitted", ADMITTED))
    package.flip(package.originals[0].path, MADE.spans[2][0] + 300)
    report = checked(package)
    assert (report.verdict.word, report.captures[0].proven) == ("ALTERED", 5)


@pytest.mark.parametrize(
    "data",
    [
        format_journal_box(b"noise") + box(b"mdat", b"noise"),
        MADE.footage.replace(b"\\n\\n", b"\\n\\u"),
    ],
)
def test_a_journal_that_cannot_be_read_is_no_fact(tmp_path, data):
    assert checked(packed(tmp_path / "p", data, ("camera.admitted", ADMITTED))).captures == ()


def test_an_original_that_is_a_link_is_passed_over(tmp_path):
    package = packed(tmp_path / "p", MADE.footage, ("camera.admitted", ADMITTED))
    path = package.path(package.originals[0].path)
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    report = checked(package)
    assert (report.verdict.word, report.captures) == ("MISSING", ())


def test_an_original_that_cannot_be_opened_any_more_is_passed_over(tmp_path, monkeypatch):
    package = packed(tmp_path / "p", MADE.footage, ("camera.admitted", ADMITTED))

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("plainview.verify.package_captures.open_regular", refuse)
    assert checked(package).captures == ()


def test_only_the_first_boxes_are_asked_for_a_journal(tmp_path):
    line = format_journal_box(b"line")
    for data, found in (
        (box(b"ftyp", b"") + line + box(b"mdat", b""), b"line"),
        (box(b"free", b"") * 15 + line + box(b"mdat", b""), b"line"),
        (box(b"free", b"") * 16 + line + box(b"mdat", b""), None),
        (box(b"ftyp", b"") + box(b"mdat", b""), None),
        (b"noise", None),
        (b"", None),
    ):
        (tmp_path / "f").write_bytes(data)
        with (tmp_path / "f").open("rb") as file:
            assert first_journal_box(file) == found
