"""Which paths a folder offers."""

import pytest

from plainview.pipeline.intake import files_below


@pytest.fixture
def card(tmp_path):
    for name in ("b.mp4", "a.mp4", "DCIM/2.mp4", "DCIM/10.mp4", "data/keys/master.key"):
        (tmp_path / "card" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "card" / name).touch()
    (tmp_path / "card" / "MISC").mkdir()
    return tmp_path / "card"


def offered(path, *, data):
    return [found.relative_to(path).as_posix() for found in files_below(path, data=data)]


def test_a_folder_offers_everything_below_it_by_name(card):
    assert offered(card, data=card / "nowhere") == [
        "a.mp4", "b.mp4", "DCIM/10.mp4", "DCIM/2.mp4", "data/keys/master.key",
    ]  # fmt: skip


def test_the_data_directory_is_offered_as_one_and_not_entered(card):
    assert offered(card, data=card / "data") == ["a.mp4", "b.mp4", "data", "DCIM/10.mp4", "DCIM/2.mp4"]


def test_links_are_offered_and_not_followed(card):
    (card / "loop").symlink_to(card)
    (card / "link.mp4").symlink_to("a.mp4")
    assert [name for name in offered(card, data=card / "nowhere") if "l" in name and "/" not in name] == [
        "link.mp4",
        "loop",
    ]


def test_a_folder_named_through_a_link_is_entered(card, tmp_path):
    (tmp_path / "way").symlink_to(card)
    assert len(list(files_below(tmp_path / "way", data=tmp_path / "nowhere"))) == 5


@pytest.mark.parametrize("name", ["MISC", "gone", "a.mp4"])
def test_a_path_without_files_below_it_is_offered_itself(name, card):
    assert list(files_below(card / name, data=card / "nowhere")) == [card / name]


def test_the_data_directory_named_itself_is_offered_itself(card):
    assert list(files_below(card / "data", data=card / "data")) == [card / "data"]
