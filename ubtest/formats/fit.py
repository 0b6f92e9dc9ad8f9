"""FIT images, as U-Boot's mkimage makes them (doc/usage/fit/source_file_format.rst)."""

import hashlib
from dataclasses import dataclass, field

from ubtest.formats.fdt import Node, cell, flatten, text


@dataclass(frozen=True)
class FitImage:
    """One image node: a good one by default, any broken one by `dataclasses.replace()`.

    :param name: of the node; an update goes where `dfu_alt_info` has this name.
    :param kind: `type`; an update writes "firmware" only (U-Boot: common/update.c, fit_update).
    :param load: None leaves it away; an update asks for one and does not use it.
    :param algorithm: of the hash; None leaves the hash node away.
    :param digest: in the hash node; computed when None.
    """

    name: str
    data: bytes = field(repr=False)
    kind: str = "firmware"
    load: int | None = 0
    algorithm: str | None = "sha256"
    digest: bytes | None = None

    def node(self) -> Node:
        node: dict[str, Node | bytes] = {
            "description": text(f"for {self.name}"),
            "data": self.data,
            "type": text(self.kind),
            "compression": text("none"),
        }
        if self.load is not None:
            node["load"] = cell(self.load)
        if self.algorithm is not None:
            digest = self.digest
            if digest is None:
                digest = hashlib.new(self.algorithm, self.data).digest()
            node["hash-1"] = {"value": digest, "algo": text(self.algorithm)}
        return node


@dataclass(frozen=True)
class Fit:
    """The whole: without configurations, which an update does not look at.

    :param timestamp: seconds since 1970; a constant, so that equal images are equal bytes.
    """

    images: tuple[FitImage, ...]
    description: str = "made by ubtest"
    timestamp: int = 0

    def pack(self) -> bytes:
        return flatten(
            {
                "timestamp": cell(self.timestamp),
                "description": text(self.description),
                "images": {image.name: image.node() for image in self.images},
            }
        )
