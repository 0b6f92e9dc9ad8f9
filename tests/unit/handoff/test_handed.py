"""Recorded handoffs are right, and each rule notices when one thing of them is another."""

import pytest
from handoffs import OLD, PLAIN, RICH, edited, handoff, survey

from ubtest.errors import CaseError, FirmwareError
from ubtest.formats.varstore import Variable
from ubtest.handoff import memory, pci, seeds, services, tables, variables
from ubtest.handoff.device_tree import MAC_RULE, RULE
from ubtest.handoff.handed import Handoff
from ubtest.handoff.survey import Survey
from ubtest.uefi.variables import parse


def rules(found: Handoff, held: tuple[Variable, ...] | None = None) -> set[str]:
    """The rules that do not hold."""
    held = parse(found.held("variables")) if held is None else held
    return {each.rule for subject in found.findings(held).values() for each in subject}


@pytest.mark.parametrize("name", [PLAIN, OLD, RICH])
def test_recorded_ones_are_right(name):
    assert rules(handoff(name)) == set()


WRONG = {
    "a property of the tree": (PLAIN, "fdt", b"linux,dummy-virt", b"linux,dummy-VIRT", {RULE}),
    "a MAC that is not the environment's": (
        RICH, "fdt", bytes.fromhex("525400aabbcc"), bytes.fromhex("525400aabbcd"), {RULE, MAC_RULE},
    ),
    "a hole that is used": (
        RICH, "proc__iomem", b"46000000-460fffff : reserved", b"46000000-460fffff : System RAM",
        {memory.NOT_TAKEN, memory.NO_MAP},
    ),
    "a reserved node that is free": (
        RICH, "proc__iomem", b"  46200000-463fffff : reserved\n", b"", {memory.KEPT},
    ),
    "an entry that is used": (
        RICH, "proc__iomem", b"46500000-465fffff : reserved", b"46500000-465fffff : System RAM",
        {memory.NOT_TAKEN, memory.ENTRY_KEPT},
    ),
    "RAM that is lost": (
        RICH, "proc__iomem", b"40000000-45ffffff : System RAM", b"40200000-45ffffff : System RAM",
        {memory.NOT_LOST},
    ),
    "RAM out of nowhere": (
        PLAIN, "proc__iomem", b"-4fffffff : System RAM", b"-500fffff : System RAM",
        {memory.NOT_INVENTED},
    ),
    "runtime memory that is used": (
        PLAIN, "proc__iomem", b"4f6a0000-4f6affff : reserved", b"4f6a0000-4f6affff : System RAM",
        {memory.NOT_TAKEN},
    ),
    "runtime memory that was given up": (
        PLAIN, "uboot__memmap", b"CONVENTIONAL     0000000040000000-0000",
        b"RUNTIME DATA     0000000040000000-0000", {memory.UNCHANGED},
    ),
    "memory that is missing from the map": (
        PLAIN, "uboot__memmap", b"-0000000050000000 WB", b"-0000000058000000 WB",
        {memory.NOT_LOST},
    ),
    "half a page": (
        PLAIN, "dmesg", b"efi:   0x00004f6a0000-", b"efi:   0x00004f6a0800-",
        {memory.WHOLE_PAGES, memory.NOT_LOST, memory.UNCHANGED},
    ),
    "a table that is not taken": (PLAIN, "dmesg", b" RTPROP=", b" RTPROB=", {tables.ALL_TAKEN}),
    "an SMBIOS entry point with a wrong sum": (
        PLAIN, "sys__firmware__dmi__tables__smbios_entry_point", b"_SM3_", b"_SM3_\0",
        {tables.SMBIOS},
    ),
    "an SMBIOS table without its end": (
        PLAIN, "sys__firmware__dmi__tables__DMI", b"\x7f\x04", b"\x7e\x04", {tables.SMBIOS},
    ),
    "an ESRT with another version": (
        PLAIN, "sys__firmware__efi__esrt__entries__entry0__fw_version", b"0", b"1", {tables.ESRT},
    ),
    "a flag without its service": (
        PLAIN, "efi__rt_properties", b"000025B000080001", b"000025F000080001", {services.ALIKE},
    ),
    "a service without its flag": (
        PLAIN, "efi__rt_properties", b"000025B000080001", b"0000259000080001",
        {services.ALIKE, services.FLAGS},
    ),
    "a table of another version": (
        PLAIN, "efi__rt_properties", b"000025B000080001", b"000025B000080002", {services.FLAGS},
    ),
    "a device that vanished": (
        PLAIN, "uboot__pci__0000:00:12.0", b"\x34\x12\xe8\x11", b"\x34\x12\xe9\x11",
        {pci.SAME_DEVICES},
    ),
    "a BAR that the kernel reads elsewhere": (
        PLAIN, "uboot__pci__0000:00:12.0", b"\x00\x00\x10\x10", b"\x00\x00\x20\x10", {pci.FOUND},
    ),
    "a device that sends interrupts": (
        PLAIN, "uboot__pci__0000:00:12.0", b"\x05\x00\x80\x00", b"\x05\x00\x81\x00", {pci.QUIET},
    ),
    "a BAR outside of all windows": (
        PLAIN, "sys__bus__pci__devices__0000:00:12.0__resource",
        b"0x0000000010000000 0x00000000100fffff", b"0x0000000000001000 0x00000000000010ff",
        {pci.PLACED},
    ),
    "a BAR that moved against linux,pci-probe-only": (
        RICH, "sys__bus__pci__devices__0000:00:12.0__config", b"\x00\x00\x10\x10",
        b"\x00\x00\x30\x10", {pci.KEPT},
    ),
    "buses of a bridge that changed": (
        RICH, "sys__bus__pci__devices__0000:00:14.0__config", b"\x00\x01\x01\x00",
        b"\x00\x02\x02\x00", {pci.FOUND},
    ),
    "a protocol for random numbers that is not used": (
        PLAIN, "uboot__handles", b"HII Database", b"Random Number Generator", {seeds.RANDOM},
    ),
    "a kernel at its usual place": (
        PLAIN, "dmesg", b"] KASLR enabled", b"] KASLR disabled due to lack of seed", {seeds.PLACED},
    ),
    "another option than the first": (
        PLAIN, "sys__firmware__efi__efivars__BootCurrent_8be4df61_93ca_11d2_aa0d_00e098032b8c",
        b"\x01\x00", b"\x00\x00", {variables.CURRENT},
    ),
    "a variable with another value": (
        PLAIN, "uboot__variables", b"65 6e 2d 55 53 00", b"66 6e 2d 55 53 00", {variables.ALIKE},
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_one_thing_is_another(wrong):
    name, key, before, after, expected = wrong
    assert rules(edited(name, key, before, after)) == expected


def test_a_seed_that_can_be_read():
    left = handoff(PLAIN, fdt=survey(PLAIN).files["uboot/fdt"])
    assert rules(left) == {seeds.SECRET}


def test_a_tree_that_was_edited_behind_the_back():
    """U-Boot hands over an edited copy; what is believed is the tree of another boot."""
    found = handoff(RICH, uboot__fdt=survey(PLAIN).files["uboot/fdt"])
    assert RULE in rules(found)


def test_another_board_in_smbios_than_u_boot_names():
    said = "System Information\n\\tManufacturer: QEMU\n\\tProduct Name: {}\n\\tVersion: 1\n"
    for product, count in (("QEMU Virtual Machine", 0), ("Another", 1)):
        assert len(tables.of_smbios(said.format(product), survey(PLAIN))) == count


def test_a_variable_that_the_kernel_does_not_see():
    found = handoff(PLAIN)
    held = parse(found.held("variables"))
    more = (*held, Variable("Lost", held[0].guid, 7, 0, b"x"))
    assert rules(found, more) == {variables.ALIKE}


def test_promised_tables():
    enabled = {"EFI_ESRT": True, "GENERATE_SMBIOS_TABLE": True, "EFI_LOADER": True}
    log = handoff(PLAIN).log
    assert tables.of_promises(enabled, log) == []
    (missing,) = tables.of_promises(enabled, log.replace(" ESRT=0x", " ESRX=0x"))
    assert "EFI_ESRT" in missing.what
    assert tables.of_promises({"EFI_ESRT": False}, log.replace(" ESRT=0x", " ESRX=0x")) == []


class TestBadInput:
    def test_no_device_tree_on_the_target(self):
        with pytest.raises(CaseError, match="no /sys/firmware/fdt") as error:
            rules(handoff(PLAIN, fdt=None))
        assert "ACPI" in error.value.next_step

    def test_a_broken_one(self):
        with pytest.raises(FirmwareError, match="the kernel's device tree is broken"):
            rules(handoff(PLAIN, fdt=b"\xd0\x0d\xfe\xed"))

    def test_a_target_that_was_up_already(self):
        with pytest.raises(CaseError, match="what U-Boot held"):
            rules(handoff(PLAIN, uboot__fdt=None))

    def test_a_kernel_that_does_not_print_its_map(self):
        log = b"\n".join(
            x for x in survey(PLAIN).files["dmesg"].split(b"\n") if b"efi:   0x" not in x
        )
        with pytest.raises(CaseError, match="memory map") as error:
            rules(handoff(PLAIN, dmesg=log))
        assert "efi=debug" in error.value.next_step

    def test_a_survey_of_nothing(self):
        with pytest.raises(CaseError):
            rules(Handoff(Survey({"dmesg": b""})))
