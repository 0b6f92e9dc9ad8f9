"""`ubtest keys`"""

import argparse

from ubtest.cli.command import Commands, add, group


def register(commands: Commands) -> None:
    keys = group(
        commands,
        "keys",
        does="the keys that sign capsules: made here, never committed",
        example="ubtest keys make",
    )
    add(
        keys,
        "make",
        _make,
        does="make the declared keys that are missing",
        example="ubtest keys make",
    )
    add(
        keys, "list", _list, does="list the keys and their fingerprints", example="ubtest keys list"
    )


def _make(options: argparse.Namespace) -> int:
    from ubtest.crypto.keyring import KeyRing
    from ubtest.project import Project

    KeyRing.load(Project.find().keys).make(lambda name: print(f"made the key {name}"))
    return 0


def _list(options: argparse.Namespace) -> int:
    from ubtest.crypto.keyring import KeyRing
    from ubtest.project import Project

    for key in KeyRing.load(Project.find().keys):
        made = key.certificate_path.exists()
        print(f"{key.name:16} {key.fingerprint if made else 'not made yet: ubtest keys make'}")
    return 0
