"""images/*.yaml: read, or refused with file, line and what is allowed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.media.damage import DAMAGES
from ubtest.media.declaration import read_image, tables
from ubtest.media.spec import Partition
from ubtest.probe.orders import SLOT
from ubtest.project import Project

PROJECT = Project.find(Path(__file__))
GOOD = """\
size: 32M
identity: mine
damage: [header-crc]
partitions:
  - name: data
    kind: basic-data
    fat: 32
    size: 2M
    label: DATA
    logical: no
    files:
      a.txt: {text: "some text"}
      b.bin: {hex: 00ff}
      c: {file: beside.bin}
      d.efi: {probe: x64, nonce: abc}
  - {kind: linux, fat: none, logical: yes}
"""


def read(tmp_path: Path, text: str):
    path = tmp_path / "image.yaml"
    path.write_text(text)
    return read_image(path, PROJECT)


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "beside.bin").write_bytes(b"beside")
    image = read(tmp_path, GOOD)
    assert (image.table, image.size, image.identity) == ("gpt", 32 << 20, "mine")
    assert image.damage == ("header-crc",)
    first, second = image.partitions
    assert (first.name, first.kind, first.fat) == ("data", "basic-data", 32)
    assert (first.size, first.label) == (2 << 20, "DATA")
    assert (first.files["a.txt"], first.files["b.bin"], first.files["c"]) == (
        b"some text",
        b"\x00\xff",
        b"beside",
    )
    assert SLOT + b"nonce=abc " in first.files["d.efi"]
    assert not first.logical
    assert second == Partition(kind="linux", fat=None, logical=True)


def test_the_identity_is_the_name_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, "partitions: [{}]").identity == "image"


@pytest.mark.parametrize("path", sorted((PROJECT.root / "images").glob("*.yaml")), ids=str)
def test_the_images_of_the_repository(path: Path) -> None:
    assert read_image(path, PROJECT).partitions


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a: [", ":1: not YAML"),
        ("just text", ":1: an image is a mapping of table, size"),
        ("size: 1M", ":1: an image has `partitions`"),
        ("partitions: []", "an image has `partitions`"),
        ("partitions: [{}]\nsize: 1\nsize: 2", ":3: 'size' stands there twice"),
        ("partitions: [{}]\ncolour: red", ":2: 'colour' is not one of table"),
        ("partitions: [{}]\nsize: big", ":2: size must be a number with K, M or G"),
        ("partitions: [{}]\nsize: -1M", ":2: size must be"),
        ("partitions: [{logical: 1}]", ":1: logical must be one of yes, no"),
        ("partitions: [{}]\ntable: apm", ":2: table must be one of gpt, mbr, iso"),
        ("partitions: [{}]\ndamage: [rust]", ":2: damage must be a list of backup-gpt-only"),
        ("partitions:\n  - fat: 8", ":2: fat must be one of 12, 16, 32, none"),
        ("partitions:\n  - files: [a]", ":2: files must be a mapping"),
        ("partitions:\n  - files: {a: text}", ":2: a file's content is a mapping"),
        ("partitions:\n  - files: {a: {}}", ":2: a file's content is one of"),
        ("partitions:\n  - files: {a: {text: a, hex: 00}}", "is one of text, hex"),
        ("partitions:\n  - files: {a: {text: a, nonce: b}}", "nonce goes with probe"),
        ("partitions:\n  - files: {a: {hex: 0}}", ":2: hex must be pairs of hex digits"),
        ("partitions:\n  - files: {a: {file: none}}", ":2: cannot read"),
        ("partitions:\n  - files: {a: {file: .}}", ":2: "),
        ("partitions:\n  - files: {a: {probe: vax}}", ":2: probe must be one of aa64, arm, x64"),
        ("partitions:\n  - files: {a: {probe: x64, nonce: 'a b'}}", ":2: nonce must be"),
        ("partitions:\n  - files: {a: {bundle: ../x}}", "no firmware for"),
        ("partitions:\n  - files: {a: {kernel: debian:6.1}}", ":2: kernel must be ORIGIN/Image"),
        ("partitions:\n  - files: {a: {kernel: debian:6.1/x}}", ":2: kernel must be ORIGIN/Image"),
        ("partitions:\n  - files: {a: {bundle: qemu-arm64/../x}}", ":2: bundle must be BOARD/NAME"),
        ("partitions: &a [*a]", "a partition is a mapping"),
        ("x" * (2 << 20), "larger than 1 MiB"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    from ubtest.errors import UbtestError

    with pytest.raises(UbtestError) as raised:
        read(tmp_path, text)
    assert says in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot read"):
        read_image(tmp_path / "none.yaml", PROJECT)


def test_the_document_has_the_tables() -> None:
    text = (PROJECT.root / "docs" / "images.md").read_text()
    assert tables().strip() in text
    for name, damage in DAMAGES.items():
        word = "must boot" if damage.boots else "must not boot"
        assert f"| `{name}` | {word} | {damage.changes} |" in text


@dataclass(frozen=True)
class FakeKernel:
    image: Path
    initrd: Path


def test_a_kernel_of_the_cache_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Image").write_bytes(b"kernel")
    (tmp_path / "initrd.gz").write_bytes(b"initramfs")
    asked = []

    def find(origin: str) -> FakeKernel:
        asked.append(origin)
        return FakeKernel(tmp_path / "Image", tmp_path / "initrd.gz")

    monkeypatch.setattr("ubtest.kernel.bundle.find", find)
    text = "partitions:\n  - files: {a: {kernel: debian:6.1/Image}, b: {kernel: my/linux/initrd}}\n"
    assert read(tmp_path, text).partitions[0].files == {"a": b"kernel", "b": b"initramfs"}
    assert asked == ["debian:6.1", "my/linux"]


def test_a_kernel_that_is_not_there_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UBTEST_CACHE", str(tmp_path / "cache"))
    with pytest.raises(HostError, match="not in the cache") as raised:
        read_image(PROJECT.root / "images" / "linux.yaml", PROJECT)
    assert raised.value.next_step == "ubtest kernel get debian:6.1"
