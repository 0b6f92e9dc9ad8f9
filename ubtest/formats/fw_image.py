"""Which UpdateImageTypeId an image of U-Boot has: a constant, or one computed from its name."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError

NAMESPACE = Guid.of("8c9f137e-91dc-427b-b2d6-b420faebaf2a")  # EFI_CAPSULE_NAMESPACE_GUID's default


def computed_guid(namespace: Guid, compatible: str, fw_name: str) -> Guid:
    """The version 5 UUID that U-Boot gives an image (`efi_gen_capsule_guids`, `gen_v5_guid`).

    Not RFC 4122's: the namespace is hashed as an EFI_GUID, its first groups little-endian.

    :param compatible: the first string of the root node's `compatible`.
    :param fw_name: as in `fw_images[]`; hashed as UTF-16, without a final zero.
    """
    hashed = hashlib.sha1(namespace.wire + compatible.encode() + fw_name.encode("utf-16-le"))
    return Guid(uuid.UUID(bytes=hashed.digest()[:16], version=5).bytes_le)


@dataclass(frozen=True)
class ImageIdentity:
    """What a board file says about an entry of `fw_images[]`.

    :param constant: its GUID in firmware that does not compute it.
    :param fw_name: its name; None where no firmware of the board computes its GUID.
    :param compatible: the board's, for that.
    """

    constant: Guid | None = None
    fw_name: str | None = None
    compatible: str | None = None

    @classmethod
    def read(cls, said: Mapping[str, object]) -> Self:
        """Take `image-type`, or `fw-name` and `compatible`, or all three.

        :raises FormatError: neither of both, a half of one, or `image-type` is no GUID.
        """
        constant, fw_name, compatible = (
            str(said[key]) if key in said else None
            for key in ("image-type", "fw-name", "compatible")
        )
        if (fw_name is None) != (compatible is None) or constant is fw_name is None:
            raise FormatError("image-type, or fw-name with compatible, is missing")
        return cls(Guid.of(constant) if constant else None, fw_name, compatible)

    def guid(self, namespace: Guid | None) -> Guid:
        """UpdateImageTypeId in a firmware.

        :param namespace: the firmware's; None where it does not compute GUIDs.
        :raises FormatError: it does not, and there is no constant.
        """
        if namespace and self.fw_name is not None and self.compatible is not None:
            return computed_guid(namespace, self.compatible, self.fw_name)
        if self.constant is None:
            raise FormatError(f"image-type of {self.fw_name} is missing: nothing computes it here")
        return self.constant
