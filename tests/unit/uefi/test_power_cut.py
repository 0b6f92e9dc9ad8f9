"""What a power cut is placed by and judged by: steps counted in files, regions, fsck's words."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.errors import CaseError, FirmwareError
from ubtest.media.disk import Disk, MiB, build_disk
from ubtest.uefi.power_cut import Fate, Region, damage, fate_of, holds
from ubtest.uefi.steps import Stage, Timeline, Watch, backdate, copy

OLD, IMAGE = b"old!" * 16, b"new1new2new3"
WRITTEN = IMAGE + b"\xff" * (len(OLD) - len(IMAGE))
AT = 8  # of the region in its flash
CAPSULE = "/EFI/UpdateCapsule/good.cap"


class Machine:
    """Flash and disk of a machine whose steps a test makes."""

    def __init__(self, folder: Path) -> None:
        self.flash, self.disk = folder / "flash.img", folder / "disk.img"
        self.flash.write_bytes(bytes(AT) + OLD)
        self.disk.write_bytes(bytes(2 * MiB))

    def erase(self) -> None:
        self._write(self.flash, AT, b"\xff" * len(OLD))

    def write(self, data: bytes, at: int = 0) -> None:
        self._write(self.flash, AT + at, data)

    def store(self, data: bytes) -> None:
        self._write(self.disk, MiB + 512, data)

    @staticmethod
    def _write(path: Path, at: int, data: bytes) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(data)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def watch(machine: Machine) -> Iterator[Watch]:
    watch = Watch(machine.flash, slice(AT, AT + len(OLD)), IMAGE, machine.disk)
    yield watch
    watch.close()


def test_every_step_of_an_update_is_counted(machine, watch):
    seen = [watch.look()]
    for step in (
        lambda: machine.store(b"request is gone"),
        machine.erase,
        lambda: machine.write(IMAGE[:4]),
        lambda: machine.write(IMAGE[:12]),
        lambda: machine.store(b"result"),
    ):
        step()
        seen += [watch.look(), watch.look()]
    assert seen == [0, 1, 1, 2, 2, 3, 3, 5, 5, 6, 6]
    assert watch.timeline == Timeline((1, 6), 2, 3)


def test_half_an_erase_is_no_step(machine, watch):
    machine.write(b"\xff" * (len(OLD) - 4))
    assert watch.look() == 0


def test_half_a_word_is_no_step(machine, watch):
    machine.erase()
    machine.write(IMAGE[:3])
    assert watch.look() == 1


def test_an_update_that_did_not_write_all_has_no_timeline(machine, watch):
    machine.erase()
    machine.write(IMAGE[:8])
    watch.look()
    with pytest.raises(FirmwareError, match="8 bytes of 12"):
        _ = watch.timeline


TIMELINES = st.builds(
    lambda before, words, after: Timeline(
        (*range(1, before + 1), *range(before + words + 2, before + words + after + 2)),
        before + 1,
        words,
    ),
    st.integers(0, 5),
    st.integers(100, 3000),
    st.integers(0, 20),
)


@given(TIMELINES, st.integers(28, 100))
def test_cuts_are_many_rising_and_behind_every_step_outside_of_the_words(timeline, number):
    cuts = timeline.cuts(number)
    assert len(cuts) == number
    assert list(cuts) == sorted(set(cuts))
    assert (cuts[0], cuts[-1]) == (0, timeline.steps)
    assert {*timeline.disk, timeline.erased, timeline.erased + timeline.words} <= set(cuts)


@given(TIMELINES, st.integers(40, 100))
def test_cuts_in_the_words_are_evenly_spread(timeline, number):
    end = timeline.erased + timeline.words
    inside = [cut for cut in timeline.cuts(number) if timeline.erased <= cut <= end]
    gaps = [after - before for before, after in pairwise(inside)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("number", [5, 2000])
def test_a_number_of_cuts_that_there_is_no_room_for(number):
    with pytest.raises(CaseError, match=f"{number} cuts: this update takes 6 to 1005"):
        Timeline((1, 1003, 1004), 2, 1000).cuts(number)


def test_stages():
    timeline = Timeline((1, 13), 2, 10)
    stages = [timeline.stage(step) for step in range(timeline.steps + 1)]
    assert stages == [Stage.BEFORE] * 2 + [Stage.FLASH] * 10 + [Stage.AFTER] * 2


@pytest.mark.parametrize(
    ("region", "what"),
    [
        (OLD, Region.OLD),
        (WRITTEN, Region.NEW),
        (b"\xff" * len(OLD), Region.TORN),
        (WRITTEN[:8] + b"\xff" * (len(OLD) - 8), Region.TORN),
        (IMAGE + OLD[len(IMAGE) :], Region.TORN),
        (WRITTEN[:-1] + b"\x00", Region.TORN),
    ],
)
def test_what_a_region_holds(region, what):
    assert holds(region, OLD, IMAGE) is what


@pytest.mark.parametrize(
    ("cut", "now", "fate"),
    [
        (Region.NEW, Region.NEW, Fate.NEW),
        (Region.TORN, Region.NEW, Fate.REAPPLIED),
        (Region.OLD, Region.NEW, Fate.REAPPLIED),
        (Region.OLD, Region.OLD, Fate.OLD),
        (Region.TORN, Region.TORN, Fate.TORN),
        (Region.NEW, Region.TORN, Fate.TORN),
        (Region.OLD, Region.TORN, Fate.TORN),
    ],
)
def test_fates(cut, now, fate):
    assert fate_of(cut, now) is fate


GOOD = "fsck.fat 4.2 (2021-01-31)\n/tmp/esp.fat: 5 files, 8/31673 clusters\n"
DELETING = f"""\
fsck.fat 4.2 (2021-01-31)
FATs differ but appear to be intact.
  Using first FAT.
{CAPSULE}
  Contains a free cluster (4). Assuming EOF.
{CAPSULE}
  File size is 9626 bytes, cluster chain length is 0 bytes.
  Truncating file to 0 bytes.

Leaving filesystem unchanged.
/tmp/esp.fat: 5 files, 3/31673 clusters
"""


@pytest.mark.parametrize("said", [GOOD, DELETING])
def test_damage_that_costs_nothing(said):
    assert damage(said, CAPSULE) == ()


@pytest.mark.parametrize(
    "line",
    [
        "/ubootefi.var\n  File size is 832 bytes, cluster chain length is 0 bytes.",
        "Bad boot sector",
    ],
)
def test_damage_of_anything_else_is_found(line):
    assert damage(DELETING.replace("\n\n", f"\n{line}\n\n"), CAPSULE) == (line.replace("\n ", ""),)


def test_the_folder_of_the_capsule_is_not_the_capsule():
    line = "/EFI/UpdateCapsule\n  Start does point to root directory. Deleting dir."
    assert len(damage(f"{GOOD}{line}\n", CAPSULE)) == 1


@pytest.mark.parametrize("short", [b"UBOOTEFIVAR", b"UBOOTE~1VAR"])
def test_a_backdated_store_has_the_date_of_old_and_nothing_else_is_new(tmp_path, short):
    disk = build_disk(tmp_path / "disk.img", {"ubootefi.var": b"variables", "other": b"file"})
    image = bytearray(disk.path.read_bytes().replace(b"UBOOTEFIVAR", short))
    date = image.index(short) + 22
    image[date : date + 4] = b"\x11\x22\x33\x44"
    disk.path.write_bytes(image)

    backdate(disk)

    image[date : date + 4] = b"\x00\x00\x21\x00"
    assert disk.path.read_bytes() == image


def test_a_copy_has_the_same_bytes(tmp_path):
    whole = bytes(2 * MiB) + b"something" + bytes(MiB)
    (tmp_path / "whole").write_bytes(whole)
    for start in (0, MiB):
        copy(tmp_path / "whole", tmp_path / "part", start)
        assert (tmp_path / "part").read_bytes() == whole[start:]


def test_a_disk_without_a_store_cannot_be_backdated(tmp_path):
    disk: Disk = build_disk(tmp_path / "disk.img", {"other": b"file"})
    with pytest.raises(FirmwareError, match=r"ubootefi\.var"):
        backdate(disk)
