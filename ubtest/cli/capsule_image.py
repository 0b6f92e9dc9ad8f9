"""Whose firmware a capsule is for, as options of `ubtest capsule` say it."""

import argparse
from typing import Any

import yaml

from ubtest.errors import CaseError
from ubtest.formats.fw_image import NAMESPACE, ImageIdentity, computed_guid
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.project import Project


def image_asked_for(options: argparse.Namespace) -> tuple[Guid, int]:
    """UpdateImageTypeId and UpdateImageIndex that `--guid`, `--fw-name` or `--board` lead to.

    :raises CaseError: none of them, half of one, or two that contradict each other.
    """
    if options.fw_name is not None or options.compatible is not None:
        guid, index = _named(options), 1
    elif options.board:
        guid, index = board_image(options.board, options)
        guid = _given(options) if options.guid else guid
    elif options.guid:
        guid, index = _given(options), 1
    else:
        raise CaseError(
            "whose firmware it is, is not said",
            next_step="add --guid, --board, or --fw-name with --compatible",
        )
    return guid, index if options.index is None else options.index


def board_image(name: str, options: argparse.Namespace) -> tuple[Guid, int]:
    """UpdateImageTypeId and UpdateImageIndex of a board, from the file that describes it.

    A computed GUID is that of a firmware with `--namespace`.

    :raises CaseError: there is no such board, or it names no image.
    """
    namespace = _namespace(options)
    path = Project.find().boards / f"{name}.yaml"
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
        for target in described["targets"].values():
            image: dict[str, Any] = target.get("options", {}).get("firmware-image", {})
            if image:
                return ImageIdentity.read(image).guid(namespace), int(image["index"])
    except OSError as error:
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        raise CaseError(
            f"cannot read {path}: {error.strerror}", next_step=f"the boards are: {known}"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, AttributeError, TypeError) as error:
        raise CaseError(f"{path} is not a board file: {error!r}") from error
    except ValueError as error:
        raise CaseError(f"{path}: firmware-image: {error}") from error
    raise CaseError(
        f"{path} has no firmware-image", next_step="name the image with --guid and --index"
    )


def _given(options: argparse.Namespace) -> Guid:
    return _guid("--guid", options.guid)


def _guid(option: str, text: str) -> Guid:
    """The GUID that an option gives.

    :raises CaseError: it is none.
    """
    try:
        return Guid.of(text)
    except FormatError as error:
        raise CaseError(f"{option}: {error}", next_step=f"write it like {NAMESPACE}") from error


def _named(options: argparse.Namespace) -> Guid:
    """What `--fw-name` and `--compatible` compute to."""
    if options.fw_name is None or options.compatible is None:
        raise CaseError("--fw-name and --compatible belong together", next_step="give both")
    if options.guid or options.board:
        raise CaseError(
            "--fw-name and --compatible make a GUID of their own",
            next_step="leave out --guid and --board",
        )
    return computed_guid(_namespace(options), options.compatible, options.fw_name)


def _namespace(options: argparse.Namespace) -> Guid:
    return _guid("--namespace", options.namespace) if options.namespace else NAMESPACE
