"""Disks of a recipe: from their declarations to images, capsules for the board in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.errors import CaseError
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.gpt import SECTOR
from ubtest.formats.guid import Guid
from ubtest.formats.mbr import Mbr
from ubtest.lab.board import Board
from ubtest.media.build import build_image, partition_of
from ubtest.media.declaration import image_in, read_image
from ubtest.media.disk import Disk
from ubtest.media.fat import FatVolume
from ubtest.media.spec import Image
from ubtest.project import Project
from ubtest.recipe.declarations import CapsuleIs, composed, contents
from ubtest.recipe.schema import Medium


@dataclass(frozen=True)
class BuiltDisk:
    """An image and what was asked for."""

    disk: Disk
    image: Image

    def read(self, path: str, partition: int) -> bytes | None:
        """A file of a partition; None when there is none.

        :raises CaseError: there is no such partition.
        """
        return FatVolume(self.disk.path, self._offset(partition)).read(path)

    def _offset(self, number: int) -> int:
        if not 1 <= number <= len(self.image.partitions) or self.image.table == "iso":
            raise CaseError(
                f"no partition {number} in {self.disk.path.name}",
                next_step=f"there are {len(self.image.partitions)}",
            )
        if self.image.table == "gpt":
            return partition_of(self.image, number).first_lba * SECTOR
        with self.disk.path.open("rb") as file:
            return Mbr.parse(file.read(SECTOR)).partitions[number - 1].first_lba * SECTOR


def build(medium: Medium, path: Path, copy: int, board: Board) -> BuiltDisk:
    """Make the image of a medium.

    :param copy: from 0; each has an identity of its own, as two sticks have.
    :raises CaseError: the declaration is wrong.
    :raises HostError: what it wants cannot be had, or the image cannot be written.
    """
    project = Project.find(Path(board.target.env.config.base))
    if medium.declaration is None:
        image = read_image(project.root / "images" / f"{medium.image}.yaml", project)
    else:
        data = _with_capsules(medium.declaration, board, project)
        image = image_in(composed(data, Path(f"medium {path.stem}"), project), path.stem)
    if copy:
        image = replace(image, identity=f"{image.identity} {copy}")
    return BuiltDisk(build_image(image, path), image)


def _with_capsules(
    declaration: Mapping[str, Any], board: Board, project: Project
) -> dict[str, Any]:
    """The declaration with every capsule as its bytes."""
    whole: dict[str, Any] = yaml.safe_load(yaml.safe_dump(declaration, sort_keys=False))
    for content in contents(whole):
        if "capsule" in content:
            wanted = CapsuleIs.of(content.pop("capsule"))
            content["hex"] = capsule(wanted, board, KeyRing.load(project.keys)).hex()
    return whole


def capsule(wanted: CapsuleIs, board: Board, keyring: KeyRing) -> bytes:
    """A capsule for the image that this board updates.

    :raises CaseError: the ring has no such key.
    """
    image_type = Guid.of(wanted.type) if wanted.type else board.image.image_type
    image = bytes.fromhex(wanted.hex) or wanted.text.encode()
    if wanted.size:
        image = (image * (wanted.size // len(image) + 1))[: wanted.size]
    payload = FmpPayload(image_type, image, wanted.index or board.image.index)
    if wanted.version is not None:
        payload = replace(payload, fw_version=wanted.version)
    if wanted.key != "none":
        payload = signed(keyring[wanted.key], payload)
    whole = Capsule((payload,))
    return (replace(whole, guid=Guid.of(wanted.guid)) if wanted.guid else whole).pack()
