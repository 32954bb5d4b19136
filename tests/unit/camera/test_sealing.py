"""Sealed files: nobody but the vault opens a piece, and nothing is appended behind a failure."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from plainview.camera import sealing
from plainview.camera.sealing import PieceCipher, SealedFor, SealedWriter
from plainview.formats.errors import FormatError
from plainview.formats.sealed_file import parse_sealed_header, sealed_header_bytes
from simulators.opened_files import open_pieces
from simulators.power_cuts import NAME, VAULT, FailingDisk, read_whole

OWNER = SealedFor(NAME, "000001-9f2c41aa", 1, "recording", VAULT.public_key().public_bytes_raw())
PATH = "/disk/footage.sealed"


def written(disk, pieces):
    writer = SealedWriter(disk, PATH, PieceCipher("footage", OWNER))
    for piece in pieces:
        writer.append(writer.seal(piece))
    return writer


def test_the_vault_opens_every_piece():
    disk = FailingDisk()
    written(disk, [b"init", b"", b"fragment"]).close()
    assert open_pieces(read_whole(disk, PATH), VAULT) == [b"init", b"", b"fragment"]


def test_another_key_opens_nothing():
    disk = FailingDisk()
    written(disk, [b"init"]).close()
    assert open_pieces(read_whole(disk, PATH), X25519PrivateKey.generate()) == []


def test_the_header_says_whose_it_is_and_nothing_of_what_is_in_it():
    data = PieceCipher("footage", OWNER).header
    header = parse_sealed_header(data)
    assert len(data) == sealed_header_bytes(data)
    assert (header.camera, header.stream, header.counter, header.purpose) == (
        NAME,
        OWNER.stream,
        1,
        "recording",
    )


def test_pieces_do_not_open_behind_an_altered_header():
    disk = FailingDisk()
    written(disk, [b"init"]).close()
    moved = read_whole(disk, PATH).replace(b'"counter":1', b'"counter":2')
    assert open_pieces(moved, VAULT) == []


def test_two_pieces_of_the_same_bytes_are_sealed_differently():
    cipher = PieceCipher("footage", OWNER)
    assert cipher.seal(b"same").data != cipher.seal(b"same").data


def test_what_is_signed_is_the_piece_without_its_length():
    piece = PieceCipher("footage", OWNER).seal(b"data")
    assert piece.sealed_sha256 == sealing.sha256(piece.data[4:]).hexdigest()
    assert piece.sha256 == sealing.sha256(b"data").hexdigest()


def test_a_piece_longer_than_readers_take_is_refused_and_takes_no_number(monkeypatch):
    monkeypatch.setattr(sealing, "PIECE_LIMIT_BYTES", 1000)
    disk = FailingDisk()
    writer = written(disk, [b"first"])
    with pytest.raises(FormatError, match="below 1000"):
        writer.seal(bytes(985))
    writer.append(writer.seal(bytes(984)))
    assert open_pieces(read_whole(disk, PATH), VAULT) == [b"first", bytes(984)]


def test_after_a_failed_write_nothing_is_appended_and_what_was_whole_still_opens():
    disk = FailingDisk()
    writer = written(disk, [b"first", b"second"])
    disk.fail_at = disk.calls + 2
    with pytest.raises(OSError, match="error"):
        writer.append(writer.seal(bytes(1000)))
    disk.fail_at = None
    with pytest.raises(OSError, match="error"):
        writer.append(writer.seal(b"fourth"))
    assert open_pieces(read_whole(disk, PATH), VAULT) == [b"first", b"second"]


def test_after_a_failed_sync_nothing_is_appended():
    disk = FailingDisk()
    writer = written(disk, [b"first"])
    disk.fail_at = disk.calls + 1
    with pytest.raises(OSError, match="error"):
        writer.sync()
    with pytest.raises(OSError, match="error"):
        writer.append(writer.seal(b"second"))


def test_a_file_whose_header_cannot_be_written_is_closed():
    disk = FailingDisk()
    disk.fail_at = 2
    with pytest.raises(OSError, match="error"):
        SealedWriter(disk, PATH, PieceCipher("footage", OWNER))
    assert not disk._open
