"""keyring.yaml: what it declares, and what is said about mistakes in it."""

from pathlib import Path

import pytest

from ubtest.crypto.declaration import Declaration, read_declarations
from ubtest.errors import CaseError

REPOSITORY = Path(__file__).parents[3]
GOOD = """\
# a comment
one:
  algorithm: rsa
  bits: 2048
  subject: Number One
  days: 10
  trusted: true
  purpose: shows how
"""


def test_the_keys_of_the_repository() -> None:
    declared = {key.name: key for key in read_declarations(REPOSITORY / "keys" / "keyring.yaml")}
    assert declared["rsa4096"].bits == 4096
    trusted = [name for name, key in declared.items() if key.trusted]
    assert trusted == ["trusted", "trusted-second", "rsa4096"]
    assert declared.keys() - trusted == {"untrusted", "pk", "kek", "db", "db-second"}


def test_a_declaration(tmp_path: Path) -> None:
    path = tmp_path / "keyring.yaml"
    path.write_text(GOOD)
    expected = Declaration("one", "rsa", 2048, "Number One", 10, True, "shows how")
    assert read_declarations(path) == (expected,)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("bits: 2048", "bits: 1024", 4, "one: bits must be one of 2048, 3072, 4096, not 1024"),
        ("bits: 2048", "bits: many", 4, "one: bits must be of type int"),
        ("bits: 2048", "bits: {}", 4, "one: bits must be of type int"),
        ("algorithm: rsa", "algorithm: ec", 3, "one: algorithm must be one of rsa, not ec"),
        ("days: 10", "days: 0", 6, "one: days must be from 1 to 36500"),
        ("subject: Number One", "subject: ''", 5, "one: subject must have 1 to 64 characters"),
        ("trusted: true", "trusted: 1", 7, "one: trusted must be of type bool"),
        ("days: 10", "day: 10", 6, "one: 'day' is not one of algorithm, bits"),
        ("days: 10", "bits: 10", 6, "'bits' stands there twice"),
        ("  days: 10\n", "", 2, "one: lacks days"),
        ("one:", "../one:", 2, "a key's name consists of"),
        ("one:", "{}:", 2, "a list or mapping cannot be a name"),
        ("days: 10", "days: [", 8, "not YAML"),
        ("days: 10", "days: !!python/none x", 6, "not YAML"),
        (GOOD, "one: two", 1, "one: must be a mapping of algorithm"),
        (GOOD, "- one", 1, "must be a mapping from key names"),
        (GOOD, "", 1, "must be a mapping from key names"),
    ],
)
def test_a_mistake_is_shown_with_file_and_line(
    old: str, new: str, line: int, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "keyring.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(CaseError) as caught:
        read_declarations(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert said in caught.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"cannot read .*keyring\.yaml"):
        read_declarations(tmp_path / "keyring.yaml")
    (tmp_path / "keyring.yaml").write_bytes(b"\xff")
    with pytest.raises(CaseError, match=r"cannot read .*keyring\.yaml"):
        read_declarations(tmp_path / "keyring.yaml")
