"""`ubtest capsule`"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ubtest.cli.command import Commands, add, group

if TYPE_CHECKING:
    from cryptography import x509

    from ubtest.crypto.pkcs7 import Signer

_GUID = "058b7d83-50d5-4c47-a195-60d86ad341c4"


def register(commands: Commands) -> None:
    capsule = group(
        commands,
        "capsule",
        does="make, sign, explain, check and break capsules",
        example="ubtest capsule show firmware.cap",
    )
    for declare in (_declare_build, _declare_sign, _declare_show, _declare_verify, _declare_damage):
        declare(capsule)


def _declare_build(commands: Commands) -> None:
    parser = add(
        commands,
        "build",
        _build,
        does="put a firmware image into a capsule",
        example="ubtest capsule build u-boot.bin -o u.cap --board qemu-arm64 --sign trusted",
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the firmware, as it is")
    _output(parser)
    parser.add_argument("--board", help="take GUID and index from boards/BOARD.yaml")
    parser.add_argument("--guid", help=f"or UpdateImageTypeId, such as {_GUID}")
    parser.add_argument("--fw-name", metavar="NAME", help="or compute it from fw_name and")
    parser.add_argument("--compatible", help="the first compatible of the device tree's root")
    _namespace(parser)
    parser.add_argument("--index", type=_number(8), metavar="N", help="UpdateImageIndex; else 1")
    parser.add_argument("--instance", type=_number(64), default=0, metavar="N", help="or 0: any")
    parser.add_argument("--fw-version", type=_number(32), metavar="N", help="adds an MSS1 header")
    parser.add_argument(
        "--lsv", type=_number(32), default=0, metavar="N", help="LowestSupportedVersion in it"
    )
    _count(parser)
    _signer(parser)


def _declare_sign(commands: Commands) -> None:
    parser = add(
        commands,
        "sign",
        _sign,
        does="add or replace the signature of every payload",
        example="ubtest capsule sign plain.cap -o signed.cap --sign trusted",
    )
    _file(parser)
    _output(parser)
    _count(parser)
    _signer(parser)


def _declare_show(commands: Commands) -> None:
    parser = add(
        commands,
        "show",
        _show,
        does="explain every field of any capsule; exit 1 when something is wrong with it",
        example="ubtest capsule show firmware.cap",
    )
    _file(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def _declare_verify(commands: Commands) -> None:
    parser = add(
        commands,
        "verify",
        _verify,
        does="say what a U-Boot does with a capsule on disk: 0 accepted, 1 refused, 2 cannot tell",
        example="ubtest capsule verify firmware.cap --board qemu-arm64",
    )
    _file(parser)
    parser.add_argument(
        "--cert",
        type=Path,
        action="append",
        metavar="PEM",
        help="what the firmware trusts (default: the trusted keys of the key ring)",
    )
    parser.add_argument("--board", help="hold GUID and index against boards/BOARD.yaml")
    _namespace(parser)
    parser.add_argument(
        "--lsv", type=_number(32), metavar="N", help="the firmware's lowest-supported-version"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _declare_damage(commands: Commands) -> None:
    parser = add(
        commands,
        "damage",
        _damage,
        does="break a good capsule in one way that has a name",
        example="ubtest capsule damage good.cap -o bad.cap --how flip-image",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a good capsule")
    _output(parser, required=False)
    parser.add_argument("--how", metavar="NAME", help="one of --list")
    parser.add_argument(
        "--list", action="store_true", help="all names, and what U-Boot must answer to each"
    )


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a capsule")


def _output(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("-o", "--output", type=Path, required=required, metavar="FILE")
    parser.add_argument("--force", action="store_true", help="overwrite the output file")


def _namespace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--namespace", metavar="GUID", help="CONFIG_EFI_CAPSULE_NAMESPACE_GUID, if not the default"
    )


def _count(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--monotonic-count", type=_number(64), metavar="N", help="signed with the image"
    )


def _signer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sign", metavar="NAME", help="a key of the key ring: `ubtest keys list`")
    parser.add_argument("--key", type=Path, metavar="PEM", help="or a private key of your own")
    parser.add_argument("--cert", type=Path, metavar="PEM", help="and its certificate")


def _build(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_files import FileBytes, write
    from ubtest.cli.capsule_image import image_asked_for
    from ubtest.crypto.pkcs7 import signed
    from ubtest.errors import CaseError
    from ubtest.formats.capsule import Capsule, FmpPayload

    guid, index = image_asked_for(options)
    key = _key(options)
    payload = FmpPayload(
        guid,
        FileBytes(options.image).whole(),
        index=index,
        hardware_instance=options.instance,
        monotonic_count=1 if options.monotonic_count is None else options.monotonic_count,
        fw_version=options.fw_version,
        lowest_supported_version=options.lsv,
    )
    if options.lsv and options.fw_version is None:
        raise CaseError("--lsv has no place without --fw-version", next_step="add --fw-version")
    payload = signed(key, payload) if key else payload
    write(options.output, Capsule((payload,)).pack(), force=options.force)
    return 0


def _sign(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from ubtest.cli.capsule_files import read_capsule, write
    from ubtest.crypto.pkcs7 import signed_again
    from ubtest.errors import CaseError
    from ubtest.formats.capsule import Capsule

    key = _key(options)
    if key is None:
        raise CaseError("who signs is not said", next_step="add --sign, or --key and --cert")
    capsule = read_capsule(options.file)
    payloads = capsule.payloads
    if capsule != Capsule(payloads, capsule.flags) or not payloads:
        raise CaseError(
            f"{options.file} is not sound, and a signature would not mend it",
            next_step=f"`ubtest capsule show {options.file}` says what is wrong",
        )
    if options.monotonic_count is not None:
        payloads = tuple(replace(p, monotonic_count=options.monotonic_count) for p in payloads)
    again = replace(capsule, payloads=tuple(signed_again(key, each) for each in payloads))
    write(options.output, again.pack(), force=options.force)
    return 0


def _show(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_files import FileBytes
    from ubtest.cli.output import as_json, say
    from ubtest.crypto.signature_facts import describe
    from ubtest.formats.explain import explain

    explanation = explain(FileBytes(options.file), describe)
    say(as_json(explanation).splitlines() if options.json else explanation.lines())
    return 1 if explanation.findings else 0


def _verify(options: argparse.Namespace) -> int:
    from ubtest.cli.capsule_files import FileBytes
    from ubtest.cli.capsule_image import board_image
    from ubtest.cli.capsule_text import EXIT_CODES, verdict_lines
    from ubtest.cli.output import as_json, say
    from ubtest.crypto.verdict import judge
    from ubtest.formats.acceptance import Target

    target = Target(board_image(options.board, options) if options.board else None, options.lsv)
    trusted = _trusted(options.cert)
    verdict = judge(FileBytes(options.file), trusted, target)
    lines = verdict_lines(str(options.file), verdict, trusted, target)
    say(as_json(verdict).splitlines() if options.json else lines)
    return EXIT_CODES[verdict.answer]


def _damage(options: argparse.Namespace) -> int:
    from ubtest.cases.breakages import BREAKAGES, breakage
    from ubtest.cli.capsule_files import read_capsule, write
    from ubtest.cli.capsule_text import breakage_lines, status_text
    from ubtest.cli.output import say
    from ubtest.errors import CaseError

    if options.list:
        say(breakage_lines(BREAKAGES))
        return 0
    if not (options.file and options.output and options.how):
        raise CaseError(
            "FILE, --output and --how belong together",
            next_step="see `ubtest capsule damage --list` for the names",
        )
    chosen = breakage(options.how)
    write(options.output, chosen.break_it(read_capsule(options.file)), force=options.force)
    say([f"{chosen.changes}; U-Boot must answer {status_text(chosen.answer)}"])
    return 0


def _key(options: argparse.Namespace) -> "Signer | None":
    """The signer that the options name; None when they name none."""
    from ubtest.crypto.keyring import KeyRing
    from ubtest.crypto.pem import PemPair
    from ubtest.errors import CaseError
    from ubtest.project import Project

    if bool(options.key) != bool(options.cert) or (options.sign and options.key):
        raise CaseError(
            "a signer is either --sign, or --key with --cert", next_step="give one of the two"
        )
    if options.sign:
        return KeyRing.load(Project.find().keys)[options.sign]
    return PemPair.read(options.key, options.cert) if options.key else None


def _trusted(paths: list[Path] | None) -> list["x509.Certificate"]:
    from ubtest.crypto.keyring import KeyRing
    from ubtest.crypto.pem import read_certificates
    from ubtest.project import Project

    if paths:
        return [certificate for path in paths for certificate in read_certificates(path)]
    return [key.certificate for key in KeyRing.load(Project.find().keys).trusted]


def _number(bits: int) -> Callable[[str], int]:
    """An argument for an unsigned field of that many bits; 0x is understood."""

    def number(text: str) -> int:
        value = int(text, 0)
        if not 0 <= value < 1 << bits:
            raise argparse.ArgumentTypeError(f"from 0 to {(1 << bits) - 1:#x}, not {text}")
        return value

    return number
