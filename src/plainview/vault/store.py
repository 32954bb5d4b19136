"""What the vault asks of a store of bytes: put whole, read a range, list, delete. No append, no rename.

Shaped so that an S3 bucket can be one: the room at an object's beginning is an upload's first parts, sent last. A store
is never trusted with integrity: whoever writes reads back, and whoever reads checks every chunk's tag. Every
implementation passes tests/simulators/store_suite.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from plainview.vault.errors import ObjectNameError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

Buffer = bytes | bytearray | memoryview

OBJECT_NAME = re.compile(r"[0-9a-f]{32}\Z")
OBJECT_NAME_PREFIX = re.compile(r"[0-9a-f]{0,32}\Z")


class ObjectWriter(Protocol):
    """One object being written. Leaving the `with` block without commit() discards it."""

    def __enter__(self) -> Self:
        """Return the writer."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what was written unless it was committed."""
        ...

    def write(self, data: Buffer) -> None:
        """Add all of data at the end.

        Raises:
            StoreFullError: no space.
            StoreFaultError: the disk failed.
        """
        ...

    def leave_room(self, length: int) -> None:
        """Begin the object with room for bytes that are known last; call it once, before the first write.

        Raises:
            StoreFullError: no space.
            StoreFaultError: the disk failed.
        """
        ...

    def fill_room(self, data: Buffer) -> None:
        """Put all of data into what is left of the room, from its beginning on; commit() wants it full.

        Raises:
            ValueError: there is not so much room left.
            StoreFullError: no space.
            StoreFaultError: the disk failed.
        """
        ...

    def commit(self) -> None:
        """Make the object visible, whole and durable; on return it survives a power cut.

        Raises:
            ValueError: there is room left that was not filled.
            ObjectExistsError: there is an object of this name already; it is untouched.
            StoreFullError: no space.
            StoreFaultError: the disk failed. Nothing is visible, unless the disk also refused to remove it again.
        """
        ...


class Readable(Protocol):
    """The part of a store that reading an object needs."""

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return length bytes from offset; fewer only where the object ends."""
        ...

    def read_range_into(self, name: str, offset: int, buffer: bytearray | memoryview) -> int:
        """Fill buffer from offset and return how many bytes; fewer only where the object ends."""
        ...

    def size(self, name: str) -> int:
        """Return an object's size in bytes."""
        ...


class Store(Protocol):
    """A place for objects: bytes under a name of 32 lower-case hexadecimal digits, written once, never changed.

    Any method raises ObjectNameError for another name, and StoreFaultError when the disk fails.
    """

    def create(self, name: str) -> ObjectWriter:
        """Begin an object; nothing is visible before its commit.

        Raises:
            ObjectExistsError: an object of this name is being written, or is there (a store may find the second
                only at the commit).
            StoreFullError: no space.
        """
        ...

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return length bytes from offset; fewer only where the object ends.

        Raises:
            ObjectMissingError: no such object.
        """
        ...

    def read_range_into(self, name: str, offset: int, buffer: bytearray | memoryview) -> int:
        """Fill buffer from offset and return how many bytes; fewer than asked only where the object ends.

        Raises:
            ObjectMissingError: no such object.
        """
        ...

    def size(self, name: str) -> int:
        """Return an object's size in bytes.

        Raises:
            ObjectMissingError: no such object.
        """
        ...

    def names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of all committed objects that begin with prefix, in order."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object, durably.

        Raises:
            ObjectMissingError: no such object.
        """
        ...

    def sweep(self) -> int:
        """Remove what interrupted writers left and return how many; only under the data directory's lock."""
        ...


def check_object_name(name: str) -> str:
    """Return name if an object can have it.

    Raises:
        ObjectNameError: anything but 32 lower-case hexadecimal digits.
    """
    if not isinstance(name, str) or OBJECT_NAME.match(name) is None:
        raise ObjectNameError(name)
    return name


def check_name_prefix(prefix: str) -> str:
    """Return prefix if the name of an object can begin with it.

    Raises:
        ObjectNameError: anything but up to 32 lower-case hexadecimal digits.
    """
    if OBJECT_NAME_PREFIX.match(prefix) is None:
        raise ObjectNameError(prefix)
    return prefix
