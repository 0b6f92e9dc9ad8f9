"""The pytest plugin: a board file on the command line turns pytest into the board suite."""

from ubtest.plugin.fixtures import (
    board,
    firmware,
    flash,
    kernel,
    keyring,
    linux,
    prompt,
    prompt_disk,
    results,
    uboot,
    variant,
)
from ubtest.plugin.hooks import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_itemcollected,
    pytest_report_header,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    pytest_sessionstart,
    pytest_terminal_summary,
)
from ubtest.plugin.recipes import pytest_collect_file
from ubtest.plugin.workers import (
    pytest_configure_node,
    pytest_handlecrashitem,
    pytest_sessionfinish,
    pytest_testnodedown,
)

__all__ = [
    "board",
    "firmware",
    "flash",
    "kernel",
    "keyring",
    "linux",
    "prompt",
    "prompt_disk",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_handlecrashitem",
    "pytest_itemcollected",
    "pytest_report_header",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "results",
    "uboot",
    "variant",
]
