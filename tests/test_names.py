"""Untrusted text made harmless, and image references made comparable."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.names import decode, display_name, normalise_reference, same_reference, short_instruction

# Every single character, and every single byte.


ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
"""Controls, formats (bidi, joiners, tags), surrogates, private use, unassigned, separators."""


# Default_Ignorable_Code_Point of Unicode, as far as Python calls it printable; and the braille pattern without a dot.
UNSEEN = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
UNSEEN |= set(range(0xE0100, 0xE01F0))


@pytest.mark.parametrize("code", [0x34F, 0xFE0F, 0x180B, 0xE0100, 0x3164, 0xFFA0, 0x115F, 0x2800, 0x200B, 0xAD])
def test_two_names_that_look_alike_are_shown_differently(code: int) -> None:
    assert display_name(f"ap{chr(code)}p") != display_name("app")
    assert display_name(f"ap{chr(code)}p").isascii()


def test_printable_characters_stay_and_all_others_become_ascii() -> None:
    wrong = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        acts = char != " " and (unicodedata.category(char) in ACTING or code in UNSEEN)
        shown = display_name(char)
        if (shown == char) is acts or not shown.isprintable() or (acts and not (shown.isascii() and shown[0] == "\\")):
            wrong.append(hex(code))

    assert wrong == []


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("usr/lib/libc.so.6", "usr/lib/libc.so.6"),
        ("Zoë 日本語 🐳", "Zoë 日本語 🐳"),
        ("a\x1b[31mred\x1b[0m", "a\\x1b[31mred\\x1b[0m"),
        ("line\nbreak\ttab\rreturn", "line\\nbreak\\ttab\\rreturn"),
        ("\x00\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
        ("\x9b31m\x85\x90", "\\x9b31m\\x85\\x90"),
        ("gnp.\u202egpj", "gnp.\\u202egpj"),
        ("\u2066\u2069\u200e\u061c", "\\u2066\\u2069\\u200e\\u061c"),
        ("a\u200bb\u200db\ufeff", "a\\u200bb\\u200db\\ufeff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ue000\U000f0000\U0010ffff", "\\ue000\\U000f0000\\U0010ffff"),
        ("\U000e0001\U000e0061", "\\U000e0001\\U000e0061"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("\udc7f\udc80\udcff\udd00", "\\udc7f\\x80\\xff\\udd00"),
        ("\uffff\U0001ffff", "\\uffff\\U0001ffff"),
        ("\xa0\xad", "\\xa0\\xad"),
        ("", ""),
        ("[/bold] [@click=app.quit]x[/]", "[/bold] [@click=app.quit]x[/]"),
    ],
)
def test_what_is_not_printable_becomes_a_visible_escape(raw: str, shown: str) -> None:
    assert display_name(raw) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain", "plain"),
        ("Zoë".encode(), "Zoë"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"a\xc3", "a\\xc3"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"\xc0\xaf", "\\xc0\\xaf"),
        (b"\xc2\x9b", "\\x9b"),
        ("\u202e".encode(), "\\u202e"),
    ],
)
def test_bytes_of_any_encoding(raw: bytes, shown: str) -> None:
    assert display_name(raw) == shown


@given(st.binary())
def test_decoding_loses_nothing(raw: bytes) -> None:
    assert decode(raw).encode("utf-8", "surrogateescape") == raw
    assert display_name(raw) == display_name(decode(raw))
    assert display_name(raw).isprintable()


@given(st.text())
def test_what_is_shown_can_be_written_anywhere(raw: str) -> None:
    shown = display_name(raw)

    shown.encode("utf-8")
    assert display_name(shown) == shown


# References.


@pytest.mark.parametrize(
    ("reference", "short"),
    [
        ("ubuntu", "ubuntu:latest"),
        ("ubuntu:14.04", "ubuntu:14.04"),
        ("library/ubuntu", "ubuntu:latest"),
        ("docker.io/ubuntu", "ubuntu:latest"),
        ("docker.io/library/ubuntu", "ubuntu:latest"),
        ("docker.io/library/ubuntu:14.04", "ubuntu:14.04"),
        ("index.docker.io/library/ubuntu:14.04", "ubuntu:14.04"),
        ("docker.io/grafana/loki", "grafana/loki:latest"),
        ("grafana/loki:3", "grafana/loki:3"),
        ("quay.io/library/ubuntu", "quay.io/library/ubuntu:latest"),
        ("quay.io/a/b/c:d", "quay.io/a/b/c:d"),
        ("localhost/app", "localhost/app:latest"),
        ("registry:5000/x", "registry:5000/x:latest"),
        ("registry:5000/x:1", "registry:5000/x:1"),
        ("localhost:5000/library/x", "localhost:5000/library/x:latest"),
        ("library/a/b", "library/a/b:latest"),
        ("docker.io/library/ubuntu@sha256:" + "a" * 64, "ubuntu@sha256:" + "a" * 64),
        ("ubuntu:14.04@sha256:" + "a" * 64, "ubuntu@sha256:" + "a" * 64),
        ("registry:5000/x@sha256:" + "a" * 64, "registry:5000/x@sha256:" + "a" * 64),
        ("registry:5000/x:1@sha256:" + "a" * 64, "registry:5000/x@sha256:" + "a" * 64),
    ],
)
def test_references_in_their_familiar_form(reference: str, short: str) -> None:
    assert normalise_reference(reference) == short
    assert normalise_reference(short) == short


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("docker.io/library/ubuntu:14.04", "ubuntu:14.04", True),
        ("ubuntu", "ubuntu:latest", True),
        ("ubuntu", "ubuntu:14.04", False),
        ("ubuntu", "quay.io/ubuntu", False),
        ("ubuntu", "someone/ubuntu", False),
        ("registry:5000/ubuntu", "ubuntu", False),
        ("ubuntu:1@sha256:ab", "docker.io/library/ubuntu@sha256:ab", True),
        ("ubuntu@sha256:ab", "ubuntu@sha256:cd", False),
    ],
)
def test_the_same_image_by_two_names(a: str, b: str, same: bool) -> None:
    assert same_reference(a, b) is same
    assert same_reference(b, a) is same


_PART = st.text("ab1-", min_size=1, max_size=4)


@given(
    st.sampled_from(["", "docker.io/", "docker.io/library/", "quay.io/", "localhost/", "registry:5000/"]),
    st.lists(_PART, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", ":1.0", ":latest"]),
    st.sampled_from(["", "@sha256:" + "0" * 64]),
)
def test_the_familiar_form_is_one(host: str, path: str, tag: str, digest: str) -> None:
    short = normalise_reference(host + path + tag + digest)

    assert normalise_reference(short) == short
    assert same_reference(short, host + path + tag + digest)
    assert short.endswith(digest or tag or ":latest")


@given(st.text())
def test_any_text_is_taken_as_a_reference_without_complaint(text: str) -> None:
    assert normalise_reference(text)


# Instructions.


@pytest.mark.parametrize(
    ("raw", "short"),
    [
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("/bin/bash -c apt-get update", "RUN apt-get update"),
        ("/bin/sh -c #(nop) ADD file:abc in / ", "ADD file:abc in /"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("|2 A=1 B=2 /bin/sh -c make", "RUN make"),
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("RUN |1 A=1 /bin/sh -c make # buildkit", "RUN make"),
        ("COPY . /app # buildkit", "COPY . /app"),
        ("RUN  make \t\\\n  && make install", "RUN make \\ && make install"),
        ('ENTRYPOINT ["/bin/sh" "-c"]', 'ENTRYPOINT ["/bin/sh" "-c"]'),
        ("", ""),
        ("bazel build ...", "bazel build ..."),
    ],
)
def test_instructions_without_their_builders_noise(raw: str, short: str) -> None:
    assert short_instruction(raw) == short


@given(st.text())
def test_instructions_are_safe_to_show_on_one_line(raw: str) -> None:
    assert short_instruction(raw).isprintable()


def test_an_instruction_of_megabytes_is_cut_before_it_is_looked_at() -> None:
    assert len(short_instruction("RUN " + "|1 " * 3_000_000)) < 5000
