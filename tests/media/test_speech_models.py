"""Speech models: what is taken for one, and that it lies in the data directory whole or not at all."""

import json

import pytest

from plainview.media.errors import ModelError, NotAModelError
from plainview.media.speech_models import (
    MANIFEST,
    check_model,
    describe_model,
    format_manifest,
    installed_models,
    read_manifest,
)
from plainview.pipeline.model_install import MODELS, ModelNotInstalledError, download_model, install_model

FILES = {
    "config.json": b"{}",
    "model.bin": b"\x06\0\0\0\x0c\0WhisperSpec\0" + bytes(100),
    "tokenizer.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "brought"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    (folder / "README.md").write_text("not part of it")
    return folder


def test_a_model_is_copied_with_what_it_needs_and_nothing_else(source, tmp_path):
    manifest = install_model(tmp_path / "data", source, name="small")
    target = tmp_path / "data" / MODELS / "small"
    assert {path.name for path in target.iterdir()} == {*FILES, MANIFEST}
    assert all((target / name).read_bytes() == data for name, data in FILES.items())
    assert check_model(target) == read_manifest(target) == manifest
    assert manifest.size_bytes == sum(map(len, FILES.values()))
    assert manifest.source == "folder brought"
    assert installed_models(tmp_path / "data" / MODELS) == [target]


def test_the_same_model_again_changes_nothing_and_another_is_refused(source, tmp_path):
    first = install_model(tmp_path / "data", source, name="small")
    assert install_model(tmp_path / "data", source, name="small") == first
    (source / "config.json").write_bytes(b'{"a": 1}')
    with pytest.raises(ModelNotInstalledError, match="Another model called small"):
        install_model(tmp_path / "data", source, name="small")
    assert check_model(tmp_path / "data" / MODELS / "small") == first


@pytest.mark.parametrize("missing", ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"])
def test_a_folder_that_lacks_something_is_no_model(missing, source, tmp_path):
    (source / missing).unlink()
    with pytest.raises(NotAModelError, match=missing):
        install_model(tmp_path / "data", source, name="small")
    assert not (tmp_path / "data").exists()


def test_weights_of_another_kind_are_no_model(source, tmp_path):
    (source / "model.bin").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(NotAModelError, match="not of a Whisper model"):
        install_model(tmp_path / "data", source, name="small")


@pytest.mark.parametrize("name", ["", "..", "../keys", ".hidden", "a/b", "a\n", "x" * 101])
def test_a_name_that_leads_elsewhere_is_refused(name, source, tmp_path):
    with pytest.raises(NotAModelError, match="name"):
        install_model(tmp_path / "data", source, name=name)
    with pytest.raises(NotAModelError, match="name"):
        download_model(tmp_path / "data", name=name, fetch=lambda *_: source)


def test_an_install_that_breaks_leaves_nothing(source, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space"):
        install_model(tmp_path / "data", source, name="small")
    assert list((tmp_path / "data" / MODELS).iterdir()) == []


def test_a_copy_that_is_not_what_was_read_is_not_installed(source, tmp_path, monkeypatch):
    def lie(_, target):
        target.write_bytes(FILES["model.bin"] + b"x")

    monkeypatch.setattr("shutil.copyfile", lie)
    with pytest.raises(ModelNotInstalledError, match="not what was read"):
        install_model(tmp_path / "data", source, name="small")
    assert list((tmp_path / "data" / MODELS).iterdir()) == []


@pytest.fixture
def installed(source, tmp_path):
    install_model(tmp_path / "data", source, name="small")
    return tmp_path / "data" / MODELS / "small"


def test_one_altered_byte_is_found_by_reading_everything(installed):
    data = bytearray(FILES["model.bin"])
    data[50] ^= 1
    (installed / "model.bin").write_bytes(data)
    read_manifest(installed)
    with pytest.raises(ModelError, match=r"model\.bin is not what was installed"):
        check_model(installed)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.update(v=2),
        lambda fields: fields.update(name="large"),
        lambda fields: fields.update(source="a\nb"),
        lambda fields: fields.update(files={}),
        lambda fields: fields.update(files=fields["files"][:1]),
        lambda fields: fields["files"][0].update(name="../../keys"),
        lambda fields: fields["files"][0].update(sha256="00"),
        lambda fields: fields["files"][0].update(size_bytes=-1),
    ],
)
def test_a_manifest_that_would_not_have_been_written_is_refused(change, installed):
    fields = json.loads((installed / MANIFEST).read_bytes())
    change(fields)
    (installed / MANIFEST).write_text(json.dumps(fields))
    with pytest.raises(ModelError, match="small"):
        read_manifest(installed)


@pytest.mark.parametrize("data", [b"", b"{", b"[]"])
def test_a_manifest_that_is_none_is_refused(data, installed):
    (installed / MANIFEST).write_bytes(data)
    with pytest.raises(ModelError):
        read_manifest(installed)
    (installed / MANIFEST).unlink()
    with pytest.raises(ModelError):
        read_manifest(installed)


def test_a_manifest_is_the_same_bytes_each_time(installed):
    assert format_manifest(read_manifest(installed)) == (installed / MANIFEST).read_bytes()


def test_the_digest_of_a_model_is_that_of_its_list_of_files(source):
    plain = describe_model(source, name="small", source="here")
    (source / "tokenizer.json").write_bytes(b"[]")
    assert describe_model(source, name="small", source="here").sha256 != plain.sha256
    assert describe_model(source, name="large", source="there").sha256 != plain.sha256


# --- fetched


def test_a_fetched_model_is_installed_with_its_revision_and_not_fetched_twice(source, tmp_path):
    asked = []

    def fetch(name, folder):
        asked.append(name)
        return source.rename(folder / "0123abcd")

    first = download_model(tmp_path / "data", name="small", fetch=fetch)
    assert first.source == "downloaded, revision 0123abcd"
    assert download_model(tmp_path / "data", name="small", fetch=fetch) == first
    assert asked == ["small"]
    assert [path.name for path in (tmp_path / "data" / MODELS).iterdir()] == ["small"]


def test_a_model_that_nobody_knows_is_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(ModelNotInstalledError, match="large-v3"):
        download_model(tmp_path / "data", name="nonesuch")


def test_without_a_network_it_says_what_else_can_be_done(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotInstalledError, match="--from FOLDER"):
        download_model(tmp_path / "data", name="tiny")
    assert list((tmp_path / "data" / MODELS).iterdir()) == []
