"""The file object that FFmpeg's muxer writes to."""

import io

import pytest

from plainview.media.target import Target


class Failing(io.BytesIO):
    def write(self, data):
        if self.tell() + len(data) > 100:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_leap_past_the_end_is_filled_with_zeros():
    file = io.BytesIO()
    target = Target(file)
    target.write(b"ab")
    assert target.seek(200_000) == target.tell() == 200_000
    target.write(b"cd")
    target.seek(1)
    target.write(b"B")
    assert file.getvalue() == b"aB" + bytes(199_998) + b"cd"
    assert target.size_bytes == 200_002


def test_seeking_works_from_all_three_places():
    target = Target(io.BytesIO())
    target.write(b"abcdef")
    assert [target.seek(2), target.seek(2, 1), target.seek(-1, 2), target.seek(-9)] == [2, 4, 5, 0]


def test_a_failure_is_kept_and_the_rest_swallowed():
    target = Target(Failing())
    target.write(bytes(90))
    target.check()
    assert target.write(bytes(20)) == 20
    assert target.write(b"x") == 1
    with pytest.raises(OSError, match="No space left"):
        target.check()


def test_after_a_stop_nothing_is_written():
    file = io.BytesIO()
    target = Target(file)
    target.write(b"a")
    target.stop()
    target.write(b"b")
    target.check()
    assert file.getvalue() == b"a"
