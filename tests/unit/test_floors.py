"""The house has floors: a room imports only from below, and not from its neighbours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ubtest

PACKAGE = Path(ubtest.__file__).parent

FLOORS = (
    {"errors", "deadline", "run", "requirements", "project"},
    {"formats"},
    {"crypto", "console", "firmware"},
    {"probe", "kernel"},
    {"media"},
    {"lab"},
    {"uefi", "handoff", "netlat"},
    {"cases", "recipe"},
    {"plugin"},
    {"report", "patch", "repro", "doctor", "fuzz", "preflight"},
    {"cli"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    """The room that a file belongs to: the package's folder or file right below `ubtest`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and room of each import of ours, late ones too."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            # `from ubtest import errors` names a room too; a name like __version__ is none
            names = [str(node.module)]
            if node.module == "ubtest":
                names = [f"ubtest.{a.name}" for a in node.names if not a.name.startswith("_")]
        for name in names:
            if name.startswith("ubtest."):
                yield node.lineno, name.split(".")[1]


def breaches(room: str, tree: ast.AST) -> list[str]:
    """Imports that this room must not make."""
    floor = FLOOR_OF[room]
    return [
        f"line {line}: {room} (floor {floor}) imports {other} (floor {FLOOR_OF[other]})"
        for line, other in imported(tree)
        if other != room and not (FLOOR_OF[other] < floor or (floor == FLOOR_OF[other] == 0))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    assert room_of(path) in FLOOR_OF, "this room has no floor: add it to the table and the docs"
    assert breaches(room_of(path), ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("formats", "from ubtest.crypto.keyring import KeyRing"),
        ("firmware", "from ubtest.crypto import keyring"),
        ("errors", "def late():\n    import ubtest.cli"),
        ("media", "from ubtest import lab"),
        ("uefi", "from ubtest.plugin.hooks import x"),
    ],
)
def test_a_way_up_or_sideways_is_seen(room: str, code: str) -> None:
    assert breaches(room, ast.parse(code)) != []


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("crypto", "from ubtest.formats.guid import Guid"),
        ("crypto", "from ubtest.crypto.key import Key"),
        ("run", "from ubtest.errors import HostError"),
        ("cli", "from ubtest import __version__"),
    ],
)
def test_a_way_down_is_free(room: str, code: str) -> None:
    assert breaches(room, ast.parse(code)) == []
