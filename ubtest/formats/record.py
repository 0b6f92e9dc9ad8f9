"""A format is data: a frozen dataclass whose fields say how they look on the wire.

    @dataclass(frozen=True)
    class CapsuleHeader(Record):
        spec_name = "EFI_CAPSULE_HEADER"
        guid: Annotated[Guid, GuidWire("CapsuleGuid")]
        header_size: Annotated[int, U32("HeaderSize")]

`pack`, `parse` and `dump` derive from the annotations. Everything is little-endian and without
padding, as UEFI and U-Boot's packed structures are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, get_type_hints

T = TypeVar("T")


class Bytes(Protocol):
    """Bytes that may stay in their file until they are asked for: `bytes`, or a reader."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class FormatError(ValueError):
    """Bytes do not follow their format, or a value does not fit into it."""


@dataclass(frozen=True)
class Wire(Generic[T]):
    """How one field is written: the specification's name for it, its size and its conversion."""

    name: str

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        raise NotImplementedError

    def pack(self, value: T) -> bytes:
        """The bytes of a value.

        :raises FormatError: the value does not fit.
        """
        raise NotImplementedError

    def unpack(self, raw: bytes) -> T:
        """The value of exactly :attr:`size` bytes."""
        raise NotImplementedError

    def show(self, value: T) -> str:
        """The value for a human."""
        return str(value)


@dataclass(frozen=True)
class Integer(Wire[int]):
    """A little-endian integer; the subclasses name the width."""

    width: ClassVar[int]
    signed: ClassVar[bool] = False

    @property
    def size(self) -> int:
        return self.width

    def pack(self, value: int) -> bytes:
        try:
            return value.to_bytes(self.width, "little", signed=self.signed)
        except OverflowError:
            sign = "signed" if self.signed else "unsigned"
            raise FormatError(
                f"{self.name}: {value:#x} does not fit into {self.width} {sign} bytes"
            ) from None

    def unpack(self, raw: bytes) -> int:
        return int.from_bytes(raw, "little", signed=self.signed)

    def show(self, value: int) -> str:
        return f"{value} ({value:#x})"


class U8(Integer):
    width = 1


class U16(Integer):
    width = 2


class U32(Integer):
    width = 4


class U64(Integer):
    width = 8


class S16(Integer):
    width = 2
    signed = True


@dataclass(frozen=True)
class Raw(Wire[bytes]):
    """A fixed number of bytes without a meaning of their own."""

    length: int

    @property
    def size(self) -> int:
        return self.length

    def pack(self, value: bytes) -> bytes:
        if len(value) != self.length:
            raise FormatError(f"{self.name}: has {len(value)} bytes, must have {self.length}")
        return value

    def unpack(self, raw: bytes) -> bytes:
        return raw

    def show(self, value: bytes) -> str:
        return value.hex(" ") or "(empty)"


@dataclass(frozen=True)
class Nested(Wire["R"]):
    """A record inside another one."""

    record: "type[R]"

    @property
    def size(self) -> int:
        return self.record.size()

    def pack(self, value: "R") -> bytes:
        return value.pack()

    def unpack(self, raw: bytes) -> "R":
        return self.record.parse(raw)


@dataclass(frozen=True)
class Slot:
    """One field's place in its record."""

    attribute: str
    wire: Wire[Any]
    offset: int


@dataclass(frozen=True)
class Record:
    """Base of every fixed-size structure. Trailing bytes are the business of whoever parses."""

    spec_name: ClassVar[str]

    @classmethod
    def size(cls) -> int:
        """Bytes on the wire."""
        last = layout(cls)[-1]
        return last.offset + last.wire.size

    def pack(self) -> bytes:
        """The bytes of this structure.

        :raises FormatError: a value does not fit into its field.
        """
        try:
            return b"".join(
                slot.wire.pack(getattr(self, slot.attribute)) for slot in layout(type(self))
            )
        except FormatError as error:
            raise FormatError(f"{self.spec_name}.{error}") from None

    @classmethod
    def parse(cls, data: Bytes, offset: int = 0) -> Self:
        """Read the structure that starts at an offset; what follows it is left alone.

        :raises FormatError: the data end too early; names the first field that is not whole.
        """
        values = {}
        for slot in layout(cls):
            start = offset + slot.offset
            raw = data[start : start + slot.wire.size]
            if len(raw) < slot.wire.size:
                raise FormatError(
                    f"{cls.spec_name} at {offset:#x}: {slot.wire.name} needs {slot.wire.size} "
                    f"bytes at {start:#x}, {slot.wire.size - len(raw)} are missing"
                )
            values[slot.attribute] = slot.wire.unpack(raw)
        return cls(**values)

    def dump(self, offset: int = 0) -> Iterator[str]:
        """Lines for a human: a title, then offset, name in the specification and value.

        :param offset: where the structure starts in its file.
        """
        yield self.spec_name
        for slot in layout(type(self)):
            value = slot.wire.show(getattr(self, slot.attribute))
            yield f"  {offset + slot.offset:#06x}  {slot.wire.name:<24} {value}"


R = TypeVar("R", bound=Record)


_LAYOUTS: dict[type, tuple[Slot, ...]] = {}


def layout(record: type[Record]) -> tuple[Slot, ...]:
    """Where each field of a record is; worked out once per class."""
    if record not in _LAYOUTS:
        _LAYOUTS[record] = tuple(_slots(record))
    return _LAYOUTS[record]


def _slots(record: type[Record]) -> Iterator[Slot]:
    hints = get_type_hints(record, include_extras=True)
    offset = 0
    for field in fields(record):
        wire = hints[field.name].__metadata__[0]
        yield Slot(field.name, wire, offset)
        offset += wire.size


def take(data: Bytes, offset: int, size: int, what: str) -> bytes:
    """A slice that is whole: the variable-size counterpart of :meth:`Record.parse`.

    :param what: structure and field, for the message.
    :raises FormatError: the data end too early, or the size is negative.
    """
    if size < 0:
        raise FormatError(f"{what} at {offset:#x}: has the negative size {size}")
    raw = data[offset : offset + size]
    if len(raw) < size:
        raise FormatError(
            f"{what} at {offset:#x}: needs {size} bytes, {size - len(raw)} are missing"
        )
    return raw
