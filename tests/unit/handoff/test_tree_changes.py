"""Every difference of two trees is found, and only named ones are allowed."""

from ubtest.formats.device_tree import DeviceTree, Reservation
from ubtest.formats.fdt import cell, flatten, parse, text
from ubtest.handoff.device_tree import (
    BOOT_CPU,
    NODE,
    ORDER,
    RESERVATIONS,
    Setting,
    changes,
    findings,
    shown,
)

MAC = bytes.fromhex("525400aabbcc")
NIC = {"compatible": text("nic")}
TREE = {
    "#address-cells": cell(1),
    "#size-cells": cell(1),
    "aliases": {"ethernet1": text("/nic@1"), "serial0": text("/uart")},
    "chosen": {"kaslr-seed": b"\1" * 8, "rng-seed": b"\2" * 8},
    "memory": {"device_type": text("memory"), "reg": cell(0x40000000) + cell(0x1000)},
    "nic@1": NIC,
    "nic@2": NIC,
    "uart": {},
}


def tree(root=TREE, **more) -> DeviceTree:
    return parse(flatten({**root, **more}))


def whats(before: DeviceTree, after: DeviceTree) -> list[tuple[str, str]]:
    return [(each.path, each.name) for each in changes(before, after)]


def test_the_same_is_the_same():
    assert changes(tree(), tree()) == ()


def test_a_property_that_changed_came_or_went():
    before = tree(uart={"a": b"1", "b": b"2"})
    after = tree(uart={"b": b"3", "c": b""})
    assert [(each.name, each.before, each.after) for each in changes(before, after)] == [
        ("a", b"1", None),
        ("b", b"2", b"3"),
        ("c", None, b""),
    ]


def test_a_node_that_came_or_went_with_what_is_in_it():
    one, other = tree(), tree(uart={"sub": {"x": b"1"}})
    assert whats(one, other) == [("/uart/sub", NODE), ("/uart/sub", "x")]
    assert whats(other, one) == whats(one, other)


def test_the_order_of_nodes_counts():
    before = {"b": {}, "c": {}}
    assert whats(tree(before), tree({"c": {}, "b": {}})) == [("/", ORDER)]
    assert whats(tree(before), tree({"a": {}, **before})) == [("/a", NODE)]


def test_reservations_and_boot_cpu():
    before = parse(flatten(TREE, (Reservation(0x1000, 0x1000),), 0))
    after = parse(flatten(TREE, (), 1))
    assert whats(before, after) == [("/", RESERVATIONS), ("/", BOOT_CPU)]


def wrong(after: DeviceTree, told: Setting, before: DeviceTree | None = None) -> list[str]:
    found = findings(before or tree(), after, told)
    return [each.what.partition(":")[0] for each in found]


def chosen(**properties: bytes) -> DeviceTree:
    return tree(chosen={name.replace("_", "-"): value for name, value in properties.items()})


def test_seeds_may_go_or_be_zero_and_nothing_else():
    told = Setting()
    assert wrong(chosen(kaslr_seed=bytes(8)), told) == []
    assert wrong(chosen(), told) == []
    assert wrong(chosen(kaslr_seed=b"\3" * 8), told) == ["/chosen kaslr-seed"]
    assert wrong(chosen(rng_seed=bytes(8)), told) == ["/chosen rng-seed"]


def test_what_the_stub_does_is_not_allowed_without_it():
    before = parse(flatten({**TREE, "chosen": {}}, (Reservation(0x1000, 0x1000),)))
    after = tree(chosen={"linux,uefi-system-table": bytes(8)})
    assert wrong(after, Setting(), before) == []
    without = wrong(after, Setting(uefi=False), before)
    assert without == ["/chosen linux,uefi-system-table"]
    assert wrong(tree(chosen={"linux,initrd-start": bytes(8)}), Setting()) == [
        "/chosen linux,initrd-start"
    ]


def test_mac_addresses_by_alias_and_environment():
    told = Setting(macs={1: MAC})
    good = {"nic@1": {**NIC, "local-mac-address": MAC}}
    assert wrong(tree(**good), told) == []
    assert wrong(tree(), told) == ["/nic@1 has none of 52"]
    assert wrong(tree(**good), Setting()) == ["/nic@1 local-mac-address"]
    other = {"nic@2": {**NIC, "local-mac-address": MAC}}
    assert wrong(tree(**good, **other), told) == ["/nic@2 local-mac-address"]


def test_memory_nodes_are_the_banks_or_unchanged():
    banks = ((0x40000000, 0x2000),)
    after = tree(memory={**TREE["memory"], "reg": cell(0x40000000) + cell(0x2000)})
    assert wrong(after, Setting(banks=banks)) == []
    assert wrong(after, Setting()) == ["/memory reg"]


def test_other_nodes_are_nobodys():
    assert wrong(tree(uart={"status": text("disabled")}), Setting()) == ["/uart status"]


def test_properties_for_a_person():
    assert shown(None) == "(not there)"
    assert shown(b"") == "(empty)"
    assert shown(text("a") + text("bc")) == '"a", "bc"'
    assert shown(cell(1) + cell(0)) == "<0x1 0x0>"
    assert shown(MAC) == "[52 54 00 aa bb cc]"
