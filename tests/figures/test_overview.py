"""An engine's figures and its tree of layers, against counting one by one on random sets of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamina.figures.layer_tree import LayerNode, layer_tree
from lamina.figures.overview import Overview, frees_together, overview
from lamina.figures.sharing import PullCost, SetMember, share
from lamina.model import ImageSummary, KnownImage, LayerInfo

# A layer is a letter, an image a word. The chain of a layer is the word up to it: an engine stores that once.


@dataclass(frozen=True)
class Told:
    """What an engine tells of one image."""

    word: str
    lined_up: bool = True
    """Whether its history says which layer has which size."""
    tagged: bool = True
    containers: int = 0


def size_of(chain: str) -> int:
    """Bytes of a stored layer; by its whole chain, for a COPY of the same files may be stored in another size there."""
    return 7 ** len(chain) + 1000 * (ord(chain[-1]) - ord("a"))


def chains_of(word: str) -> list[str]:
    return [word[: end + 1] for end in range(len(word))]


def layers_of(word: str, *, instruction: bool = True) -> tuple[LayerInfo, ...]:
    return tuple(
        LayerInfo(index, diff_id=chain[-1], chain_id=chain, instruction=f"COPY {chain} /" if instruction else "")
        for index, chain in enumerate(chains_of(word))
    )


def known(told: Told, number: int = 0) -> KnownImage:
    sizes = tuple(size_of(chain) if told.lined_up else None for chain in chains_of(told.word))
    total = sum(map(size_of, chains_of(told.word)))
    tags = (f"{told.word}:{number}",) if told.tagged else ()
    return KnownImage(
        ImageSummary(target="t", id=f"sha256:{number}", tags=tags, size=total),
        layers_of(told.word, instruction=told.lined_up),
        sizes,
        told.containers,
    )


def seen(images: Sequence[Told]) -> Overview:
    return overview([known(told, number) for number, told in enumerate(images)])


words = st.text("abc", max_size=4)
images_told = st.lists(
    st.builds(Told, words, st.sampled_from([True, True, True, False]), st.booleans(), st.sampled_from([0, 0, 1, 3])),
    max_size=7,
)


def known_chains(images: Sequence[Told]) -> set[str]:
    """The stored layers whose size some image's history tells."""
    return {chain for told in images if told.lined_up for chain in chains_of(told.word)}


def stored(images: Sequence[Told], known: set[str]) -> int:
    """Bytes on the disk that holds these images, as far as they are known."""
    return sum(map(size_of, {chain for told in images for chain in chains_of(told.word)} & known))


@given(images_told)
@settings(max_examples=200)
def test_the_figures_are_those_of_removing_one_image_after_another(images: list[Told]) -> None:
    found = seen(images)
    chains = known_chains(images)

    assert found.on_disk == stored(images, chains)
    assert found.sum == sum(size_of(chain) for told in images for chain in chains_of(told.word))
    assert found.dangling == sum(not told.tagged for told in images)
    assert found.reclaimable == found.on_disk - stored([told for told in images if told.containers], chains)
    for number, told in enumerate(images):
        others = images[:number] + images[number + 1 :]
        standing = found.standings[number]
        if not set(chains_of(told.word)) <= chains:
            assert standing is None, "a layer's size is not known"
            continue
        assert standing is not None
        assert standing.frees == found.on_disk - stored(others, chains), "what removing it frees"
        assert standing.frees + standing.shared == found.images[number].size
        # Two stacks share a stored layer if and only if they begin alike.
        assert standing.shared_with == sum(bool(told.word) and other.word[:1] == told.word[:1] for other in others)


@given(images_told)
@example([Told("ab", lined_up=False), Told("cb", lined_up=False)])
def test_what_sharing_saves_counts_known_layers_only(images: list[Told]) -> None:
    """An image whose layers have no known sizes says nothing of what sharing saves."""
    found = seen(images)
    chains = known_chains(images)

    every = [chain for told in images for chain in chains_of(told.word) if chain in chains]
    assert found.saved == sum(map(size_of, every)) - sum(map(size_of, set(every)))
    if all(told.lined_up for told in images):
        assert found.saved == found.sum - found.on_disk


def test_an_image_that_only_sets_something_is_free() -> None:
    """FROM base, ENV A=1: other config, same layers."""
    found = seen([Told("ab"), Told("ab")])

    assert [standing and standing.frees for standing in found.standings] == [0, 0]
    assert found.saved == found.on_disk


def test_an_image_without_layers_stands_with_nothing() -> None:
    found = seen([Told(""), Told("a")])

    (empty, _) = found.standings
    assert empty is not None
    assert (empty.frees, empty.shared, empty.shared_with) == (0, 0, 0)


def test_a_container_holds_the_layers_that_its_image_shares() -> None:
    found = seen([Told("ab", containers=1), Told("ac"), Told("d", tagged=False)])

    assert found.reclaimable == size_of("ac") + size_of("d")
    assert found.dangling == 1


# The tree.


@dataclass(frozen=True)
class Expected:
    """A node of the tree, from the words alone."""

    chains: tuple[str, ...]
    depth: int
    standing: int
    images: tuple[int, ...]
    total: int
    children: frozenset[Expected]


def expected_trees(images: Sequence[Told], start: str = "", depth: int = 0) -> frozenset[Expected]:
    nodes = set()
    chains = known_chains(images)
    for letter in {told.word[len(start)] for told in images if told.word.startswith(start) and told.word != start}:
        run = [start + letter]
        while True:
            top = run[-1]
            ends = tuple(number for number, told in enumerate(images) if told.word == top)
            nexts = {told.word[len(top)] for told in images if told.word.startswith(top) and told.word != top}
            if ends or len(nexts) != 1:
                break
            run.append(top + nexts.pop())
        below = {chain for told in images for chain in chains_of(told.word) if chain.startswith(run[0])}
        nodes.add(
            Expected(
                chains=tuple(run),
                depth=depth,
                standing=sum(told.word.startswith(run[0]) for told in images),
                images=ends,
                total=sum(map(size_of, below & chains)),
                children=expected_trees(images, run[-1], depth + 1),
            )
        )
    return frozenset(nodes)


def as_expected(nodes: Sequence[LayerNode]) -> frozenset[Expected]:
    assert [node.total for node in nodes] == sorted((node.total for node in nodes), reverse=True), "most bytes first"
    found = {
        Expected(
            chains=tuple(layer.chain_id for layer in node.layers),
            depth=node.depth,
            standing=node.standing,
            images=tuple(node.images),
            total=node.total,
            children=as_expected(node.children),
        )
        for node in nodes
    }
    assert len(found) == len(nodes)
    return frozenset(found)


def tree_of(images: Sequence[Told]) -> list[LayerNode]:
    return layer_tree([(image.layers, image.sizes) for image in map(known, images)])


@given(images_told)
@settings(max_examples=200)
def test_the_tree_is_that_of_the_words(images: list[Told]) -> None:
    tree = tree_of(images)

    assert as_expected(tree) == expected_trees(images)
    assert sum(node.total for node in tree) == seen(images).on_disk
    assert sum(node.standing for node in tree) == sum(bool(told.word) for told in images)
    for node in walk(tree):
        assert len(node.layers) == len(node.sizes)
        assert node.size == sum(size or 0 for size in node.sizes)
        for layer, size in zip(node.layers, node.sizes, strict=True):
            assert size == (size_of(layer.chain_id) if layer.chain_id in known_chains(images) else None)
            assert bool(layer.instruction) == (size is not None), "an instruction that some image tells is told"


def walk(nodes: Sequence[LayerNode]) -> list[LayerNode]:
    return [found for node in nodes for found in (node, *walk(node.children))]


def test_a_run_ends_where_an_image_ends() -> None:
    (base,) = tree_of([Told("abc"), Told("ab"), Told("abcd")])

    assert (len(base.layers), base.images, base.standing) == (2, [1], 3)
    (middle,) = base.children
    assert (len(middle.layers), middle.images, middle.standing, middle.depth) == (1, [0], 2, 1)


def test_the_tallest_stack_is_one_node() -> None:
    (only,) = tree_of([Told("a" * 127)])

    assert (len(only.layers), only.depth, only.images) == (127, 0, [0])


def test_a_comb_as_tall_as_engines_allow() -> None:
    """127 images, each one layer higher than the one before: every layer is a node of its own."""
    (root,) = tree_of([Told("a" * height) for height in range(1, 128)])

    assert root.standing == 127
    assert max(node.depth for node in walk([root])) == 126


def test_where_two_images_tell_different_sizes_tree_and_overview_agree() -> None:
    layers = layers_of("a")
    stacks: list[tuple[tuple[LayerInfo, ...], tuple[int | None, ...]]] = [
        (layers, sizes) for sizes in [(5,), (None,), (9,), (0,)]
    ]

    (node,) = layer_tree(stacks)

    summary = ImageSummary(target="t", id="i", tags=())
    figures = overview([KnownImage(summary, layers, sizes) for layers, sizes in stacks])
    assert node.total == figures.on_disk == 9


# The figures of a chosen set, with the true digests of layers that recur on other bases.


def member(word: str) -> SetMember:
    layers = layers_of(word)
    sizes = tuple(10 ** (ord(letter) - ord("a")) for letter in word)
    return SetMember(layers, sizes, tuple(size + 512 for size in sizes))


@given(st.lists(words, max_size=6))
def test_a_set_stores_chains_and_transfers_layers(images: list[str]) -> None:
    members = list(map(member, images))
    sharing = share(members)
    summary = ImageSummary(target="t", id="i", tags=())
    figures = overview([KnownImage(summary, each.layers, each.sizes) for each in members])

    assert (sharing.sum, sharing.on_disk) == (figures.sum, figures.on_disk)
    for number, standing in enumerate(figures.standings):
        assert standing is not None
        assert standing.frees >= sharing.unique[number], "what is stored again on another base can be freed"
        assert standing.shared <= sharing.shared[number]
    for pair in sharing.pairs:
        new = {
            letter: 10 ** (ord(letter) - ord("a")) + 512 for letter in images[pair.b] if letter not in images[pair.a]
        }
        assert pair.b_given_a == PullCost(sum(new.values()), compressed=not new)


def test_what_removing_several_images_frees_is_what_nobody_else_stands_on() -> None:
    images = [known(Told(word), number) for number, word in enumerate(("ab", "ac", "b"))]
    ids = [image.summary.id for image in images]
    assert frees_together(images, {ids[0]}) == size_of("ab")
    assert frees_together(images, set(ids[:2])) == size_of("a") + size_of("ab") + size_of("ac")
    assert frees_together(images, set(ids)) == overview(images).on_disk
    assert frees_together(images, set()) == 0
