"""What `explain` says about a file, as values: for a terminal, for JSON, for a test."""

from collections.abc import Iterator
from dataclasses import dataclass


def printable(text: str) -> str:
    """Text with its control characters escaped: a certificate's name can hold any."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


@dataclass(frozen=True)
class Field:
    """One field on the wire.

    :param offset: from the start of the file, in bytes.
    :param name: as the specification writes it.
    :param value: an integer, or text for everything else.
    :param meaning: what the value says; empty when the value says it all.
    """

    offset: int
    name: str
    value: int | str
    meaning: str = ""

    @property
    def shown(self) -> str:
        """The value for a human: numbers in both bases where that makes a difference."""
        large = isinstance(self.value, int) and self.value >= 10
        return f"{self.value} ({self.value:#x})" if large else printable(str(self.value))


@dataclass(frozen=True)
class Part:
    """One structure of the file.

    :param title: which one it is, e.g. "payload 0: EFI_FIRMWARE_IMAGE_AUTHENTICATION".
    """

    title: str
    offset: int
    fields: tuple[Field, ...]

    def lines(self) -> Iterator[str]:
        """The title, then offset, name, value and meaning of each field, in columns."""
        yield self.title
        name = max((len(field.name) for field in self.fields), default=0)
        values = [len(field.shown) for field in self.fields if field.meaning]
        value = min(max(values, default=0), 36)
        for field in self.fields:
            line = f"  {field.offset:#06x}  {field.name:<{name}}  {field.shown:<{value}}"
            yield f"{line}  {field.meaning}".rstrip()


@dataclass(frozen=True)
class Finding:
    """Something that is wrong or unusual, and the field at fault."""

    offset: int
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.offset:#06x}  {self.field} {self.text}"


@dataclass(frozen=True)
class Explanation:
    """A whole file.

    :param size: bytes of the file.
    :param kind: what the file is, in one line.
    :param findings: empty when nothing is wrong with it.
    """

    size: int
    kind: str
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]

    def lines(self) -> Iterator[str]:
        """The explanation for a terminal."""
        yield f"{self.size} bytes: {self.kind}"
        for part in self.parts:
            yield ""
            yield from part.lines()
        if self.findings:
            yield ""
            yield "findings"
            yield from (f"  {finding}" for finding in self.findings)
