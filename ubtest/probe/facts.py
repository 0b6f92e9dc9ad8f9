"""The probe's line of facts (images/probe/line.h), read from whatever a console gave."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

START = "[UBTEST{"
_LINE = re.compile(r"(?P<facts>[^{}\[\]]*)\}(?P<length>[0-9a-f]{1,8}):(?P<crc>[0-9a-f]{8})\]")
_BREAK = re.compile(r"[\r\n]")  # of a terminal that wraps; no fact has one
_ESCAPE = re.compile(r"%([0-9a-f]{4})")
LONGEST = 40000  # characters of a line: the probe's buffer, and what may stand around it


@dataclass(frozen=True)
class Initrd:
    """What the firmware gave as initrd through LoadFile2."""

    size: int
    crc32: int


@dataclass(frozen=True)
class Facts:
    """How the probe was booted, as it saw it. None is what the firmware does not have.

    :param version: of the line's form.
    :param arch: what the probe was compiled for: aa64, arm or x64.
    :param device: device path of the device that the image was loaded from, binary.
    :param file: FilePath of the loaded image protocol, binary.
    :param path: the loaded image device path protocol, binary.
    :param text: the same as the firmware writes it.
    :param options: load options.
    :param variables: the global variables by name: BootCurrent, BootOrder, BootNext, SecureBoot,
        SetupMode, AuditMode, DeployedMode, VendorKeys and OsIndicationsSupported, where there.
    :param tables: GUIDs of the configuration tables, in their order.
    :param initrd_error: EFI_STATUS of LoadFile2, where it failed.
    :param ending: how the probe goes on: "exit:STATUS", "reset:KIND" or "hang".
    """

    version: int
    arch: str
    nonce: str
    device: bytes | None
    file: bytes | None
    path: bytes | None
    text: str | None
    options: bytes
    variables: Mapping[str, bytes]
    tables: tuple[Guid, ...]
    initrd: Initrd | None
    initrd_error: int | None
    vendor: str
    vendor_revision: int
    uefi_revision: int
    ending: str

    @property
    def boot_current(self) -> int | None:
        return self._number("BootCurrent")

    @property
    def boot_next(self) -> int | None:
        return self._number("BootNext")

    @property
    def boot_order(self) -> tuple[int, ...] | None:
        raw = self.variables.get("BootOrder")
        if raw is None:
            return None
        return tuple(int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2))

    @property
    def secure_boot(self) -> int | None:
        return self._number("SecureBoot")

    @property
    def setup_mode(self) -> int | None:
        return self._number("SetupMode")

    @property
    def os_indications_supported(self) -> int | None:
        return self._number("OsIndicationsSupported")

    def _number(self, name: str) -> int | None:
        raw = self.variables.get(name)
        return None if raw is None else int.from_bytes(raw, "little")


def parse_facts(text: str) -> tuple[Facts, ...]:
    """All lines of facts in what a console printed, in their order.

    :raises FormatError: a line that is there and not whole: the probe ran, and what it said
        cannot be believed.
    """
    found = []
    for part in text.split(START)[1:]:
        plain = _BREAK.sub("", part[:LONGEST])
        line = _LINE.match(plain)
        if line is None:
            raise FormatError(f"a line of the probe without an end: {plain[:80]!r}")
        facts = line["facts"]
        if (len(facts), crc32(facts.encode())) != (int(line["length"], 16), int(line["crc"], 16)):
            raise FormatError(f"a line of the probe is garbled: {facts[:80]!r}")
        found.append(_facts(facts))
    return tuple(found)


def _facts(line: str) -> Facts:
    pairs = [word.partition("=") for word in line.split(";")]
    said = {name: value for name, _, value in pairs}
    if len(said) != len(pairs):
        raise FormatError("a line of the probe says a fact twice")
    try:
        return Facts(
            version=int(said["version"]),
            arch=said["arch"],
            nonce=said["nonce"],
            device=_bytes(said, "device"),
            file=_bytes(said, "file"),
            path=_bytes(said, "path"),
            text=_text(said["text"]) if "text" in said else None,
            options=_bytes(said, "options") or b"",
            variables={
                name: bytes.fromhex(value) for name, value in said.items() if name[0].isupper()
            },
            tables=tuple(Guid(bytes.fromhex(each)) for each in said["tables"].split(",") if each),
            initrd=_initrd(said.get("initrd")),
            initrd_error=int(said["initrd-error"], 16) if "initrd-error" in said else None,
            vendor=_text(said["vendor"]),
            vendor_revision=int(said["vendor-revision"], 16),
            uefi_revision=int(said["uefi-revision"], 16),
            ending=said["ending"],
        )
    except (KeyError, ValueError, IndexError) as error:
        raise FormatError(f"a line of the probe is of another form: {error!r}") from error


def _bytes(said: Mapping[str, str], name: str) -> bytes | None:
    return bytes.fromhex(said[name]) if name in said else None


def _initrd(value: str | None) -> Initrd | None:
    if value is None:
        return None
    size, _, checksum = value.partition(":")
    return Initrd(int(size, 16), int(checksum, 16))


def _text(value: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
