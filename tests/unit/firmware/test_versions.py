from itertools import pairwise

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.versions import Version, traits


def test_versions_compare_as_they_were_released() -> None:
    words = ["2023.01", "2024.10-rc6", "2024.10", "2025.01-rc1", "2025.01-rc10", "2025.01"]
    words += ["2025.01.1", "2025.04-rc1"]
    assert all(older < newer for older, newer in pairwise(map(Version.parse, words)))


@pytest.mark.parametrize("text", ["2025.01", "2025.04-rc1", "2025.01.1", "2026.10-rc2"])
def test_a_version_prints_as_it_was_written(text: str) -> None:
    assert str(Version.parse(text)) == text


def test_what_a_build_appends_is_no_part_of_the_version() -> None:
    assert Version.parse("2026.10-rc2-g1a2b3c4-dirty") == Version.parse("2026.10-rc2")
    assert Version.parse("2025.01-next") == Version.parse("2025.01")


@pytest.mark.parametrize("text", ["", "v2025.01", "next", "6.12"])
def test_other_words_are_no_version(text: str) -> None:
    with pytest.raises(CaseError, match="not a version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("version", "capsule_key", "option", "below"),
    [
        ("2023.01", "dtb", None, "nothing"),
        ("2025.01", "dtb", "EFI_CAPSULE_CRT_FILE", "nothing"),
        ("2025.04", "dtb", "EFI_CAPSULE_CRT_FILE", "nothing"),
        ("2025.07-rc1", "binary", "EFI_CAPSULE_CRT_FILE", "the source tree"),
        ("2026.10-rc2-dirty", "binary", "EFI_CAPSULE_CRT_FILE", "the source tree"),
    ],
)
def test_where_a_version_keeps_the_capsule_key(
    version: str, capsule_key: str, option: str | None, below: str
) -> None:
    assert traits(version).capsule_key == capsule_key
    assert traits(version).certificate_option == option
    assert traits(version).certificate_below == below


def test_a_version_before_the_table_is_refused() -> None:
    with pytest.raises(CaseError, match="older than"):
        traits("2019.07")
