"""A camera, a dock and a real department's server, each the real program's own code: from the press to the erased card."""

import io
import json
import sys

import pytest

from plainview.cli import dock as command
from plainview.formats.camera_orders import CameraRequest, format_camera_request
from plainview.formats.note import ED25519, NoteSignature, SignedNote, VerifierKey, format_note
from simulators.camera_http import CameraStorage
from simulators.journals import SigningCamera
from simulators.program import leaves, plainview
from simulators.sealed_files import sealed_footage, sealed_journal
from simulators.servers import serving

pytestmark = pytest.mark.slow


def signed_request(camera):
    key = VerifierKey(camera.camera, ED25519, camera.public_key)
    request = CameraRequest(camera.camera, "Example", "One", "SN42", camera.public_key, camera.now)
    text = format_camera_request(request)
    signature = NoteSignature(key.name, key.key_id, camera.private.sign(text.encode()))
    return format_note(SignedNote(text, (signature,)))


def dock(*arguments, capsys):
    capsys.readouterr()
    status = command.run([str(each) for each in arguments])
    return status, capsys.readouterr().out


def test_what_a_camera_recorded_is_in_the_vault_and_gone_from_the_card(tmp_path, capsys, monkeypatch):
    data, home, camera = tmp_path / "data", tmp_path / "dock", SigningCamera()
    added = plainview("docks", "add", "North", "--json", data=data)
    assert added.returncode == 0, added.stderr
    token = json.loads(added.stdout)["token"]
    storage = CameraStorage(tmp_path / "card", make="Example", model="One")
    (storage.folder / "request.note").write_text(signed_request(camera))
    with serving(data) as server:
        monkeypatch.setattr(sys, "stdin", io.StringIO(token + "\n"))
        status, said = dock("init", "--home", home, "--server", server.address, "--token", "-", capsys=capsys)
        assert (status, "This is dock North." in said) == (0, True)
        assert plainview("keys", data=data).stdout.strip() in said
        connection = command.read_setting(home).connect()
        seal_to = connection.hello().seal_to
        connection.close()
        for purpose in ("recording", "shift"):
            _put_on_card(
                storage, camera.record(fragments=4, purpose=purpose, fragment_bytes=400_000), seal_to
            )
        before = storage.sealed()
        status, said = dock("once", storage.folder, "--home", home, "--json", capsys=capsys)
    bay = json.loads(said)
    assert (status, bay["is_safe"], bay["problems"]) == (0, True, [])
    assert storage.streams() == []
    assert len(before) == 3
    sent = {leaf["facts"].get("sent_sha256") for leaf in leaves(data)}
    assert before.keys() <= sent


def _put_on_card(storage, recording, seal_to):
    place = storage.folder / "streams" / recording.stream
    place.mkdir()
    if recording.footage:
        (place / "footage.sealed").write_bytes(sealed_footage(recording, seal_to=seal_to))
    (place / "journal.sealed").write_bytes(sealed_journal(recording, seal_to=seal_to))
