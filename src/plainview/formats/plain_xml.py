"""XML of which nothing but elements, attributes and text is taken: no document types, no entities, no outside files."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from plainview.formats.errors import FormatError

DEEPEST = 32
ATTRIBUTES_LIMIT = 64
_SEPARATOR = " "


@dataclass
class XmlElement:
    """An element; names are without their namespace.

    Attributes:
        name: of it.
        attributes: by name.
        text: all of its own text, in order, without white space around it.
        children: in order.
    """

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[XmlElement] = field(default_factory=list)

    def each(self, name: str) -> list[XmlElement]:
        """Return the children of a name."""
        return [child for child in self.children if child.name == name]


def read_xml(data: bytes, *, what: str, most_elements: int) -> XmlElement:
    """Read a document.

    Args:
        data: its bytes; their encoding is declared or marked, or is UTF-8.
        what: the thing being read, for the error.
        most_elements: refuse more than these.

    Raises:
        FormatError: not well formed, a document type or entity, too deep, or too many elements.
    """
    return _Reader(what, most_elements).read(data)


class _Reader:
    def __init__(self, what: str, most_elements: int) -> None:
        self._what, self._left = what, most_elements
        self._most = most_elements
        self._root: XmlElement | None = None
        self._open: list[XmlElement] = []
        self._text: list[list[str]] = []

    def read(self, data: bytes) -> XmlElement:
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.buffer_text = True
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise FormatError(self._what, f"not XML: {error}") from error
        # An encoding that is declared and that no codec knows, or that is no text.
        except (LookupError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(self._what, f"not XML: {error}") from error
        assert self._root is not None
        return self._root

    def _refuse(self, *_: object) -> None:
        raise FormatError(self._what, "it declares a document type or an entity: those are never followed")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise FormatError(self._what, f"expected at most {self._most} elements")
        if len(self._open) >= DEEPEST or len(attributes) > ATTRIBUTES_LIMIT:
            raise FormatError(
                self._what, f"nested deeper than {DEEPEST}, or more than {ATTRIBUTES_LIMIT} attributes"
            )
        element = XmlElement(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)
        self._text.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._text.pop()).strip()

    def _characters(self, text: str) -> None:
        self._text[-1].append(text)


def _local(name: str) -> str:
    return name.rpartition(_SEPARATOR)[2]
