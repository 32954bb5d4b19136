"""What every store must do. A test module subclasses StoreSuite and gives it a `store` fixture with an empty store."""

from __future__ import annotations

import pytest

from plainview.vault.errors import ObjectExistsError, ObjectMissingError, ObjectNameError

NAME = "7d0f2c64a15b4e0fb3c1a9d2e4f60718"
OTHER = "7d" + "0" * 30
THIRD = "ff" * 16
BAD_NAMES = (
    "",
    "..",
    "7D" * 16,
    "7d" * 15,
    "7d" * 17,
    NAME + "\n",
    "../" + NAME[3:],
    NAME[:-1] + "g",
    None,
    7,
)


def put(store, name, data=b"some bytes", *, stop=None):
    with store.create(name) as writer:
        writer.write(data)
        if stop is not None:
            raise stop
        writer.commit()


class StoreSuite:
    def test_what_was_committed_is_read_back(self, store):
        with store.create(NAME) as writer:
            writer.write(b"one ")
            writer.write(memoryview(bytearray(b"two")))
            writer.write(b"")
            writer.commit()
        assert store.read_range(NAME, 0, 100) == b"one two"
        assert store.size(NAME) == 7

    def test_room_at_the_beginning_is_filled_last(self, store):
        with store.create(NAME) as writer:
            writer.leave_room(3_000_000)
            writer.write(b"body")
            writer.fill_room(b"head")
            writer.fill_room(b"x" * 2_999_996)
            writer.write(b"tail")
            writer.commit()
        assert store.read_range(NAME, 0, 5) == b"headx"
        assert store.read_range(NAME, 2_999_999, 100) == b"xbodytail"

    def test_room_is_left_only_at_the_beginning_and_filled_exactly(self, store):
        with store.create(NAME) as writer:
            writer.leave_room(4)
            with pytest.raises(ValueError, match="beginning"):
                writer.leave_room(4)
            writer.fill_room(b"abc")
            with pytest.raises(ValueError, match="less room left"):
                writer.fill_room(b"de")
            with pytest.raises(ValueError, match="room left"):
                writer.commit()
            writer.fill_room(b"d")
            writer.commit()
        assert store.read_range(NAME, 0, 9) == b"abcd"

    def test_an_object_may_be_empty(self, store):
        put(store, NAME, b"")
        assert store.size(NAME) == 0
        assert store.read_range(NAME, 0, 10) == b""

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [(0, 3, b"012"), (4, 3, b"456"), (8, 5, b"89"), (10, 5, b""), (99, 5, b""), (3, 0, b"")],
    )
    def test_a_range_is_short_only_at_the_end(self, store, offset, length, expected):
        put(store, NAME, b"0123456789")
        assert store.read_range(NAME, offset, length) == expected
        buffer = bytearray(length)
        assert store.read_range_into(NAME, offset, buffer) == len(expected)
        assert buffer[: len(expected)] == expected

    def test_an_object_is_invisible_before_its_commit(self, store):
        with store.create(NAME) as writer:
            writer.write(b"half")
            assert list(store.names()) == []
            with pytest.raises(ObjectMissingError):
                store.size(NAME)
            with pytest.raises(ObjectMissingError):
                store.read_range(NAME, 0, 1)
            writer.commit()
            assert list(store.names()) == [NAME]

    def test_leaving_without_a_commit_discards(self, store):
        with store.create(NAME) as writer:
            writer.write(b"half")
        assert list(store.names()) == []
        assert store.sweep() == 0
        put(store, NAME)

    def test_an_exception_discards_and_passes_through(self, store):
        with pytest.raises(RuntimeError, match="stop"):
            put(store, NAME, stop=RuntimeError("stop"))
        assert list(store.names()) == []

    def test_an_object_is_never_written_twice(self, store):
        put(store, NAME, b"first")
        with pytest.raises(ObjectExistsError) as caught:
            put(store, NAME, b"second")
        assert caught.value.name == NAME
        assert store.read_range(NAME, 0, 100) == b"first"
        assert store.sweep() == 0

    def test_two_writers_of_one_name_are_not_let_in(self, store):
        with store.create(NAME) as writer:
            with pytest.raises(ObjectExistsError), store.create(NAME):
                pass
            writer.write(b"mine")
            writer.commit()
        assert store.read_range(NAME, 0, 100) == b"mine"

    def test_a_writer_is_of_no_use_after_its_commit(self, store):
        with store.create(NAME) as writer:
            writer.write(b"all")
            writer.commit()
            with pytest.raises(ValueError, match="already"):
                writer.write(b"more")
            with pytest.raises(ValueError, match="already"):
                writer.commit()
        assert store.read_range(NAME, 0, 100) == b"all"

    def test_names_come_in_order_and_by_prefix(self, store):
        for name in (THIRD, NAME, OTHER):
            put(store, name)
        assert list(store.names()) == [OTHER, NAME, THIRD]
        assert list(store.names("7")) == [OTHER, NAME]
        assert list(store.names("7d0f")) == [NAME]
        assert list(store.names(NAME)) == [NAME]
        assert list(store.names("00")) == []

    def test_what_was_deleted_is_gone(self, store):
        put(store, NAME)
        put(store, OTHER)
        store.delete(NAME)
        assert list(store.names()) == [OTHER]
        with pytest.raises(ObjectMissingError) as caught:
            store.delete(NAME)
        assert caught.value.name == NAME
        put(store, NAME)

    def test_sweeping_leaves_committed_objects(self, store):
        put(store, NAME)
        assert store.sweep() == 0
        assert list(store.names()) == [NAME]

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_any_other_name_is_refused(self, store, name):
        for use in (
            store.create,
            store.size,
            store.delete,
            lambda bad: store.read_range(bad, 0, 1),
            lambda bad: store.read_range_into(bad, 0, bytearray(1)),
        ):
            with pytest.raises(ObjectNameError):
                use(name)

    @pytest.mark.parametrize("prefix", ["/", "..", "G", "7D", "a" * 33])
    def test_any_other_prefix_is_refused(self, store, prefix):
        with pytest.raises(ObjectNameError):
            list(store.names(prefix))
