"""`explain` says what is there, names the field at fault, and survives anything."""

import random
import struct
import time
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ubtest.formats.capsule import Capsule, CapsuleHeader
from ubtest.formats.explain import explain
from ubtest.formats.explanation import Explanation
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CERT_X509, FW_ACCEPT, FW_REVERT, UX_CAPSULE, Guid
from ubtest.formats.image_headers import ImageHeader1, ImageHeader2

QEMU = Guid.of("058b7d83-50d5-4c47-a195-60d86ad341c4")
PLAIN = FmpPayload(QEMU, b"firmware")
SIGNED = replace(PLAIN, signature=b"not DER", fw_version=5, vendor_code=b"vendor")
GOOD = Capsule((SIGNED,))


def values(explanation: Explanation, part: str) -> dict[str, int | str]:
    """Field -> value of the part with that title."""
    (found,) = [each for each in explanation.parts if each.title == part]
    return {field.name: field.value for field in found.fields}


def findings(data: bytes) -> list[str]:
    return [f"{each.field} {each.text}" for each in explain(data).findings]


def test_a_good_capsule_has_no_findings_and_every_field_with_its_offset() -> None:
    explanation = explain(GOOD.pack())
    assert explanation.findings == ()
    assert explanation.kind == "a firmware management capsule, 1 payload"
    offsets = {field.name: field.offset for part in explanation.parts for field in part.fields}
    assert offsets["CapsuleGuid"] == 0
    assert offsets["ItemOffsetList[0]"] == 0x24
    assert offsets["UpdateImageTypeId"] == 0x30
    assert offsets["AuthInfo.CertData"] == 0x7C
    assert offsets["FwVersion"] == 0x7C + 7 + 8
    assert values(explanation, "payload 0: image") == {"image": "8 bytes"}


def test_it_says_whose_firmware_it_is() -> None:
    lines = list(explain(GOOD.pack()).lines())
    assert any(line.endswith(f"{QEMU}  QEMU arm64: U-Boot") for line in lines)


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        (replace(GOOD, guid=QEMU), f"CapsuleGuid {QEMU} is of no known kind of capsule"),
        (replace(GOOD, header_size=8), "HeaderSize is less than 28: what follows is read from"),
        (
            replace(GOOD, image_size=0xFFFF),
            f"CapsuleImageSize leads {0xFFFF - len(GOOD.pack())} beyond the file",
        ),
        (replace(GOOD, trailing=b"more"), "CapsuleImageSize leaves 4 bytes behind it"),
        (replace(GOOD, flags=0x40000), "Flags needs PERSIST_ACROSS_RESET for the other two"),
        (replace(GOOD, flags=0x90000), "Flags has bits without a meaning: 0x80000"),
        (replace(GOOD, fmp_version=2), "Version is 2; there is 1 only"),
        (replace(GOOD, payload_item_count=0), "PayloadItemCount is 0: there is nothing to update"),
        (replace(GOOD, item_offsets=(1 << 40,)), "ItemOffsetList[0] leads beyond the file"),
        (replace(GOOD, item_offsets=((1 << 64) - 1,)), "ItemOffsetList[0] leads beyond the file"),
        (replace(GOOD, item_offsets=(4,)), "ItemOffsetList[0] leads into the headers before it"),
    ],
)
def test_what_is_wrong_outside_names_the_field(broken: Capsule, finding: str) -> None:
    assert any(each.startswith(finding) for each in findings(broken.pack())), findings(
        broken.pack()
    )


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"header_version": 7}, "Version is 7; U-Boot takes 3 only"),
        ({"index": 0}, "UpdateImageIndex is 0; indices start at 1"),
        ({"reserved": b"\0\1\0"}, "reserved_bytes are not 0"),
        ({"image_size": 1000}, "UpdateImageSize leads 931 beyond the file"),
        ({"vendor_code_size": 99}, "UpdateVendorCodeSize leads beyond the file"),
        ({"certificate_length": 24}, "AuthInfo.Hdr.dwLength leaves nothing for a signature"),
        ({"certificate_length": 0xFFFFFF00}, "AuthInfo.Hdr.dwLength leads 4294966985 beyond"),
        ({"certificate_revision": 1}, "AuthInfo.Hdr.wRevision is 0x1, must be 0x200"),
        ({"certificate_kind": 2}, "AuthInfo.Hdr.wCertificateType is 0x2, must be 0xef1"),
        ({"certificate_type": CERT_X509}, "AuthInfo.CertType is a5c059a1-"),
        ({"version_header_size": 999}, "HeaderSize is 999, not 16; U-Boot does not check it"),
        ({"image": b""}, "image is empty"),
        ({"image": struct.pack(">II", 0xD00DFEED, 9999)}, "totalsize of the FIT is 9999, too"),
    ],
)
def test_what_is_wrong_in_a_payload_names_the_field(
    change: dict[str, object], finding: str
) -> None:
    payload = replace(SIGNED, **change)  # type: ignore[arg-type]
    found = findings(Capsule((payload,)).pack())
    assert any(each.startswith(f"payload 0: {finding}") for each in found), found


def test_several_payloads_drivers_and_gaps() -> None:
    driver, gap = b"MZ" + bytes(30), bytes(5)
    payload = PLAIN.pack()
    first = 8 + 3 * 8
    offsets = (first, first + len(driver), first + len(driver) + len(payload) + len(gap))
    capsule = replace(
        Capsule(()),
        embedded_driver_count=1,
        payload_item_count=2,
        item_offsets=offsets,
        trailing=driver + payload + gap + payload,
    )
    data = replace(capsule, image_size=len(capsule.pack())).pack()
    explanation = explain(data)
    assert values(explanation, "driver 0") == {"EmbeddedDriver": "32 bytes"}
    assert values(explanation, "payload 1: image") == {"image": "8 bytes"}
    (finding,) = explanation.findings
    assert str(finding).endswith("capsule has 5 bytes here that no field leads to")
    assert finding.offset == 28 + offsets[1] + len(payload)


def test_payloads_that_overlap() -> None:
    data = replace(Capsule((SIGNED, SIGNED)), item_offsets=(24, 30)).pack()
    assert "payload 1: payload overlaps another one" in findings(data)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (ImageHeader1(1, QEMU, 1, bytes(3), 8, 0), {"UpdateHardwareInstance"}),
        (ImageHeader2(2, QEMU, 1, bytes(3), 8, 0, 4), {"ImageCapsuleSupport"}),
    ],
)
def test_older_image_headers_are_shorter(
    header: ImageHeader1 | ImageHeader2, missing: set[str]
) -> None:
    body = header.pack() + b"firmware"
    capsule = replace(
        Capsule(()), payload_item_count=1, item_offsets=(16,), trailing=body, image_size=44
    )
    data = replace(capsule, image_size=len(capsule.pack())).pack()
    explanation = explain(data)
    shown = values(explanation, f"payload 0: {header.spec_name}")
    assert not missing & shown.keys()
    assert values(explanation, "payload 0: image") == {"image": "8 bytes"}
    assert [f.field for f in explanation.findings] == ["payload 0: Version"]


def test_an_older_header_does_not_say_that_it_is_signed_but_the_signature_does() -> None:
    body = SIGNED.pack()[48:]
    header = ImageHeader1(1, QEMU, 1, bytes(3), len(body) - 6, 6)
    capsule = replace(
        Capsule(()), payload_item_count=1, item_offsets=(16,), trailing=header.pack() + body
    )
    explanation = explain(capsule.pack())
    assert values(explanation, "payload 0: signature") == {"AuthInfo.CertData": "7 bytes"}


@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        (CapsuleHeader(FW_REVERT, 28, 0, 28).pack(), "U-Boot's FWU: the operating system asks", 0),
        (
            CapsuleHeader(FW_ACCEPT, 28, 0, 44).pack() + QEMU.wire,
            "U-Boot's FWU: the operating system accepts",
            0,
        ),
        (CapsuleHeader(UX_CAPSULE, 28, 0, 60).pack() + bytes(32), "a picture to show", 0),
        (b"", "empty", 1),
        (b"x" * 20, "too short for a capsule", 1),
    ],
)
def test_what_is_no_firmware_management_capsule(data: bytes, kind: str, found: int) -> None:
    explanation = explain(data)
    assert explanation.kind.startswith(kind)
    assert len(explanation.findings) == found


def test_the_largest_counts_take_no_time() -> None:
    broken = replace(GOOD, embedded_driver_count=0, payload_item_count=0xFFFF)
    start = time.monotonic()
    explanation = explain(broken.pack() + bytes(1 << 20))
    assert time.monotonic() - start < 1
    assert any("65470 more not shown" in str(each) for each in explanation.findings)


class Sparse:
    """A capsule's head in front of 4 GiB of zeros; counts what is read."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.read = 0

    def __len__(self) -> int:
        return 4 << 30

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(len(self))
        size = max(0, stop - start)
        self.read += size
        return self.head[start:stop].ljust(size, b"\0")


def test_an_image_is_never_read() -> None:
    head = Capsule((replace(PLAIN, image_size=0xFFFF0000, image=b""),)).pack()
    data = Sparse(head)
    tracemalloc.start()
    explanation = explain(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values(explanation, "payload 0: image") == {"image": f"{0xFFFF0000} bytes"}
    assert data.read < 1000
    assert peak < 1 << 20


@given(st.binary(max_size=300))
def test_any_bytes_are_explained(data: bytes) -> None:
    assert explain(data).size == len(data)
    assert list(explain(data).lines())


@settings(max_examples=300)
@given(st.data())
def test_any_mutation_of_a_good_capsule_is_explained(data: st.DataObject) -> None:
    wire = bytearray(Capsule((SIGNED, replace(PLAIN, fw_version=1))).pack())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(wire) - 1))
        width = data.draw(st.sampled_from((1, 2, 4, 8)))
        wire[at : at + width] = data.draw(
            st.sampled_from((b"\0" * width, b"\xff" * width)) | st.binary(min_size=1, max_size=8)
        )
    cut = data.draw(st.integers(0, len(wire)))
    for offered in (bytes(wire), bytes(wire[:cut])):
        assert list(explain(offered).lines())


def test_a_megabyte_of_noise_is_explained_at_once() -> None:
    noise = bytearray(random.Random(0).randbytes(1 << 20))
    noise[:16] = GOOD.pack()[:16]
    noise[16:20] = (28).to_bytes(4, "little")
    start = time.monotonic()
    assert explain(bytes(noise)).findings
    assert time.monotonic() - start < 1
