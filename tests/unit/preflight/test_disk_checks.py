"""Checks of the disk: with one thing changed on it, one finds a problem."""

from dataclasses import replace

import pytest
from judged import only, unknown
from recorded import GPT, MBR, volume

from ubtest.preflight.facts import Unread


def test_no_disk(facts):
    finding = only(replace(facts, devices=(), volumes=(), stored=Unread("no disk")), "disk")
    assert "=> virtio scan" in finding.fix


def test_no_partition(facts):
    finding = only(replace(facts, volumes=(), stored=Unread("no disk")), "partitions")
    assert finding.fix[0].startswith("$ sgdisk --new")


@pytest.mark.parametrize(
    ("table", "kind", "fix"),
    [
        (GPT, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "$ sgdisk --typecode=1:ef00 esp.img"),
        (MBR, "ef Boot", "$ sfdisk --part-type esp.img 1 ef"),
    ],
)
def test_another_type_of_partition(facts, table, kind, fix):
    other = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7" if table == GPT else "0c Boot"
    wrong = volume(facts.volumes[0].files, table=table.replace(kind, other))
    finding = only(replace(facts, volumes=(wrong,), stored=Unread("no ESP")), "ESP")
    assert finding.fix == (fix,)


def test_a_file_system_that_is_not_read(facts):
    broken = replace(facts.volumes[0], root=None, capsules=None, files=(), store=None)
    finding = only(replace(facts, volumes=(broken,), stored=Unread("no FAT")), "file system")
    assert finding.fix == ("$ mkfs.vfat --offset=2048 esp.img 63488",)


def test_a_damaged_store(facts):
    damage = Unread("ubootefi.var is damaged: crc32")
    broken = replace(facts.volumes[0], store=damage)
    finding = only(replace(facts, volumes=(broken,), stored=damage), "variable store")
    assert "crc32" in finding.what
    assert {"request", "boot device"} <= unknown(replace(facts, volumes=(broken,), stored=damage))
