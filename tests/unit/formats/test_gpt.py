"""Partition tables; sgdisk gives the second opinion."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.gpt import Gpt, GptPartition
from ubtest.formats.guid import ESP_TYPE, Guid
from ubtest.formats.record import FormatError
from ubtest.run import run

GUID = Guid.of("00112233-4455-6677-8899-aabbccddeeff")
ESP = GptPartition("EFI System", ESP_TYPE, GUID, 2048, 18431)
GPT = Gpt(GUID, (ESP, replace(ESP, name="zwei", first_lba=18432, last_lba=20446)), 20480)


def write(gpt: Gpt, path: Path) -> Path:
    with path.open("wb") as disk:
        disk.truncate(gpt.sectors * 512)
        for offset, piece in gpt.pack():
            disk.seek(offset)
            disk.write(piece)
    return path


def test_sgdisk_finds_no_problem_and_the_same_partitions(tmp_path: Path) -> None:
    disk = write(
        replace(GPT, partitions=(ESP, replace(GPT.partitions[1], unique_guid=ESP_TYPE))),
        tmp_path / "disk.img",
    )
    assert "No problems found" in run(["sgdisk", "-v", disk]).text
    shown = run(["sgdisk", "-i", "1", disk]).text
    assert f"Partition unique GUID: {str(GUID).upper()}" in shown
    assert "First sector: 2048 " in shown
    assert "Last sector: 18431 " in shown
    assert "Partition name: 'EFI System'" in shown


def test_the_protective_mbr_covers_the_disk() -> None:
    head = GPT.pack()[0][1]
    assert head[446:462] == bytes.fromhex("00 000200 ee ffffff 01000000 ff4f0000")
    assert head[510:512] == b"\x55\xaa"


def test_head_and_tail_are_the_first_34_and_the_last_33_sectors() -> None:
    (at, head), (tail_at, tail) = GPT.pack()
    assert (at, len(head)) == (0, 34 * 512)
    assert (tail_at, len(tail)) == ((20480 - 33) * 512, 33 * 512)
    assert head[512:520] == tail[-512:-504] == b"EFI PART"


def test_one_wrong_bit_anywhere_is_noticed() -> None:
    (_, head), (_, tail) = GPT.pack()
    for offset in (450, 510, 512, 530, 600, 1024, 1100, 1300):
        with pytest.raises(FormatError):
            Gpt.parse(_flipped(head, offset), tail)
    for offset in (0, 100, 300, len(tail) - 512, len(tail) - 470):
        with pytest.raises(FormatError):
            Gpt.parse(head, _flipped(tail, offset))


def test_a_backup_of_another_disk_is_noticed() -> None:
    other = replace(GPT, disk_guid=ESP_TYPE)
    with pytest.raises(FormatError, match="backup differs"):
        Gpt.parse(GPT.pack()[0][1], other.pack()[1][1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FormatError, match="129 partitions"):
        replace(GPT, partitions=(ESP,) * 129).pack()
    with pytest.raises(FormatError, match="67 sectors"):
        replace(GPT, sectors=67).pack()
    with pytest.raises(FormatError, match="36 units"):
        replace(ESP, name="x" * 37).pack()


def _flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


lba = st.integers(0, 2**64 - 1)
partitions = st.builds(
    GptPartition,
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=18),
    st.just(ESP_TYPE),
    st.binary(min_size=16, max_size=16).map(Guid),
    lba,
    lba,
    lba,
)


@given(st.lists(partitions, max_size=4).map(tuple), st.integers(68, 2**40))
def test_every_table_comes_back_from_its_sectors(
    wanted: tuple[GptPartition, ...], sectors: int
) -> None:
    gpt = Gpt(GUID, wanted, sectors)
    (_, head), (_, tail) = gpt.pack()
    assert Gpt.parse(head, tail) == gpt
