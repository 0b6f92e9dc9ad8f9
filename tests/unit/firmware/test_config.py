from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.config import Kconfig

CONFIG = Kconfig.parse(
    "# Automatically generated\nCONFIG_A=y\n# CONFIG_B is not set\n"
    'CONFIG_N=0x40\nCONFIG_T="a \\"b\\""\n'
)


def test_values_are_read_without_their_quotes() -> None:
    assert CONFIG.get("N") == "0x40"
    assert CONFIG.get("T") == 'a "b"'
    assert CONFIG.get("B") is None
    assert CONFIG.get("ABSENT") is None


def test_only_y_is_enabled() -> None:
    assert CONFIG.enabled("A")
    assert not CONFIG.enabled("B")
    assert not CONFIG.enabled("N")
    assert not CONFIG.enabled("ABSENT")


def test_the_later_fragment_wins() -> None:
    merged = CONFIG | Kconfig.parse("# CONFIG_A is not set\nCONFIG_B=y\n")
    assert not merged.enabled("A")
    assert merged.enabled("B")
    assert merged.get("N") == "0x40"


def test_lines_read_back_as_what_they_were_written_from() -> None:
    assert Kconfig.parse(CONFIG.lines()).dropped(CONFIG) == {}


def test_a_fragment_that_was_kept_passes() -> None:
    Kconfig.parse("CONFIG_A=y\n# CONFIG_B is not set\n# CONFIG_GONE is not set\n").check_kept(
        CONFIG, "x.config"
    )


def test_each_dropped_symbol_is_named_with_what_came_out() -> None:
    fragment = Kconfig.parse("CONFIG_A=y\nCONFIG_B=y\nCONFIG_N=0x80\nCONFIG_GONE=y\n")
    with pytest.raises(CaseError) as caught:
        fragment.check_kept(CONFIG, "x.config")
    message = str(caught.value)
    assert "CONFIG_B: wanted y, got n\n" in message
    assert "CONFIG_N: wanted 0x80, got 0x40" in message
    assert "CONFIG_GONE: wanted y, got n (no such symbol" in message
    assert "CONFIG_A:" not in message


def test_a_line_that_is_no_setting_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.config"
    path.write_text("CONFIG_A=y\nCONFIG_B y\n")
    with pytest.raises(CaseError, match=r"x\.config, line 2: `CONFIG_B y`"):
        Kconfig.read(path)


def test_a_missing_file_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="No such file"):
        Kconfig.read(tmp_path / "none")
