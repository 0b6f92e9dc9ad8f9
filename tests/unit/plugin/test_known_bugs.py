"""The table of known bugs, and which versions an entry is about."""

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.versions import Version
from ubtest.plugin.known_bugs import Kernels, KnownBug, known_bug, known_bugs


def bug(**range_):
    versions = {key: Version.parse(text) for key, text in range_.items()}
    return KnownBug(
        "x",
        "title",
        **{"broken": None, "fixed": None, "last_seen": None, **versions},
        commit="c0ffee",
    )


@pytest.mark.parametrize(
    ("range_", "affected", "not_affected"),
    [
        ({}, ["2020.01", "2026.10"], []),
        ({"fixed": "2023.04-rc1"}, ["2023.01"], ["2023.04-rc1", "2025.01"]),
        (
            {"broken": "2022.04-rc3", "fixed": "2023.10-rc2"},
            ["2022.04", "2023.10-rc1"],
            ["2022.04-rc2", "2023.10-rc2", "2023.10"],
        ),
        ({"last_seen": "2023.01"}, ["2022.01", "2023.01"], ["2023.04", "2025.01"]),
        ({"broken": "2025.01", "last_seen": "2025.01"}, ["2025.01"], ["2023.01", "2025.04"]),
    ],
)
def test_the_range_decides(range_, affected, not_affected):
    entry = bug(**range_)
    assert [v for v in affected + not_affected if entry.affects(v)] == affected


def test_a_bug_of_linux_counts_by_the_release_of_the_kernel():
    kernels = Kernels(broken=(5, 19), fixed=None, last_seen=(6, 1))
    versions = ["5.18", "5.19", "6.1", "6.1.176", "6.2", "6.12"]
    assert [v for v in versions if kernels.affected(v)] == ["5.19", "6.1", "6.1.176"]
    with pytest.raises(CaseError, match="not a version of Linux"):
        kernels.affected("next")


def test_every_entry_has_a_title_and_says_where_its_fix_is():
    for entry in known_bugs().values():
        assert entry.title and entry.commit
        versions = entry.kernels or entry
        assert versions.fixed or versions.last_seen, f"{entry.name} has no end"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CaseError, match="capsule-max-missing"):
        known_bug("no-such-bug")
