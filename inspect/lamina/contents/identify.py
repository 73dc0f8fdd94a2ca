"""What a file is, in a line: by its first bytes, and by libraries that need nothing of the system."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from itertools import islice
from typing import IO, Any

from lamina.contents.content import ContentFile, FileContent
from lamina.names import decode, display_name

_HEAD = 64 << 10
_LISTED = 5  # names that are told
_ENTRIES = 64 << 20  # bytes that are read at the most to tell what is in a file
_PARTS = 1000  # segments, and entries of one, of a program that are looked at
_TOLD = 200  # characters of one thing
_LINE = 1000  # and of all


def identify(content: FileContent) -> str:
    """What a file is; empty where there is nothing to say beside that it is text or binary.

    Args:
        content: the file, opened; it stays open.

    Returns:
        One line, safe to show.

    Raises:
        LaminaError: it can't be read.
    """
    head = content.read(0, _HEAD)
    for begins, tell in _KINDS:
        if head.startswith(begins):
            try:
                return display_name(tell(head, content))[:_LINE]
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, AssertionError):
                return ""  # it only begins like that
            except Exception as error:
                # What libraries make of untrusted bytes is theirs to name; a file that can't be read is ours.
                if type(error).__module__.startswith("lamina"):
                    raise
                return ""
    if head[257:262] == b"ustar":
        return _tar(content)
    return ""


class _Beginning(ContentFile):
    """What of a file a library sees: untrusted numbers must not lead it through gigabytes."""

    def __init__(self, content: FileContent) -> None:
        super().__init__(content)
        self._left = _ENTRIES

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's is wider
        """See :class:`io.RawIOBase`."""
        if self._left <= 0:
            raise ValueError("more than it takes to tell what it is")
        count = super().readinto(buffer)
        self._left -= count
        return count

    def close(self) -> None:
        """The content stays open."""


def _file(content: FileContent) -> IO[bytes]:
    return io.BufferedReader(_Beginning(content))


def _elf(_head: bytes, content: FileContent) -> str:
    from elftools.elf.elffile import ELFFile

    elf: Any = ELFFile(_file(content))
    kinds = {"ET_EXEC": "program", "ET_DYN": "shared object", "ET_REL": "object file", "ET_CORE": "core dump"}
    what = kinds.get(elf["e_type"], "file")
    needed: list[str] = []
    for segment in islice(elf.iter_segments(), _PARTS):
        if segment["p_type"] == "PT_INTERP" and what == "shared object":
            what = "program"  # that may be loaded anywhere
        elif segment["p_type"] == "PT_DYNAMIC":
            tags = islice(segment.iter_tags(), _PARTS)
            needed = [tag.needed for tag in tags if tag["d_tag"] == "DT_NEEDED"]
    linked = f", needs {', '.join(needed)}" if needed else ", needs no library" if what == "program" else ""
    return f"ELF {elf.elfclass}-bit {what} for {elf.get_machine_arch()}{linked}"


def _picture(head: bytes, content: FileContent) -> str:
    import imagesize

    width, height = imagesize.get(io.BytesIO(content.read(0, 1 << 20)))
    name = {b"\x89P": "PNG", b"\xff\xd8": "JPEG", b"GI": "GIF", b"RI": "WebP"}[head[:2]]
    if width <= 0 or height <= 0:
        raise ValueError("no picture")
    return f"{name} picture, {width} x {height} pixels"


def _zip(_head: bytes, content: FileContent) -> str:
    if content.size > _ENTRIES:
        return "zip archive"  # its table may be as large as it likes to say
    with zipfile.ZipFile(_file(content)) as archive:
        return _entries("zip archive", archive.namelist())


def _tar(content: FileContent) -> str:
    if content.size > _ENTRIES:
        return "tar archive"
    try:
        with tarfile.open(fileobj=_file(content)) as archive:
            return display_name(_entries("tar archive", archive.getnames()))
    except (tarfile.TarError, EOFError):
        return ""


def _entries(what: str, names: list[str]) -> str:
    more = ", …" if len(names) > _LISTED else ""
    return f"{what} of {len(names):,} entries: {', '.join(names[:_LISTED])}{more}"


def _certificate(head: bytes, _content: FileContent) -> str:
    from asn1crypto import pem, x509

    _, _, data = pem.unarmor(head[: head.index(b"-----END CERTIFICATE-----") + 26])
    certificate = x509.Certificate.load(data)
    more = head.count(b"-----BEGIN CERTIFICATE-----") - 1
    validity = certificate["tbs_certificate"]["validity"].native
    others = f", and {more} more behind it" if more else ""
    return (
        f"certificate of {certificate.subject.human_friendly}, "
        f"valid from {validity['not_before']:%Y-%m-%d} to {validity['not_after']:%Y-%m-%d}{others}"
    )


def _key(head: bytes, _content: FileContent) -> str:
    return f"private key ({head.partition(b'-----BEGIN ')[2].partition(b'-----')[0].decode('ascii', 'replace')})"


def _script(head: bytes, _content: FileContent) -> str:
    program, _, _ = head[2:].partition(b"\n")
    return f"script for {decode(program.strip())[:_TOLD]}"


def _named(text: str) -> Callable[[bytes, FileContent], str]:
    return lambda _head, _content: text


_KINDS: tuple[tuple[bytes, Callable[[bytes, FileContent], str]], ...] = (
    (b"\x7fELF", _elf),
    (b"\x89PNG\r\n", _picture),
    (b"\xff\xd8\xff", _picture),
    (b"GIF8", _picture),
    (b"RIFF", _picture),
    (b"PK\x03\x04", _zip),
    (b"-----BEGIN CERTIFICATE-----", _certificate),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", _key),
    (b"-----BEGIN PRIVATE KEY-----", _key),
    (b"-----BEGIN RSA PRIVATE KEY-----", _key),
    (b"-----BEGIN EC PRIVATE KEY-----", _key),
    (b"#!", _script),
    (b"\x1f\x8b", _named("gzip data")),
    (b"\x28\xb5\x2f\xfd", _named("zstd data")),
    (b"\xfd7zXZ", _named("xz data")),
    (b"BZh", _named("bzip2 data")),
    (b"SQLite format 3\0", _named("SQLite database")),
    (b"%PDF-", _named("PDF document")),
    (b"\xca\xfe\xba\xbe", _named("Java class")),
    (b"!<arch>\n", _named("ar archive")),
)
