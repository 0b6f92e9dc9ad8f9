"""`ubtest image`"""

import argparse
from pathlib import Path

from ubtest.cli.command import Commands, add, group


def register(commands: Commands) -> None:
    image = group(
        commands,
        "image",
        does="make disk images from declarations, break them, explain any",
        example="ubtest image build esp",
    )
    build = add(
        image,
        "build",
        _build,
        does="make the image that images/NAME.yaml or a file declares",
        example="ubtest image build esp -o esp.img --damage header-crc",
    )
    build.add_argument("image", metavar="NAME|FILE", help="images/NAME.yaml, or a YAML file")
    build.add_argument("-o", "--output", type=Path, help="else NAME.img, or NAME.iso, here")
    build.add_argument(
        "--damage",
        action="append",
        metavar="NAME",
        default=[],
        help="break it, too; see `ubtest image damages`",
    )
    show = add(
        image,
        "show",
        _show,
        does="say what is on any disk image; exit 1 when something is wrong with it",
        example="ubtest image show esp.img",
    )
    show.add_argument("file", type=Path, metavar="IMAGE", help="a raw disk image or an ISO")
    add(image, "list", _list, does="list the declared images", example="ubtest image list")
    add(
        image,
        "damages",
        _damages,
        does="list the ways to break an image",
        example="ubtest image damages",
    )


def _build(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from ubtest.cli.output import say
    from ubtest.media.build import build_image
    from ubtest.media.declaration import read_image
    from ubtest.project import Project

    project = Project.find()
    path = Path(options.image)
    if path.suffix not in (".yaml", ".yml"):
        path = _declared(project.root / "images", options.image)
    image = read_image(path, project)
    image = replace(image, damage=(*image.damage, *options.damage))
    suffix = ".iso" if image.table == "iso" else ".img"
    disk = build_image(image, options.output or Path(path.with_suffix(suffix).name))
    say([f"{disk.path}: {disk.path.stat().st_size} bytes, sha256 {disk.sha256()}"])
    return 0


def _show(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_files import FileBytes
    from ubtest.cli.output import say
    from ubtest.media.survey import survey

    lines = list(survey(FileBytes(options.file)))
    say(lines)
    return 1 if any(line.startswith("!") for line in lines) else 0


def _list(options: argparse.Namespace) -> int:
    from ubtest.cli.output import say
    from ubtest.project import Project

    for path in sorted((Project.find().root / "images").glob("*.yaml")):
        with path.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(200).strip()
        say([f"{path.stem:16} {first.removeprefix('#').strip() if first[:1] == '#' else ''}"])
    return 0


def _damages(options: argparse.Namespace) -> int:
    from ubtest.cli.output import say
    from ubtest.media.damage import DAMAGES

    for name, damage in DAMAGES.items():
        say([f"{name:20} {'must boot' if damage.boots else 'must not':10} {damage.changes}"])
    return 0


def _declared(folder: Path, name: str) -> Path:
    from ubtest.errors import CaseError

    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise CaseError(
            f"no image {name!r} in {folder}",
            next_step=f"take one of {', '.join(known) or 'none'}, or name a .yaml file",
        )
    return folder / f"{name}.yaml"
