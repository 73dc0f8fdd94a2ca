"""What looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamina.advice.examined import Examined, Rows
from lamina.advice.finding import Finding, Rule
from lamina.advice.instruction import Instruction
from lamina.advice.model import Severity
from lamina.among import among
from lamina.amounts import plural
from lamina.distinct import distinct
from lamina.stack.union import NEVER

_KEY = rb"PRIVATE KEY-----"
_VARIABLE = rb"(?im)^(?:export )?\w{0,64}(?:secret|token|passw|api_?key|private_?key|credential)\w{0,64} ?= ?[^\s#]"
_SAMPLES = (
    b"test",
    b"tests",
    b"testdata",
    b"examples",
    b"fixtures",
    b"site-packages",
    b"dist-packages",
    b"node_modules",
)
"""Folders whose keys are most likely samples, made to be published."""


class _Kind(NamedTuple):
    """One kind of secret."""

    what: str
    names: tuple[bytes, ...] = ()
    """Whole last names; one with a slash is of the folder, too."""
    endings: tuple[bytes, ...] = ()
    says: bytes = b"."
    """A pattern that the first bytes have."""
    sure: bool = False
    """Whether the name alone tells enough, where the content can't be read."""


_KINDS = (
    _Kind("private keys", (b"id_rsa", b"id_dsa", b"id_ecdsa", b"id_ed25519"), says=_KEY, sure=True),
    _Kind("private keys", endings=(b".pem", b".key"), says=_KEY),
    _Kind("key stores", endings=(b".p12", b".pfx", b".kdbx")),
    _Kind("cloud credentials", (b".aws/credentials",), says=rb"(?i)aws_secret_access_key", sure=True),
    _Kind(
        "cloud credentials",
        (b"gcloud/application_default_credentials.json",),
        says=rb'"(?:private_key|refresh_token)"',
        sure=True,
    ),
    _Kind("registry credentials", (b".docker/config.json",), says=rb'"(?:auth|identitytoken)"\s*:\s*"[^"]'),
    _Kind("cluster credentials", (b".kube/config",), says=rb"(?:token|client-key-data|password):[ \t]*\S"),
    _Kind("package registry tokens", (b".npmrc", b".yarnrc.yml"), says=rb"(?i)authToken|_auth\s*=|_password"),
    _Kind("package registry tokens", (b".pypirc",), says=rb"(?i)password\s*[=:]\s*\S", sure=True),
    _Kind("passwords", (b".netrc", b"_netrc"), says=rb"(?i)\bpassword\s+\S", sure=True),
    _Kind("passwords", (b".git-credentials",), says=rb"://[^/\s:]{0,200}:[^/\s]{1,200}@", sure=True),
    _Kind("passwords", (b".pgpass",), sure=True),
    _Kind("environment files", (b".env", b".env.local", b".env.production"), says=_VARIABLE),
    _Kind(
        "shell histories",
        (
            *(b".bash_history", b".zsh_history", b".ash_history", b".sh_history", b".python_history"),
            *(b".mysql_history", b".psql_history", b".node_repl_history", b".rediscli_history"),
        ),
        sure=True,
    ),
)


class Secrets(Rule):
    """What looks like a secret: private keys, tokens, credentials, `.env` files, histories.

    Whoever has the image has it, also where a later layer deletes it: that layer only hides it. Exchange the secret,
    give it to a RUN with `--mount=type=secret`, and keep it out with `.dockerignore`. The first bytes of a file decide
    (a public certificate is none), where they can't be read names that leave no doubt; what is told is path and layer,
    never the content. Keys within tests, examples and libraries are told as information: they are most likely samples.
    """

    name = "secrets"

    def __init__(self) -> None:
        self._suspects: tuple[Rows, NDArray[np.int8]] | None = None

    def wanted(self, image: Examined) -> Rows:
        """What is called so, in any layer."""
        return self._called(image)[0]

    def _called(self, image: Examined) -> tuple[Rows, NDArray[np.int8]]:
        """The files that are called like a secret, and the kind of each, a place in the table."""
        if self._suspects is None:
            kind_at = np.full(image.paths.count, -1, dtype=np.int8)
            for number, kind in enumerate(_KINDS):
                for ending in kind.endings:
                    kind_at[image.ending(ending)] = number
            for number, kind in enumerate(_KINDS):  # a whole name says more than an ending
                for name in kind.names:
                    folder, slash, last = name.rpartition(b"/")
                    rows = image.called(last)
                    if slash:
                        rows = rows[among(image.paths.parent[rows], image.called(folder))]
                    kind_at[rows] = number
            events = image.shipped_events(kind_at >= 0)
            self._suspects = events, kind_at[image.union.path[events]]
        return self._suspects

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding a kind, layer, and layer that deletes it."""
        union = image.union
        sample = image.inside(image.called(*_SAMPLES))
        groups: dict[tuple[str, int, int, bool], list[int]] = {}
        for event, number in zip(*(column.tolist() for column in self._called(image)), strict=True):
            kind, head = _KINDS[number], image.heads.get(event)
            if union.size[event] and (kind.sure if head is None else re.search(kind.says, head, re.DOTALL)):
                path = int(union.path[event])
                key = kind.what, int(union.born[event]), int(union.died[event]), bool(sample[path])
                groups.setdefault(key, []).append(path)
        for (what, layer, died, samples), paths in groups.items():
            hidden = None if died == NEVER else died
            rows = distinct(np.array(paths, dtype=np.int32))
            where = Instruction(image.image.info, layer)
            still = "" if hidden is None else f" Layer {hidden} takes them away, and they are shipped all the same."
            files = plural(len(rows), "file")
            yield Finding(
                text=f"Layer {layer} ships {files} that look{'s' if len(rows) == 1 else ''} like {what}.{still}",
                do="Exchange what was shipped; give secrets to a RUN by --mount=type=secret and keep them out with "
                f".dockerignore: {where.where}.",
                rows=rows,
                layers=(layer,),
                changes=layer,
                hidden_by=hidden,
                severity=Severity.INFO if samples else Severity.HIGH,
            )
