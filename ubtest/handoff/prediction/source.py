"""How a node is named in device tree source, so that a proposed line can be pasted."""

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree


def reference(tree: DeviceTree, path: str) -> str:
    """`&label` where the tree keeps its labels, else `&{/path}`, which dtc takes as well."""
    label = tree.labels.get(path)
    return f"&{label}" if label else f"&{{{path}}}"


def lines(tree: DeviceTree, node: DeviceNode, *properties: str) -> tuple[str, ...]:
    """Source that sets properties of a node of the tree."""
    inside = " ".join(f"{each};" for each in properties)
    return (f"{reference(tree, node.path)} {{ {inside} }};",)
