"""What preflight's checks say about facts."""

from dataclasses import replace

from ubtest.preflight.checks import judge
from ubtest.preflight.finding import Severity


def problems(facts):
    return {each.check: each for each in judge(facts).problems}


def only(facts, check):
    """The finding of the one check that has a problem."""
    found = problems(facts)
    assert list(found) == [check]
    return found[check]


def stored(facts, *variables):
    return replace(
        facts,
        stored=variables,
        volumes=tuple(replace(each, store=variables) for each in facts.volumes),
    )


def unknown(facts):
    return {each.check for each in judge(facts).of(Severity.UNKNOWN)}
