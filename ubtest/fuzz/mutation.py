"""Mutations by name: what each does to a capsule, applied from the structure down to the bytes.

First the list of payloads and the signatures' trees change, and every size follows; then single
fields are overwritten; last come bytes that know nothing of the format. Each mutation does
nothing where its place is gone, so that any part of a list of them is a list as well.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.fuzz.corpus import Good
from ubtest.fuzz.field import Place, places
from ubtest.fuzz.tlv import Node, named, parse, walk
from ubtest.fuzz.tree_edit import TREE


@dataclass(frozen=True)
class Mutation:
    """One change.

    :param do: its name.
    :param at: the place: a field, a part of a signature, a payload or the file.
    :param arg: which variant, value or distance, as the name wants it.
    """

    do: str
    at: str
    arg: int = 0


Payloads = tuple[FmpPayload, ...]

# The payloads as a whole; the number is that of one of them
PAYLOADS: dict[str, Callable[[Payloads, int], Payloads]] = {
    "payload left away": lambda all, n: all[:n] + all[n + 1 :],
    "payload twice": lambda all, n: all[: n + 1] + all[n:],
    "payload many times": lambda all, n: all[:n] + all[n : n + 1] * 9 + all[n + 1 :],
    "payloads reversed": lambda all, n: all[::-1],
    "payload without signature": lambda all, n: _with(all, n, signature=None),
    "payload image empty": lambda all, n: _with(all, n, image=b""),
    "payload image cut": lambda all, n: _with(all, n, image=all[n].image[:-1]),
    "payload image longer": lambda all, n: _with(all, n, image=all[n].image + b"\0"),
    "payload version added": lambda all, n: _with(all, n, fw_version=7),
    "payload version removed": lambda all, n: _with(all, n, fw_version=None),
    "payload vendor code added": lambda all, n: _with(all, n, vendor_code=bytes(16)),
}


def _with(all: Payloads, number: int, **fields: object) -> Payloads:
    changed = replace(all[number], **fields)  # type: ignore[arg-type]
    return (*all[:number], changed, *all[number + 1 :])


# A field of fixed size: (its value, its bits, bytes of the file, arg) -> value, then wrapped
FIELD: dict[str, Callable[[int, int, int, int], int]] = {
    "set": lambda value, bits, size, arg: arg,
    "add": lambda value, bits, size, arg: value + arg,
    "bit": lambda value, bits, size, arg: value ^ 1 << arg % bits,
    "size of the file plus": lambda value, bits, size, arg: size + arg,
}


# Bytes of a place, or of the whole file
BYTES: dict[str, Callable[[bytes, int], bytes]] = {
    "flip": lambda data, arg: _put(
        data, arg // 8, bytes([data[arg // 8 % len(data)] ^ 1 << arg % 8])
    ),
    "byte": lambda data, arg: _put(data, arg >> 8, bytes([arg & 0xFF])),
    "zeros": lambda data, arg: _put(data, arg, bytes(16)),
    "ones": lambda data, arg: _put(data, arg, b"\xff" * 16),
    "cut": lambda data, arg: data[: arg % len(data)],
    "insert": lambda data, arg: _insert(data, arg, bytes(1 + arg % 16)),
    "remove": lambda data, arg: data[: arg % len(data)] + data[arg % len(data) + 1 + arg % 7 :],
    "repeat": lambda data, arg: _insert(data, arg, data[arg % len(data) :][: 1 + arg % 64]),
    "move": lambda data, arg: data[arg % len(data) :] + data[: arg % len(data)],
}


def _put(data: bytes, at: int, new: bytes) -> bytes:
    at %= len(data)
    new = new[: len(data) - at]
    return data[:at] + new + data[at + len(new) :]


def _insert(data: bytes, at: int, new: bytes) -> bytes:
    at %= len(data)
    return data[:at] + new + data[at:]


FILE = "file"
LARGEST = 0xF000  # bytes: what a case may have; the rest is cut off
SPLICE = "splice"  # the file's first part with the other good capsule's last part


def mutate(good: Good, mutations: Iterable[Mutation], other: Callable[[], bytes]) -> bytes:
    """The bytes of a mutated capsule.

    :param other: makes the capsule whose bytes `splice` takes.
    """
    mutations = tuple(mutations)
    capsule = _structure(good.capsule, mutations)
    data = capsule.pack()
    there = places(capsule)
    for each in mutations:
        if each.do in FIELD and (place := there.get(each.at)):
            data = _field(data, place, each)
    for each in mutations:
        data = _bytes(data, each, there, other)
    return data[:LARGEST]


def stage(mutation: Mutation) -> int:
    """When it is applied: mutations are listed in this order."""
    tables: tuple[dict[str, object], ...] = ({**PAYLOADS}, {**TREE}, {**FIELD})
    return next((n for n, table in enumerate(tables) if mutation.do in table), len(tables))


def _structure(capsule: Capsule, mutations: tuple[Mutation, ...]) -> Capsule:
    edited = any(each.do in TREE for each in mutations)
    trees = {
        number: parse(payload.signature)
        for number, payload in enumerate(capsule.payloads)
        if edited and payload.signature is not None
    }
    # Found before the first edit, which may move them
    nodes = {
        f"signature {number}: {named(path)}": node
        for number, tree in trees.items()
        for path, node in walk(tree)
    }
    for each in mutations:
        if each.do in TREE and (node := nodes.get(each.at)):
            TREE[each.do](node, each.arg)
    payloads = _signed_by(capsule.payloads, trees)
    for each in mutations:
        if each.do in PAYLOADS and payloads:
            payloads = PAYLOADS[each.do](payloads, each.arg % len(payloads))
    return replace(capsule, payloads=payloads)


def _signed_by(payloads: Payloads, trees: dict[int, Node]) -> Payloads:
    return tuple(
        replace(each, signature=trees[number].encode()) if number in trees else each
        for number, each in enumerate(payloads)
    )


def _field(data: bytes, place: Place, mutation: Mutation) -> bytes:
    bits = 8 * place.size
    value = int.from_bytes(data[place.at : place.at + place.size], "little")
    value = FIELD[mutation.do](value, bits, len(data), mutation.arg) % (1 << bits)
    return _put(data, place.at, value.to_bytes(place.size, "little"))


def _bytes(
    data: bytes, mutation: Mutation, there: dict[str, Place], other: Callable[[], bytes]
) -> bytes:
    if mutation.do == SPLICE and data:
        tail = other()
        return data[: mutation.arg % len(data)] + tail[mutation.arg % len(tail) :]
    if mutation.do not in BYTES:
        return data
    place = Place(0, len(data)) if mutation.at == FILE else there.get(mutation.at, Place(0, 0))
    part = data[place.at : place.at + place.size]
    if not part:
        return data
    return data[: place.at] + BYTES[mutation.do](part, mutation.arg) + data[place.at + len(part) :]
