"""plainview models, as a person runs it: no database, no lock."""

import json

from simulators.program import plainview
from simulators.tiny_whisper import write_tiny_whisper


def test_a_model_is_installed_from_a_folder_listed_and_found_altered(tmp_path):
    source, data = write_tiny_whisper(tmp_path / "brought"), tmp_path / "data"
    done = plainview("models", "list", data=data)
    assert (done.returncode, done.stdout) == (0, "")
    assert "search hints" in done.stderr
    done = plainview("models", "install", "--from", source, "--model", "micro", "--json", data=data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "micro"
    assert [path.name for path in data.iterdir()] == ["models"]
    done = plainview("models", "list", data=data)
    assert (done.returncode, done.stdout) == (0, "micro  17 MB  folder brought\n")
    assert "the model micro" in done.stderr
    with (data / "models" / "micro" / "model.bin").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\xaa" * 8)
    done = plainview("models", "list", data=data)
    assert done.returncode == 1
    assert "model.bin is not what was installed" in done.stderr


def test_a_folder_without_a_model_is_refused_in_a_sentence(tmp_path):
    done = plainview("models", "install", "--from", tmp_path, data=tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr.startswith("plainview: ")
    assert "Nothing was installed" in done.stderr
