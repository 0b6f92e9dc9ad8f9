"""What case number N of a campaign is: a good capsule and its mutations, by seed and number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ubtest.fuzz.corpus import Corpus, Good
from ubtest.fuzz.draw import Draws
from ubtest.fuzz.field import places
from ubtest.fuzz.mutation import BYTES, FILE, PAYLOADS, SPLICE, Mutation, mutate, stage
from ubtest.fuzz.tlv import named, parse, walk
from ubtest.fuzz.tree_edit import TREE

# How often a case starts from which good capsule
GOODS = {
    "signed": 20,
    "versioned": 14,
    "bare": 10,
    "second key": 4,
    "two signers": 6,
    "chain": 6,
    "two payloads": 10,
    "vendor code": 4,
    "unsigned": 6,
    "untrusted": 8,
}
COUNTS = {1: 60, 2: 24, 3: 10, 5: 6}  # mutations of one case
# What kind of mutation, by the name of the mix. In the even one those that reach the parser of
# signatures are few: where a firmware crashes on them, each costs a boot, and all others wait.
MIXES = {
    "even": {"outer": 10, "management": 20, "payload": 62, "payloads": 5, "bytes": 2, "tree": 1},
    "signature": {
        "outer": 2,
        "management": 2,
        "payload": 10,
        "payloads": 4,
        "bytes": 12,
        "tree": 70,
    },
}
# How often a field is taken, by the end of its name: seldom where nobody looks at it, and
# where it shifts the signature
SELDOM = (
    *("HeaderSize", "Flags", "CapsuleImageSize", "reserved_bytes", "UpdateVendorCodeSize"),
    *("ImageCapsuleSupport", "wRevision", "wCertificateType", "dwLength", "signature"),
)
FIELDS = {"set": 45, "add": 25, "bit": 20, "size of the file plus": 10}
# Values at which sizes and numbers break: around nothing, the headers, and the widths
VALUES = (
    *(0, 1, 2, 3, 4, 7, 8, 15, 16, 23, 24, 27, 28, 29, 31, 32, 39, 40, 41, 48, 64, 255, 256),
    *(0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x0EF1, 0x0200),
)
# Where all that was signed would have to be read to the end of memory; few, because that is slow
FAR = (
    *(0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF, 0xFFFFFFE4, 0x100000000),
    *(0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFF0, 0xFFFFFFFFFFFFFFFF),
)


@dataclass(frozen=True)
class Case:
    """One input, before it is bytes.

    :param good: the name of the good capsule.
    :param mutations: in the order in which they are applied.
    """

    number: int
    good: str
    mutations: tuple[Mutation, ...]


class Cases:
    """The endless row of cases of one seed; any of them can be had without the others."""

    def __init__(self, corpus: Corpus, seed: int, mix: str = "even") -> None:
        self.corpus = corpus
        self.seed = seed
        self.mix = mix
        self._shapes = {name: _Shape(corpus, name) for name in corpus.names}

    def __getitem__(self, number: int) -> Case:
        draws = Draws(self.mix, self.seed, number)
        good = draws.weighted(GOODS)
        shape = self._shapes[good]
        mutations = [shape.mutation(draws, MIXES[self.mix]) for _ in range(draws.weighted(COUNTS))]
        return Case(number, good, tuple(sorted(mutations, key=stage)))

    def file(self, case: Case) -> bytes:
        """The bytes of a case."""
        good = self.corpus.good(case.good, case.number)
        return mutate(good, case.mutations, partial(self._other_file, case))

    def authentic(self, case: Case) -> tuple[bytes, ...]:
        """The images that a trusted key signed, as far as any of it can be in the case."""
        good = self.corpus.good(case.good, case.number)
        spliced = any(each.do == SPLICE for each in case.mutations)
        return good.authentic + (self._other(case).authentic if spliced else ())

    def _other_file(self, case: Case) -> bytes:
        return self._other(case).capsule.pack()

    def _other(self, case: Case) -> Good:
        """The good capsule that `splice` takes the end of."""
        return self.corpus.good(
            self.corpus.names[case.number % len(self.corpus.names)], case.number
        )


class _Shape:
    """The places of one good capsule, which are the same whatever is in them."""

    def __init__(self, corpus: Corpus, name: str) -> None:
        capsule = corpus.good(name, 0).capsule
        names = list(places(capsule))
        self._count = len(capsule.payloads)
        self._fields = {
            kind: {n: 1 if n.endswith(SELDOM) else 12 for n in names if n.startswith(f"{kind} ")}
            for kind in ("outer", "management", "payload")
        }
        self._parts = [
            f"signature {number}: {named(path)}"
            for number, payload in enumerate(capsule.payloads)
            if payload.signature is not None
            for path, _ in walk(parse(payload.signature))
        ]
        self._make: dict[str, Callable[[Draws], Mutation]] = {
            "payloads": self._payloads,
            "bytes": self._bytes,
            "tree": self._tree,
        }

    def mutation(self, draws: Draws, kinds: Mapping[str, int]) -> Mutation:
        kind = draws.weighted(kinds)
        if kind in self._fields:
            return self._field(draws, kind)
        return self._make[kind](draws)

    def _field(self, draws: Draws, kind: str) -> Mutation:
        at = draws.weighted(self._fields[kind])
        if at.endswith((" signature", " image", " vendor code")):
            return Mutation(draws.choose(list(BYTES)[:4]), at, draws.number(1 << 20))
        do = draws.weighted(FIELDS)
        return Mutation(do, at, ARGUMENTS[do](draws))

    def _payloads(self, draws: Draws) -> Mutation:
        number = draws.number(self._count)
        return Mutation(draws.choose(list(PAYLOADS)), f"payload {number}", number)

    def _bytes(self, draws: Draws) -> Mutation:
        do = draws.choose([*BYTES, SPLICE])
        return Mutation(do, FILE, draws.number(1 << 20))

    def _tree(self, draws: Draws) -> Mutation:
        if not self._parts:
            return self._bytes(draws)
        at = draws.choose(self._parts)
        return Mutation(draws.choose(list(TREE)), at, draws.number(1 << 12))


def _value(draws: Draws) -> int:
    near = draws.number(20)
    if near == 0:
        return draws.choose(FAR)
    return draws.number(1 << 16) if near < 3 else draws.choose(VALUES)


# What the number of each mutation of a field may be
ARGUMENTS: dict[str, Callable[[Draws], int]] = {
    "set": _value,
    "add": lambda draws: draws.choose((-28, -24, -8, -4, -2, -1, 1, 2, 4, 8, 24, 28, 64, 4096)),
    "bit": lambda draws: draws.number(128),
    "size of the file plus": lambda draws: draws.number(81) - 40,
}
