"""Records of a PAX extended header (POSIX.1-2001): one grammar for layers and for the archives around them."""

from __future__ import annotations

from lamina import limits

_INT64_MAX = 2**63 - 1


def pax_records(payload: bytes) -> list[tuple[bytes, bytes]]:
    """The (key, value) pairs of a header, in order; a key may stand several times.

    Raises:
        ValueError: a record is malformed.
    """
    found: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(payload):
        if payload[position] == 0:  # some writers pad the payload with NULs
            break
        blank = payload.find(b" ", position, position + 20)
        length_text = payload[position:blank] if blank > 0 else b""
        if not length_text.isdigit():
            raise ValueError("bad PAX record length")
        end = position + int(length_text)
        if end > len(payload) or end <= blank + 1 or payload[end - 1] != 0x0A:
            raise ValueError("bad PAX record")
        key, equals, value = payload[blank + 1 : end - 1].partition(b"=")
        if not equals or not key:
            raise ValueError("bad PAX record")
        found.append((key, value))
        if len(found) > limits.PAX_RECORDS:
            raise ValueError(f"more than {limits.PAX_RECORDS} PAX records")
        position = end
    return found


def pax_natural(text: bytes) -> int:
    """A record's number; what no 64 bits hold becomes the largest that they do.

    Raises:
        ValueError: it is none.
    """
    if not text.isdigit() or len(text) > 19:
        raise ValueError("bad number in a PAX record")
    return min(int(text), _INT64_MAX)
