"""What the kernel got is what U-Boot held: every rule of every subject, on two boots."""

from dataclasses import replace

import pytest
from handoff_plans import KERNELS, PLAIN, RICH

from ubtest.formats.smbios import parse_structures, system
from ubtest.handoff import services, tables
from ubtest.handoff.variables import booted, variables
from ubtest.plugin.run_state import board_run

pytestmark = pytest.mark.needs("linux")

SUBJECTS = (
    "device tree",
    "memory",
    "seeds",
    "PCI",
    "tables",
    "SMBIOS",
    "ESRT",
    "runtime services",
    "variables",
)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_as_the_board_is(plain, held_variables, subject):
    assert plain.findings(held_variables(plain))[subject] == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_with_reservations_macs_bridge_and_rng(rich, held_variables, subject):
    assert rich.findings(held_variables(rich))[subject] == []


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("plan", [PLAIN, RICH], ids=["plain", "rich"])
def test_on_each_kernel(handed_over, held_variables, kernel, plan):
    found = handed_over(replace(plan, kernel=kernel))
    assert {
        name: wrong for name, wrong in found.findings(held_variables(found)).items() if wrong
    } == {}


def test_each_subject_is_judged(plain, held_variables):
    assert set(plain.findings(held_variables(plain))) == set(SUBJECTS)


def test_tables_that_the_configuration_promises(plain, firmware):
    enabled = {symbol: firmware.config.enabled(symbol) for symbol in tables.PROMISED}
    assert tables.of_promises(enabled, plain.log) == []


@pytest.mark.needs("EFI_ESRT")
def test_esrt_has_the_image_that_capsules_update(plain, request):
    image = board_run(request.config).board.image
    assert [each["fw_class"] for each in tables.esrt_of_kernel(plain.survey)] == [
        str(image.image_type)
    ]


@pytest.mark.needs("GENERATE_SMBIOS_TABLE")
def test_smbios_names_the_board(plain):
    said = system(parse_structures(plain.survey.files["sys/firmware/dmi/tables/DMI"]))
    assert said["Manufacturer"] and said["Product Name"]


def test_the_option_that_was_started_is_current(plain):
    option = booted(variables(plain.survey))
    assert option.description == "linux"
    assert plain.survey.text("cmdline").strip() in option.data.decode("utf-16-le", "replace")


def test_services_that_must_not_answer(plain, firmware):
    said = services.services(plain.survey).said
    assert said is not None
    volatile = firmware.config.enabled("EFI_RT_VOLATILE_STORE")
    assert ("SetVariable" in said) == volatile
    assert not said & {"GetTime", "SetTime", "UpdateCapsule", "QueryCapsuleCapabilities"}
