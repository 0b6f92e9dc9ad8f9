"""The minimiser against oracles that are plain functions."""

from hypothesis import given
from hypothesis import strategies as st

from ubtest.recipe.devices import Device
from ubtest.recipe.expectations import Output
from ubtest.recipe.schema import Medium, Recipe
from ubtest.recipe.steps import Plug, UBoot, Unplug
from ubtest.repro.minimise import fewest, minimise


@given(st.lists(st.integers(0, 50), unique=True), st.data())
def test_only_the_culprits_are_left(items, data):
    culprits = set(data.draw(st.lists(st.sampled_from(items)))) if items else set()
    assert fewest(items, lambda some: culprits <= set(some)) == [i for i in items if i in culprits]


@given(st.integers(1, 12), st.data())
def test_no_item_can_go_alone_whatever_the_oracle_says(length, data):
    """Also where more is not always worse: the answer for each set is drawn."""
    whole = tuple(range(length))
    drawn: dict[tuple[int, ...], bool] = {whole: True}

    def holds(some):
        return drawn.setdefault(tuple(some), data.draw(st.booleans()))

    kept = fewest(whole, holds)
    assert drawn[tuple(kept)]
    for item in kept:
        assert not holds([other for other in kept if other != item])


@given(st.integers(1, 300), st.data())
def test_few_questions(length, data):
    """Where nothing is needed, the logarithm; each culprit adds about twice that."""
    culprits = data.draw(st.sets(st.integers(0, length - 1), max_size=4))
    asked = set()

    def holds(some):
        asked.add(tuple(some))
        return culprits <= set(some)

    fewest(range(length), holds)
    assert len(asked) <= (1 + 2 * len(culprits)) * (length.bit_length() + 1)


STICK = Medium(image="esp")


def recipe(**changes) -> Recipe:
    parts = {
        "title": "two sticks",
        "media": {"one": STICK, "two": STICK, "disk": STICK},
        "devices": (
            Device("virtio-blk-pci", "disk"),
            Device("usb-storage", "one"),
            Device("usb-storage", "two"),
        ),
        "steps": (
            UBoot("version"),
            UBoot("usb start", save="start"),
            Plug(Device("usb-storage", "one", "late")),
            Unplug("late"),
            UBoot("usb tree"),
        ),
        "expect": (Output("2 Storage", in_="start"),),
    }
    return Recipe(**(parts | changes))


def sticks(candidate: Recipe) -> bool:
    lines = [step.uboot for step in candidate.steps if isinstance(step, UBoot)]
    found = [device for device in candidate.devices if device.driver == "usb-storage"]
    return "usb start" in lines and len(found) == 2


def test_steps_devices_and_media_go():
    small = minimise(recipe(), sticks)
    assert small.recipe == recipe(
        media={"one": STICK, "two": STICK},
        devices=recipe().devices[1:],
        steps=(UBoot("usb start", save="start"),),
    )
    assert small.dropped == (recipe().devices[0], *recipe().steps[:1], *recipe().steps[2:])


def test_it_takes_few_runs_and_never_the_same_twice():
    seen, told = [], []

    def holds(candidate: Recipe) -> bool:
        seen.append(candidate)
        return sticks(candidate)

    small = minimise(recipe(), holds, lambda runs, parts: told.append(runs))
    assert small.runs == len(seen) <= 9
    assert told == list(range(1, small.runs + 1))
    assert not any(one == other for at, one in enumerate(seen) for other in seen[:at])


def test_what_was_asked_is_remembered():
    """The first one goes and no other: the second time around all answers are known."""
    seen = []
    whole = recipe(steps=(UBoot("usb start", save="start"), UBoot("usb tree")))

    def holds(candidate: Recipe) -> bool:
        seen.append(candidate)
        return candidate.devices == whole.devices

    assert minimise(whole, holds).dropped == (UBoot("usb tree"),)
    assert not any(one == other for at, one in enumerate(seen) for other in seen[:at])


def test_what_is_no_recipe_is_not_run():
    """The plug that an unplug needs, the step whose output an expectation reads."""

    def holds(candidate: Recipe) -> bool:
        steps = candidate.steps
        assert any(getattr(step, "save", "") == "start" for step in steps)
        assert not any(isinstance(s, Unplug) for s in steps) or any(
            isinstance(s, Plug) for s in steps
        )
        return True

    assert minimise(recipe(), holds).recipe.steps == (UBoot("usb start", save="start"),)


def test_the_step_that_expectations_read_by_default_stays():
    kept = minimise(recipe(expect=(Output("hub"),)), lambda candidate: True).recipe
    assert kept.steps == (UBoot("usb tree"),)


def test_a_plug_behind_the_last_output_may_go():
    late = Plug(Device("usb-storage", "one", "late"))
    whole = recipe(expect=(Output("hub"),), steps=(UBoot("usb start"), UBoot("usb tree"), late))
    assert minimise(whole, lambda candidate: True).recipe.steps == (UBoot("usb tree"),)


def test_nothing_goes_where_all_is_needed():
    whole = recipe()
    small = minimise(whole, lambda candidate: candidate == whole)
    assert small.recipe == whole
    assert small.dropped == ()
