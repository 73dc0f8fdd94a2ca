"""Images as a prefix tree of layers: which bases there are, and what stands on them.

Two images stand on one node as long as their stacks of layers are the same from the bottom up. Runs of layers with
nothing branching off are one node, so that the tree shows where images part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from lamina.dataclass import dataclass
from lamina.model import LayerInfo


@dataclass(slots=True)
class LayerNode:
    """A run of layers, and what stands on it."""

    layers: list[LayerInfo]
    sizes: list[int | None]
    depth: int
    """How many nodes are below it."""
    images: list[int] = field(default_factory=list)
    """Images whose topmost layer is the last one of this node."""
    children: list[LayerNode] = field(default_factory=list)
    """Most bytes first."""
    standing: int = 0
    """How many images have this node's layers."""

    @property
    def size(self) -> int:
        """Bytes of the run's layers, as far as they are known."""
        return sum(size or 0 for size in self.sizes)

    @property
    def total(self) -> int:
        """Bytes of the run and of all that stands on it, each layer once."""
        return self.size + sum(child.total for child in self.children)


def layer_tree(stacks: Sequence[tuple[Sequence[LayerInfo], Sequence[int | None]]]) -> list[LayerNode]:
    """The trees of some images.

    Args:
        stacks: of each image its layers, lowest first, and their sizes in bytes.

    Returns:
        One node per base, most bytes first. Images without layers are on none.
    """
    roots: dict[str, _Branch] = {}
    for number, (layers, sizes) in enumerate(stacks):
        node: _Branch | None = None
        branches = roots
        for layer, size in zip(layers, sizes, strict=True):
            node = branches.get(layer.chain_id)
            if node is None:
                node = branches[layer.chain_id] = _Branch([layer], [size], 0)
            else:
                node.learn(layer, size)
            node.standing += 1
            branches = node.by_chain
        if node is not None:
            node.images.append(number)
    trees = [_folded(root, 0) for root in roots.values()]
    return sorted(trees, key=lambda node: -node.total)


@dataclass(slots=True)
class _Branch(LayerNode):
    """A node of one layer while the tree grows."""

    by_chain: dict[str, _Branch] = field(default_factory=dict)

    def learn(self, layer: LayerInfo, size: int | None) -> None:
        """Take what the images before left open; of sizes the largest, as the overview does."""
        known = self.sizes[0]
        if size is not None and (known is None or size > known):
            self.sizes[0] = size
        if not self.layers[0].instruction:
            self.layers[0] = layer


def _folded(branch: _Branch, depth: int) -> LayerNode:
    """The branch with runs made one node; iterative along a run, for stacks may be 127 layers high."""
    node = LayerNode([], [], depth, standing=branch.standing)
    while True:
        node.layers += branch.layers
        node.sizes += branch.sizes
        below = list(branch.by_chain.values())
        if len(below) != 1 or branch.images:
            break
        branch = below[0]
    node.images = branch.images
    node.children = sorted((_folded(child, depth + 1) for child in below), key=lambda child: -child.total)
    return node
