import pytest

from plainview.verify.errors import NotAPackageError
from plainview.verify.receipt_file import check_receipt_file
from plainview.verify.report import format_report
from simulators.package_builder import TinyLog, footage, receive


@pytest.fixture
def kept(tmp_path):
    log = TinyLog()
    log.append("log.started", log.origin, {})
    data = footage(5, (1 << 20) + 5)
    original = receive(log, "R-26-00004217-I", data)
    (tmp_path / "receipt.json").write_bytes(log.receipt(original.received))
    (tmp_path / "file").write_bytes(data)
    return log, str(tmp_path / "receipt.json"), str(tmp_path / "file")


def test_a_receipt_alone_is_checked_and_shown(kept):
    log, receipt, _ = kept
    report = check_receipt_file(receipt, keys=[log.signer.key])
    assert [(result.path, result.verdict) for result in report.files] == [("receipt.json", "OK")]
    assert "recording.received R-26-00004217-I" in format_report(report)


def test_progress_is_told_for_the_file(kept):
    log, receipt, file = kept
    told = []
    keys = [log.signer.key]
    check_receipt_file(receipt, file, keys=keys, on_progress=lambda done, total: told.append((done, total)))
    size = (1 << 20) + 5
    assert told == [(1 << 20, size), (size, size)]


def test_a_link_that_a_person_names_is_followed(kept, tmp_path):
    log, receipt, file = kept
    (tmp_path / "link").symlink_to(file)
    report = check_receipt_file(receipt, str(tmp_path / "link"), keys=[log.signer.key])
    assert report.verdict.word == "OK"


@pytest.mark.parametrize("missing", ["receipt", "file"])
def test_what_is_not_there_cannot_be_checked(kept, tmp_path, missing):
    _, receipt, file = kept
    nothing = str(tmp_path / "nothing")
    with pytest.raises(NotAPackageError, match="No such file"):
        check_receipt_file(*((nothing, file) if missing == "receipt" else (receipt, nothing)))
