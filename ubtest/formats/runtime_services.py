"""EFI_RT_PROPERTIES_TABLE: which runtime services are there once boot services have ended
(UEFI 2.10 section 4.6.2)."""

from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.guid import Guid
from ubtest.formats.record import U16, U32, FormatError, Record

TABLE = Guid.of("eb66918a-7eef-402a-842e-931d21c38ae9")
VERSION = 1

SERVICES = {
    "GetTime": 0x0001,
    "SetTime": 0x0002,
    "GetWakeupTime": 0x0004,
    "SetWakeupTime": 0x0008,
    "GetVariable": 0x0010,
    "GetNextVariableName": 0x0020,
    "SetVariable": 0x0040,
    "SetVirtualAddressMap": 0x0080,
    "ConvertPointer": 0x0100,
    "GetNextHighMonotonicCount": 0x0200,
    "ResetSystem": 0x0400,
    "UpdateCapsule": 0x0800,
    "QueryCapsuleCapabilities": 0x1000,
    "QueryVariableInfo": 0x2000,
}


@dataclass(frozen=True)
class RuntimeProperties(Record):
    """The table as it is in memory."""

    spec_name = "EFI_RT_PROPERTIES_TABLE"

    version: Annotated[int, U16("Version")]
    length: Annotated[int, U16("Length")]
    supported: Annotated[int, U32("RuntimeServicesSupported")]

    @property
    def services(self) -> frozenset[str]:
        return frozenset(name for name, bit in SERVICES.items() if self.supported & bit)

    def check(self) -> None:
        """That it is a table of the version that is known.

        :raises FormatError: it is not.
        """
        known = sum(SERVICES.values())
        if (self.version, self.length) != (VERSION, self.size()) or self.supported & ~known:
            raise FormatError(
                f"EFI_RT_PROPERTIES_TABLE: version {self.version}, {self.length} bytes, "
                f"flags {self.supported:#x}"
            )
