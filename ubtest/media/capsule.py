"""A capsule as the content of a file: declared by what is in it and who signs it, as no file can be
kept whose keys each checkout makes for itself."""

from dataclasses import dataclass, replace

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import FMP_CAPSULE, Guid
from ubtest.project import Project


@dataclass(frozen=True)
class CapsuleFile:
    """One image in one capsule.

    :param type: UpdateImageTypeId; the index is 1.
    :param times: how often the image is written, one behind the other.
    :param key: of the project's key ring; none: no authentication header.
    :param guid: CapsuleGuid.
    """

    type: Guid
    image: bytes
    times: int = 1
    key: str = ""
    guid: Guid = FMP_CAPSULE

    def pack(self, project: Project) -> bytes:
        """The bytes of the file.

        :raises CaseError: there is no such key.
        :raises HostError: the keys are not made; names the command.
        """
        payload = FmpPayload(self.type, self.image * self.times)
        if self.key:
            payload = signed(KeyRing.load(project.keys)[self.key], payload)
        return replace(Capsule((payload,)), guid=self.guid).pack()
