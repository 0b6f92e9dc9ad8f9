"""pytest takes hooks from the plugin's package: one that is not named there is never called."""

from ubtest import plugin
from ubtest.plugin import hooks, recipes, workers


def test_every_hook_is_the_plugins() -> None:
    rooms = vars(hooks) | vars(recipes) | vars(workers)
    written = {name for name in rooms if name.startswith("pytest_")}
    assert written == {name for name in plugin.__all__ if name.startswith("pytest_")}
