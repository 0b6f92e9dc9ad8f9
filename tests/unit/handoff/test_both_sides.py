"""Both sides are read exactly, or it is said what is wrong with them."""

import io
import tarfile
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from ubtest.errors import CaseError, FirmwareError
from ubtest.formats.fdt import flatten, text
from ubtest.handoff.firmware_side import read_tree
from ubtest.handoff.survey import Survey
from ubtest.handoff.target_side import gather
from ubtest.lab.memory import read_memory

BASE = 0x40000000
TREE = flatten({"model": text("board")})


@dataclass
class Console:
    """U-Boot's `md` on some memory."""

    memory: bytes
    said: list[str] = field(default_factory=list)

    def check(self, line: str, timeout: float = 10) -> str:
        self.said.append(line)
        command, start, size = line.split()
        assert command == "md.b"
        at = int(start, 16) - BASE
        data = self.memory[at : at + int(size, 16)]
        rows = (data[row : row + 16] for row in range(0, len(data), 16))
        return "\n".join(f"{BASE + at:08x}: {row.hex(' ')} ; text" for row in rows)


def board(memory: bytes, *, behind: bool):
    """A board whose memory can be read behind U-Boot's back, or only by it."""
    machine = SimpleNamespace(
        read_memory=lambda address, size: (
            memory[address - BASE : address - BASE + size] if behind else None
        )
    )
    return SimpleNamespace(machine=machine, uboot=Console(memory))


@pytest.mark.parametrize("behind", [True, False])
def test_the_tree_without_the_room_behind_it(behind):
    roomy = TREE[:4] + (0x10000).to_bytes(4, "big") + TREE[8:] + bytes(0x10000)
    assert read_tree(board(roomy, behind=behind), BASE) == TREE


def test_no_tree_where_one_should_be():
    with pytest.raises(FirmwareError, match="no device tree at 0x40000000"):
        read_tree(board(b"\xff" * 64, behind=True), BASE)


def test_memory_that_md_does_not_show_in_full():
    with pytest.raises(FirmwareError, match="`md` shows 16 bytes of 32"):
        read_memory(board(bytes(16), behind=False), BASE, 32)


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


@pytest.fixture
def answering(monkeypatch):
    """A target whose shell gives some survey, and then these bytes."""
    monkeypatch.setattr(Survey, "gather", lambda shell: Survey({"dmesg": b"log"}))
    return lambda files: SimpleNamespace(run=lambda line, timeout=30: SimpleNamespace(output=files))


def test_files_by_their_paths(answering):
    found = gather(answering(packed({"./proc/iomem": b"x", "./efi/platform": b""})))
    assert found.files == {"dmesg": b"log", "proc/iomem": b"x", "efi/platform": b""}


@pytest.mark.parametrize("said", [b"", b"sh: tar: not found\n", packed({"./a": b"b"})[:20]])
def test_a_shell_that_cannot(answering, said):
    with pytest.raises(CaseError, match="gave no files") as error:
        gather(answering(said))
    assert "tar" in error.value.next_step
