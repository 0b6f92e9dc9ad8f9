"""U-Boot's own `mkeficapsule guidgen` as the oracle of computed image types."""

from pathlib import Path

import pytest

from ubtest.firmware.bundle import find
from ubtest.formats.fdt import flatten, text
from ubtest.formats.fw_image import NAMESPACE, computed_guid
from ubtest.formats.guid import Guid
from ubtest.run import run

OWN = Guid.of("1d64ee27-4a8f-4b2c-9f7e-6c4dd2a1b5f3")


@pytest.mark.parametrize("namespace", [None, OWN], ids=["default", "own"])
@pytest.mark.parametrize("compatible", ["sandbox", "a-vendor,board", "x"])
@pytest.mark.parametrize("fw_name", ["SANDBOX-UBOOT", "u-boot.bin", "A"])
def test_the_same_guid(
    namespace: Guid | None, compatible: str, fw_name: str, tmp_path: Path
) -> None:
    bundle = find("qemu-arm64")
    if bundle.config.get("EFI_CAPSULE_NAMESPACE_GUID") is None:
        pytest.skip(f"U-Boot {bundle.version} computes no GUIDs")
    assert bundle.mkeficapsule is not None
    tree = tmp_path / "board.dtb"
    # What follows the first compatible does not count
    tree.write_bytes(flatten({"compatible": text(compatible) + text("next")}))
    words = [str(namespace)] if namespace else []

    said = run([bundle.mkeficapsule, "guidgen", *words, tree, fw_name]).text

    last = said.splitlines()[-1]
    expected = computed_guid(namespace or NAMESPACE, compatible, fw_name)
    assert last.lower() == f"{fw_name}: {expected}".lower()
