"""What a boot plan puts on its disk, and how the variables that come of it are read."""

from types import SimpleNamespace

import pytest

from ubtest.errors import CaseError, FirmwareError
from ubtest.firmware.versions import traits
from ubtest.formats.devpath import END
from ubtest.formats.devpath_text import parse_path
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.pe import AA64, X64
from ubtest.formats.varstore import Variable, parse_variables
from ubtest.uefi import boot_plan
from ubtest.uefi.boot_plan import BootPlan, Entry, machine_of, other_machine, partition
from ubtest.uefi.on_disk import VARIABLE_FILE
from ubtest.uefi.planned import options_in, order_of


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch):
    """A probe says who it is for and what it was told."""

    def said(arch, orders):
        return f"{arch} {orders.words}".encode()

    monkeypatch.setattr(boot_plan, "probe", said)


def files(plan, machine=AA64):
    (part,) = plan.image(machine).partitions
    return dict(part.files)


def stored(plan):
    return {each.name: each for each in parse_variables(files(plan)[VARIABLE_FILE])}


def nodes(plan, number=1):
    """The text of the nodes before the first end."""
    path = plan.option(number).path
    return [str(node) for node in parse_path(path[: path.index(END) + len(END)])]


def test_each_option_has_a_probe_of_its_own():
    plan = BootPlan({1: Entry(exit=5), 0xAB: Entry()}, run="run")
    assert files(plan)["0001.EFI"] == b"aa64 nonce=run-0001 exit=5"
    assert files(plan)["00AB.EFI"] == b"aa64 nonce=run-00AB exit=0"


def test_two_plans_have_different_nonces():
    assert BootPlan({1: Entry()}).orders(1).nonce != BootPlan({1: Entry()}).orders(1).nonce


def test_the_store_has_options_order_and_next():
    plan = BootPlan({2: Entry(), 1: Entry(value=b"any")}, order=(2, 1, 3), next=1)
    found = stored(plan)
    assert set(found) == {"Boot0001", "Boot0002", "BootOrder", "BootNext"}
    assert found["Boot0001"].data == b"any"
    assert options_in({"Boot0002": found["Boot0002"]}) == {2: plan.option(2)}
    assert order_of(found) == [2, 1, 3]
    assert found["BootNext"].data == b"\1\0"


def test_a_store_without_order():
    assert set(stored(BootPlan({1: Entry()}))) == {"Boot0001"}
    assert order_of({}) == []
    assert order_of(stored(BootPlan({}, order=()))) == []


@pytest.mark.parametrize(
    ("form", "kinds"),
    [("short", ["HD(", "\\0001.EFI"]), ("file", ["\\0001.EFI"]), ("partition", ["HD("])],
)
def test_forms_of_a_path(form, kinds):
    found = nodes(BootPlan({1: Entry(form=form)}))
    assert len(found) == len(kinds)
    assert all(node.startswith(kind) for node, kind in zip(found, kinds, strict=True))


def test_a_missing_disk_is_another_one():
    here, elsewhere = nodes(BootPlan({1: Entry()})), nodes(BootPlan({1: Entry(disk="elsewhere")}))
    assert here[0] != elsewhere[0]
    assert str(partition().unique_guid) in here[0]


def test_a_partition_leads_to_the_default_file_of_the_processor():
    entry = Entry(form="partition")
    assert "EFI/BOOT/BOOTAA64.EFI" in files(BootPlan({1: entry}))
    assert "EFI/BOOT/BOOTX64.EFI" in files(BootPlan({1: entry}), X64)


@pytest.mark.parametrize(
    ("file", "name", "start"),
    [
        ("other name", "EFI/BOOT/BOOTX64.EFI", b"aa64 "),
        ("other machine", "EFI/BOOT/BOOTAA64.EFI", b"x64 "),
        ("text", "EFI/BOOT/BOOTAA64.EFI", b"not a program"),
    ],
)
def test_a_default_file_that_must_not_start(file, name, start):
    found = files(BootPlan({1: Entry(form="partition", file=file)}))
    assert set(found) == {VARIABLE_FILE, name}
    assert found[name].startswith(start)


def test_no_file():
    assert set(files(BootPlan({1: Entry(file="none")}))) == {VARIABLE_FILE}


def test_an_initrd_is_named_behind_the_path_and_is_there():
    plan = BootPlan({1: Entry(initrd=b"initrd")})
    path, plain = plan.option(1).path, BootPlan({1: Entry()}).option(1).path
    assert path.startswith(plain)
    vendor, _, file = parse_path(path.removeprefix(plain))
    assert str(vendor) == f"VenMedia({boot_plan.INITRD})"
    assert str(file) == "\\0001.IMG"
    assert files(plan)["0001.IMG"] == b"initrd"


def test_an_initrd_that_is_not_there_is_still_named():
    plan = BootPlan({1: Entry(initrd=b"")})
    assert "0001.IMG" not in files(plan)
    assert plan.option(1) == BootPlan({1: Entry(initrd=b"initrd")}).option(1)


def test_another_processor():
    assert {other_machine(AA64), other_machine(X64)} == {AA64, X64}
    assert other_machine(AA64) is X64


def test_an_option_that_is_none_is_the_firmwares_fault():
    broken = Variable("Boot0001", GLOBAL_VARIABLE, 7, 0, b"\1")
    with pytest.raises(FirmwareError, match="Boot0001 is no load option"):
        options_in({"Boot0001": broken})


@pytest.mark.parametrize(
    ("arch", "version", "path"),
    [
        ("arm64", "2025.01", "EFI/BOOT/BOOTAA64.EFI"),
        ("x86_64", "2025.01", "EFI/BOOT/BOOTX64.EFI"),
        ("sandbox", "2023.01", "EFI/BOOT/BOOTX64.EFI"),
        ("sandbox", "2025.01", "EFI/BOOT/BOOTSBOX.EFI"),
    ],
)
def test_the_default_file_of_a_firmware(arch, version, path):
    assert machine_of(SimpleNamespace(arch=arch, traits=traits(version))).boot_path == path


def test_a_processor_without_a_probe():
    with pytest.raises(CaseError, match="no boot probe for a firmware of riscv"):
        machine_of(SimpleNamespace(arch="riscv", traits=traits("2025.01")))
