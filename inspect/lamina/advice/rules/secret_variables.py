"""Variables that look like secrets, in the image's own documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from lamina.advice.examined import Examined
from lamina.advice.finding import Finding, Rule
from lamina.advice.model import Severity
from lamina.amounts import plural
from lamina.names import display_name

_NAME = re.compile(r"(?i)secret|token|passw|api_?key|private_?key|credential")
_NO_SECRET = re.compile(r"(?i)_(?:file|path|dir|url|name|user|expir\w*|ttl|length)$")
"""Ends of names whose values only lead to a secret, or tell of one."""
_BUILD_ARGUMENTS = re.compile(r"^(?:RUN )?\|\d{1,4} (.{0,4000}?) ?/bin/", re.DOTALL)
"""How builders write in a history what they gave a RUN as build arguments."""
_ASSIGNED = re.compile(r"(?:^| )([A-Za-z_]\w{0,99})=(\S)")
_SHOWN = 5


class SecretVariables(Rule):
    """Secrets in the image's environment, or in the build arguments that its history keeps.

    `ENV` and `ARG` stand in the config, which everybody has who can pull the image. Give secrets to a RUN with
    `--mount=type=secret`, and to a container when it is started. What is told are names of variables, never values;
    names that only lead to a secret (`..._FILE`) count for none.
    """

    name = "secret-variables"

    def find(self, image: Examined) -> Iterator[Finding]:
        """One finding of the environment, one a layer of build arguments."""
        env = image.config.get("Env")
        names = [name for name, value in _pairs(env if isinstance(env, list) else []) if _is_secret(name, value)]
        if names:
            yield _told("The image's environment has", names, ())
        for layer in image.image.info.layers:
            found = _BUILD_ARGUMENTS.match(layer.instruction[:8192])
            pairs = _ASSIGNED.findall(found[1]) if found else []
            given = [name for name, value in pairs if _is_secret(name, value)]
            if given:
                yield _told(f"The history of layer {layer.index} keeps", given, (layer.index,))


def _pairs(env: list[object]) -> Iterator[tuple[str, str]]:
    for each in env[:1000]:
        if isinstance(each, str):
            name, _, value = each[:4096].partition("=")
            yield name, value


def _is_secret(name: str, value: str) -> bool:
    leads = value.startswith(("/", "$")) or _NO_SECRET.search(name[-40:])
    return bool(value) and not leads and bool(_NAME.search(name[:200]))


def _told(where: str, names: list[str], layers: tuple[int, ...]) -> Finding:
    shown = ", ".join(display_name(name[:60]) for name in names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    words = "that looks like a secret" if len(names) == 1 else "that look like secrets"
    return Finding(
        text=f"{where} {plural(len(names), 'variable')} {words}.",
        do=f"Exchange what was shipped; give it to a RUN by --mount=type=secret, to a container at its start: {shown}.",
        rows=np.zeros(0, dtype=np.int32),
        layers=layers,
        severity=Severity.HIGH,
    )
