"""EFI_LOAD_OPTION: the value of a Boot#### variable (UEFI 2.10 section 3.1.3)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.record import U16, U32, FormatError, Record, take

ACTIVE = 0x01
HIDDEN = 0x08


@dataclass(frozen=True)
class LoadOptionHeader(Record):
    """How a load option starts; description, device path and data of the option follow.

    :param path_length: bytes of the device path.
    """

    spec_name = "EFI_LOAD_OPTION"

    attributes: Annotated[int, U32("Attributes")]
    path_length: Annotated[int, U16("FilePathListLength")]


@dataclass(frozen=True)
class LoadOption:
    """One boot option.

    :param path: packed device path with its end node.
    :param data: what is handed to the application; the firmware's own entries are marked here.
    """

    description: str
    path: bytes
    attributes: int = ACTIVE
    data: bytes = b""

    def pack(self) -> bytes:
        """The bytes of the variable.

        :raises FormatError: a description with a zero in it, or a path that is too long.
        """
        if "\0" in self.description:
            raise FormatError(f"EFI_LOAD_OPTION: Description {self.description!r} has a zero in it")
        text = (self.description + "\0").encode("utf-16-le")
        head = LoadOptionHeader(self.attributes, len(self.path)).pack()
        return head + text + self.path + self.data

    @classmethod
    def parse(cls, data: bytes) -> "LoadOption":
        """Read a variable's value.

        :raises FormatError: it ends inside the description or the device path, or the
            description is not text.
        """
        header = LoadOptionHeader.parse(data)
        start = end = header.size()
        while take(data, end, 2, "EFI_LOAD_OPTION: Description") != b"\0\0":
            end += 2
        try:
            description = data[start:end].decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise FormatError(f"EFI_LOAD_OPTION: Description: {error}") from None
        path = take(data, end + 2, header.path_length, "EFI_LOAD_OPTION: FilePathList")
        return cls(description, path, header.attributes, data[end + 2 + len(path) :])
