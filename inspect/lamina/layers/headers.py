"""Tar header blocks, many at once, decoded to columns.

Formats: POSIX.1-1988 ustar, GNU tar, V7 (see the tar(5) manual page). A batch of 512-byte blocks is viewed as a
matrix and each numeric field parsed for all rows together; rows whose field is not plain zero-padded octal
(base-256, leading blanks, early terminators) are parsed alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamina.dataclass import dataclass
from lamina.layers.block import checksum_holds, parse_number
from lamina.model import LaminaError

_INT64_MAX = 2**63 - 1
_SIZE_WEIGHTS = 8 ** np.arange(10, -1, -1, dtype=np.int64)


@dataclass(slots=True)
class HeaderBatch:
    """Decoded fields of a batch of headers, one row each."""

    names: list[bytes]
    links: list[bytes]
    mode: NDArray[np.int64]
    uid: NDArray[np.int64]
    gid: NDArray[np.int64]
    size: NDArray[np.int64]
    """As the header has it, whatever extensions say."""
    mtime: NDArray[np.int64]
    """Seconds since the epoch."""
    device: NDArray[np.bool_]
    matrix: NDArray[np.uint8]
    where: str

    def device_numbers(self, row: int) -> tuple[int, int]:
        """(major, minor) of a device node's row.

        Raises:
            LaminaError: they are no numbers.
        """
        block = self.matrix[row].tobytes()
        try:
            return parse_number(block[329:337]), parse_number(block[337:345])
        except ValueError:
            raise LaminaError(f"{self.where}: bad tar header: its device number is not a number") from None


def _octal_column(columns: NDArray[np.uint8], what: str, where: str) -> NDArray[np.int64]:
    width = columns.shape[1] - 1  # the last byte is the terminator
    digits = columns[:, :width] - np.uint8(ord("0"))
    weights = 8 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    values: NDArray[np.int64] = digits.astype(np.int64) @ weights
    last = columns[:, width]
    odd = np.flatnonzero((digits > 7).any(axis=1) | ((last != 0) & (last != 0x20)))
    if odd.size:
        values[odd] = _odd_numbers(columns[odd], what, where)
    return values


def _odd_numbers(columns: NDArray[np.uint8], what: str, where: str) -> NDArray[np.int64]:
    """Numbers that are not plain: blanks around them, ended early, or in base 256; see :func:`parse_number`."""
    blank, nul = columns == 0x20, columns == 0
    over = np.logical_or.accumulate(nul, axis=1)
    front = np.logical_and.accumulate(blank, axis=1)
    back = np.logical_and.accumulate((blank | over)[:, ::-1], axis=1)[:, ::-1]
    digits = columns - np.uint8(ord("0"))
    written = ~(front | back)
    values = np.zeros(len(columns), dtype=np.int64)
    for place in range(columns.shape[1]):
        values = np.where(written[:, place], values * 8 + digits[:, place], values)
    binary = _base_256(columns, values)
    for row in np.flatnonzero((written & (digits > 7)).any(axis=1) & ~binary).tolist():
        try:
            value = parse_number(columns[row].tobytes())
        except ValueError:
            raise LaminaError(f"{where}: bad tar header: its {what} is not a number") from None
        values[row] = max(-_INT64_MAX, min(value, _INT64_MAX))
    return values


def _base_256(columns: NDArray[np.uint8], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Fill in the values of rows in base 256 that have at most 55 bits and a sign; which rows those are."""
    low = min(7, columns.shape[1] - 1)
    high = columns[:, 1 : columns.shape[1] - low]
    positive = (columns[:, 0] == 0x80) & (high == 0).all(axis=1)
    negative = (columns[:, 0] == 0xFF) & (high == 0xFF).all(axis=1)
    number = np.zeros(len(columns), dtype=np.int64)
    for place in range(columns.shape[1] - low, columns.shape[1]):
        number = number * 256 + columns[:, place]
    values[positive] = number[positive]
    values[negative] = number[negative] - (1 << 8 * low)
    found: NDArray[np.bool_] = positive | negative
    return found


def plain_payloads(matrix: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bytes of payload of each header's member, where it has no oddity; -1 of all others.

    No oddity: a regular file whose size is plain octal, or a member that is nothing but its header.
    """
    flags = matrix[:, 156]
    digits = matrix[:, 124:135] - np.uint8(ord("0"))
    sizes = digits.astype(np.int64) @ _SIZE_WEIGHTS
    # The twelfth character of a size is a digit, a blank or NUL.
    odd = (digits > 7).any(axis=1) | (matrix[:, 135] & np.uint8(0xDF) != 0)
    payloads = np.where(odd, -1, sizes)
    payloads[flags != 0x30] = -1
    payloads[(flags >= 0x31) & (flags <= 0x36)] = 0
    return payloads


def _check_sums(matrix: NDArray[np.uint8], where: str) -> None:
    """Refuse headers whose checksum is wrong: unsigned sum of the block, its own field read as blanks.

    Raises:
        LaminaError: one is.
    """
    sums = matrix.sum(axis=1, dtype=np.uint32).astype(np.int64)
    field = matrix[:, 148:156]
    sums -= field.sum(axis=1, dtype=np.int64) - 8 * 0x20
    # The field is six digits, NUL, blank; some writers use seven digits, or blanks in front.
    digits = field[:, :6] - np.uint8(ord("0"))
    stated = digits.astype(np.int64) @ (8 ** np.arange(5, -1, -1, dtype=np.int64))
    wrong = np.flatnonzero((digits > 7).any(axis=1) | (stated != sums))
    if not wrong.size:
        return
    stated = _octal_column(field[wrong], "checksum", where)
    # Some writers sum up signed bytes.
    signed = matrix[wrong].view(np.int8).sum(axis=1, dtype=np.int64)
    signed -= field[wrong].view(np.int8).sum(axis=1, dtype=np.int64) - 8 * 0x20
    for row in wrong[(stated != sums[wrong]) & (stated != signed)].tolist():
        if not checksum_holds(matrix[row].tobytes()):
            raise LaminaError(f"{where}: bad tar header: wrong checksum (damaged, or not a tar)")


def _strings(columns: NDArray[np.uint8]) -> list[bytes]:
    width = columns.shape[1]
    texts: list[bytes] = np.ascontiguousarray(columns).view(f"S{width}").ravel().tolist()
    if b"\0" in b"".join(texts):  # rubbish after the terminator
        texts = [text.partition(b"\0")[0] for text in texts]
    return texts


def decode_headers(matrix: NDArray[np.uint8], where: str) -> HeaderBatch:
    """Decode header blocks.

    Args:
        matrix: one block a row.
        where: names the layer in errors.

    Raises:
        LaminaError: a checksum or a number is wrong.
    """
    _check_sums(matrix, where)
    names = _strings(matrix[:, :100])
    # A prefix exists only in POSIX headers ("ustar\0"); GNU's "ustar " keeps times there.
    posix = (matrix[:, 257:263] == np.frombuffer(b"ustar\0", dtype=np.uint8)).all(axis=1)
    for row in np.flatnonzero(posix & (matrix[:, 345] != 0)).tolist():
        prefix = matrix[row, 345:500].tobytes().partition(b"\0")[0]
        names[row] = prefix + b"/" + names[row]
    flags = matrix[:, 156]
    linked = np.flatnonzero((flags == 0x31) | (flags == 0x32))
    links = [b""] * len(names)
    if linked.size:
        for row, target in zip(linked.tolist(), _strings(matrix[linked, 157:257]), strict=True):
            links[row] = target
    return HeaderBatch(
        names=names,
        links=links,
        mode=_octal_column(matrix[:, 100:108], "mode", where),
        uid=_octal_column(matrix[:, 108:116], "user id", where),
        gid=_octal_column(matrix[:, 116:124], "group id", where),
        size=_octal_column(matrix[:, 124:136], "size", where),
        mtime=_octal_column(matrix[:, 136:148], "time", where),
        device=(flags == 0x33) | (flags == 0x34),
        matrix=matrix,
        where=where,
    )
