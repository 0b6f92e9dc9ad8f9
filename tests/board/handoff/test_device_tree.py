"""The kernel's device tree is the one that U-Boot handed over."""

import pytest
from handoff_plans import MAC, WITH_MAC, WITHOUT_ALIAS, WITHOUT_MAC

from ubtest.handoff.device_tree import RULE, changes, findings

pytestmark = pytest.mark.needs("linux")

ADDRESS = "local-mac-address"


def test_nodes_and_properties_outside_of_chosen_are_the_same(plain):
    assert {each.path for each in changes(plain.before, plain.after)} == {"/chosen"}


def test_another_tree_than_believed_is_caught(plain, rich):
    """U-Boot hands over an edited copy, the test believes in the tree of another boot."""
    found = findings(plain.before, rich.after, rich.told)
    assert {each.rule for each in found} == {RULE}
    caught = " ".join(each.what for each in found)
    for edited in ("/reserved-memory/hole@46000000 no-map", "/chosen linux,pci-probe-only"):
        assert edited in caught


def test_mac_address_where_an_alias_and_the_environment_name_one(rich):
    mac = bytes.fromhex(MAC.replace(":", ""))
    assert rich.before.at(WITH_MAC).properties == {}
    assert rich.after.at(WITH_MAC).properties == {ADDRESS: mac}


def test_no_mac_address_where_one_of_them_is_missing(rich):
    assert rich.after.at(WITHOUT_MAC).properties == {}
    assert rich.after.at(WITHOUT_ALIAS).properties == {}


def test_a_missing_mac_address_is_caught(rich):
    del rich.after.at(WITH_MAC).properties[ADDRESS]
    try:
        found = findings(rich.before, rich.after, rich.told)
    finally:
        rich.after.at(WITH_MAC).properties[ADDRESS] = bytes.fromhex(MAC.replace(":", ""))
    assert [each.what.split()[0] for each in found] == [WITH_MAC]
