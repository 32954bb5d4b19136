"""A text in pieces, by what was looked for in it."""

import pytest

from plainview.web.recordings import marked


@pytest.mark.parametrize(
    ("marks", "pieces"),
    [
        ([], (("hands up", False),)),
        ([(0, 5)], (("hands", True), (" up", False))),
        ([(0, 5), (6, 8)], (("hands", True), (" ", False), ("up", True))),
        ([(6, 8)], (("hands ", False), ("up", True))),
    ],
)
def test_each_piece_says_whether_it_was_looked_for(marks, pieces):
    assert marked("hands up", marks) == pieces


def test_no_text_has_no_pieces():
    assert marked("", []) == ()
