"""Which variables a test changed."""


def changed(before, after):
    """Names of the variables that differ."""
    return {
        name
        for name, _ in before.keys() | after.keys()
        if before.get((name, _)) != after.get((name, _))
    }


def number_of(names):
    """The number of the one Boot#### among these names."""
    (name,) = (name for name in names if name != "BootOrder")
    return int(name.removeprefix("Boot"), 16)
