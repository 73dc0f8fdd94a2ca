"""Rules about bytes that nothing reaches: one advice a shipping layer, hiding layer and cause."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator
from typing import ClassVar

from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction
from lamina.amounts import plural
from lamina.model import Cause
from lamina.stack.waste import LayerWaste

_AGAIN = (Cause.METADATA, Cause.IDENTICAL)


class WasteRule(Rule):
    """A rule about waste of some causes."""

    causes: ClassVar[Collection[Cause]]

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a group of the waste."""
        info, table = image.image.info, image.waste
        for group in image.waste_groups:
            if group.cause not in self.causes or group.bytes < image.floor or not self.fits(image, group):
                continue
            ships, hides = Instruction(info, group.layer), Instruction(info, group.hidden_by)
            files = plural(group.count, "file")
            if group.layer == group.hidden_by:
                text = f"Layer {group.layer} carries {files} more than once, and only the last copy counts."
                do = f"Pack each path once in {ships.where}."
            else:
                text, do = self.words(group.cause, files, ships, hides)
            yield Finding(
                text=text,
                do=do,
                rows=table.path_id[group.rows],
                layers=(group.layer,),
                saves=group.bytes,
                changes=_to_change(image, group),
                hidden_by=group.hidden_by,
                cause=group.cause,
            )

    def fits(self, image: Examined, group: LayerWaste) -> bool:
        """Whether a group of the right cause is this rule's."""
        del image, group
        return True

    @abstractmethod
    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """What is the matter, and what to do.

        Args:
            cause: of the waste.
            files: how many: ``3 files``.
            ships: the instruction that ships them.
            hides: the one that hides them.
        """


def _to_change(image: Examined, group: LayerWaste) -> int:
    """What hides is what to write otherwise; but nothing above a base takes back what that has shipped."""
    base = image.image.base
    if base is not None and group.layer < base.layers and group.cause not in _AGAIN:
        return group.layer
    return group.hidden_by


class Timestamps(WasteRule):
    """Files shipped again because their time changed, and nothing else.

    A build step that writes the same files again with the time of the build makes a layer that is new at every build:
    it is stored, pushed and pulled each time. Set `SOURCE_DATE_EPOCH` (`docker build --build-arg
    SOURCE_DATE_EPOCH=...` with `rewrite-timestamp=true`), copy with `cp -a`, or leave the files alone.
    """

    name = "timestamps"
    causes = (Cause.METADATA,)

    def fits(self, image: Examined, group: LayerWaste) -> bool:
        """Whether all of the group differ by their time alone."""
        return (group.layer, group.hidden_by) in image.only_times

    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """See :class:`WasteRule`."""
        del cause
        text = (
            f"Layer {hides.layer} copies {files} of layer {ships.layer} of which only the time differs: "
            "such a layer is new at every build."
        )
        return text, f"Keep the times (cp -a, touch nothing), or set SOURCE_DATE_EPOCH for the build, in {hides.where}."


class MetadataCopy(WasteRule):
    """Files copied only to change mode, owner or time.

    `chmod -R` and `chown -R` of what a lower layer ships put every file into the image once more. Write
    `COPY --chown=` or `COPY --chmod=`, or change them in the RUN that makes them.
    """

    name = "metadata-copy"
    causes = (Cause.METADATA,)

    def fits(self, image: Examined, group: LayerWaste) -> bool:
        """Whether more than the time differs."""
        return (group.layer, group.hidden_by) not in image.only_times

    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """See :class:`WasteRule`."""
        del cause
        text = f"Layer {hides.layer} copies {files} of layer {ships.layer} only to change mode, owner or time."
        if ships.copies:
            options = []
            if "chown" in hides.text:
                options.append(f"--chown={hides.owner or 'USER:GROUP'}")
            if "chmod" in hides.text:
                options.append(f"--chmod={hides.mode or 'MODE'}")
            option = " ".join(options) or "--chown=USER:GROUP --chmod=MODE"
            return text, f"Write {ships.with_option(option)}; and do not change these files in {hides.where}."
        if hides.copies:
            return text, f"Copy them once: leave them out of {hides.where}, or out of {ships.where}."
        return text, f"Set them where the files are made: do in {ships.where} what {hides.where} does to them."


class DeletedLater(WasteRule):
    """Files that a later layer deletes: they are shipped all the same.

    A layer only adds: `rm` in a RUN of its own takes nothing out of the layers below. Delete in the RUN that makes the
    files, or make them in a build stage of their own and copy what is needed.
    """

    name = "deleted-later"
    causes = (Cause.REMOVED, Cause.OPAQUE)

    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """See :class:`WasteRule`."""
        if cause == Cause.OPAQUE:
            text = f"Layer {hides.layer} empties directories with {files} that layer {ships.layer} ships."
        else:
            text = f"Layer {hides.layer} removes {files} that layer {ships.layer} ships."
        if ships.copies:
            do = f"Copy them in a build stage of its own, or not at all (.dockerignore): {ships.where}."
        elif ships.runs:
            do = f"Delete them at the end of {ships.where}, and no longer in {hides.where}."
        else:
            do = f"Make {ships.where} without them; to delete them in {hides.where} saves nothing."
        return text, do


class Rewritten(WasteRule):
    """Files that a later layer writes over, or puts something else in place of.

    Only the last content is reached, and every one is shipped. Write the final content once: order the steps so that
    what changes a file comes in the RUN that makes it, or copy the final file over nothing.
    """

    name = "rewritten"
    causes = (Cause.OVERWRITTEN, Cause.REPLACED)

    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """See :class:`WasteRule`."""
        if cause == Cause.REPLACED:
            text = f"Layer {hides.layer} puts something else where layer {ships.layer} has {files}."
            return text, f"Leave them out of {ships.where}."
        text = f"Layer {hides.layer} writes over {files} of layer {ships.layer}."
        if ships.runs and hides.runs:
            return text, f"Write the final content once: do in {ships.where} what {hides.where} does."
        return text, f"Write the final content once: leave them out of {ships.where}; {hides.where} has it."


class ShippedAgain(WasteRule):
    """Files that a later layer ships again just as they are.

    Content and metadata are the same: one of the two copies can go, most often by copying less in the later one.
    """

    name = "shipped-again"
    causes = (Cause.IDENTICAL,)

    def words(self, cause: Cause, files: str, ships: Instruction, hides: Instruction) -> tuple[str, str]:
        """See :class:`WasteRule`."""
        del cause
        text = f"Layer {hides.layer} ships {files} again just as layer {ships.layer} does."
        if hides.copies:
            return text, f"Copy only what is new in {hides.where}."
        return text, f"Leave these files as they are in {hides.where}."
