"""plainview camera, where it takes no time."""

from plainview.cli.camera import run


def test_a_camera_is_made_in_folders_named_from_here_and_says_its_fingerprint(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folders = ["--home", "new/home", "--storage", "card"]
    assert run(["init", *folders, "--name", "cam.example.org/SN42"]) == 0
    made = capsys.readouterr().out
    assert run(["status", *folders]) == 0
    fingerprint = made.partition("key: ")[2].splitlines()[0]
    assert len(fingerprint.split()) == 8
    assert f"Fingerprint of its key: {fingerprint}" in capsys.readouterr().out
