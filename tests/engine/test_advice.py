"""An image with twelve sins by a real engine: each is told to the byte, and without them it weighs just that less."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.images import BASE
from engine.tools import lamina, run
from needs import tool, unavailable

SINFUL, CLEAN, STAGED, BOOTED = (f"lamina-test/{name}:1" for name in ("sinful", "clean", "staged", "booted"))

_LINES = 1500


def written(path: str, word: str) -> tuple[str, int]:
    """A command that writes a file which is like no other, and the bytes that it has then."""
    pad = "0123456789abcdef" * 4
    folder = path.rpartition("/")[0]
    loop = f'i=0; while [ $i -lt {_LINES} ]; do echo "{word} $i {pad}"; i=$((i+1)); done > {path}'
    return f"mkdir -p {folder}; {loop}", sum(len(f"{word} {n} {pad}\n") for n in range(_LINES))


LEFT = {
    "lists": ("/var/lib/apt/lists/x", "package-cache"),
    "pip-cache": ("/root/.cache/pip/x", "package-cache"),
    "history": ("/srv/src/.git/objects/x", "version-control"),
    "symbols": ("/usr/lib/debug/x.debug", "debug-symbols"),
    "temporary": ("/tmp/left/x", "temporary-files"),
    "log-of-it": ("/var/log/install.log", "logs"),
    "header-of": ("/usr/include/x.h", "build-tools"),
    "byte-code": ("/srv/app/__pycache__/x.pyc", "python-bytecode"),
}
"""What a step leaves behind; clean, it removes that itself."""
DATA, DATA_SIZE = written("/srv/data", "the data")
DOOMED, DOOMED_SIZE = written("/srv/build/x", "doomed")
FIRST, FIRST_SIZE = written("/srv/config", "at first")
LAST, _ = written("/srv/config", "finally it is")
APP = b"the application\n" * 9000
KEY = "echo -----BEGIN PRIVATE KEY----- > /srv/server.key"


def sinful() -> str:
    steps = [f"FROM {BASE}", "COPY app /srv/app/", "RUN chown -R 1000:1000 /srv/app"]
    steps += [f"RUN {DOOMED}", "RUN rm -r /srv/build", f"RUN {FIRST}", f"RUN {LAST}"]
    steps += [f"RUN {DATA}", "RUN cp /srv/data /srv/copy"]
    steps += [f"RUN {written(path, word)[0]}" for word, (path, _) in LEFT.items()]
    return "\n".join([*steps, f"RUN {KEY}", "RUN rm /srv/server.key", 'CMD ["sh"]'])


def clean() -> str:
    """The same as it is advised."""
    steps = [f"FROM {BASE}", "COPY --chown=1000:1000 app /srv/app/"]
    steps += [f"RUN {DOOMED}; rm -r /srv/build", f"RUN {FIRST}; {LAST}"]
    steps += [f"RUN {DATA}", "RUN ln -s data /srv/copy"]
    steps += [f"RUN {written(path, word)[0]}; rm {path}" for word, (path, _) in LEFT.items()]
    return "\n".join([*steps, 'CMD ["sh"]'])


EXPECTED = sorted(
    [
        *((rule, written(path, word)[1]) for word, (path, rule) in LEFT.items()),
        *[("metadata-copy", len(APP)), ("deleted-later", DOOMED_SIZE), ("rewritten", FIRST_SIZE)],
        ("duplicates", DATA_SIZE),
    ]
)


@pytest.fixture
def build(built: str, docker_cli: Callable[..., str], tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Build a Dockerfile under a name."""
    tags = []
    environment = {**os.environ, "DOCKER_HOST": built, "DOCKER_BUILDKIT": "0"}

    def call(tag: str, dockerfile: str) -> None:
        context = tmp_path / tag.replace("/", "-").replace(":", "-")
        context.mkdir()
        (context / "Dockerfile").write_text(dockerfile)
        (context / "app").write_bytes(APP)
        tags.append(tag)
        run(tool("docker"), "build", "-q", "--network", "none", "-t", tag, context, env=environment)

    yield call
    for tag in tags:
        docker_cli("rmi", "-f", tag)


def reported(tag: str, host: str) -> dict[str, Any]:
    done = lamina("report", tag, "--json", host=host, store=True)
    assert done.code == 0, done.err
    (image,) = json.loads(done.out)["images"]
    return dict(image)


def heavy(image: dict[str, Any]) -> list[dict[str, Any]]:
    return [advice for advice in image["advice"] if advice["severity"] != "info"]


def test_twelve_sins_are_told_to_the_byte_and_without_them_the_image_weighs_just_that_much_less(
    built: str, build: Callable[[str, str], None]
) -> None:
    build(SINFUL, sinful())
    build(CLEAN, clean())

    bad, good = reported(SINFUL, built), reported(CLEAN, built)

    saving = [advice for advice in bad["advice"] if advice["saves"]]
    assert sorted((advice["rule"], advice["saves"]) for advice in saving) == EXPECTED
    assert len(EXPECTED) == 12
    key = len(KEY.split("echo ")[1].split(" >", maxsplit=1)[0]) + 1
    assert bad["size"] - good["size"] - key == sum(advice["saves"] for advice in saving)
    assert [advice["rule"] for advice in good["advice"] if advice["saves"]] == []
    assert heavy(good) == []
    (secret,) = (advice for advice in bad["advice"] if advice["rule"] == "secrets")
    assert (secret["severity"], secret["paths"]) == ("high", {"count": 1, "first": ["srv/server.key"]})
    assert secret["hidden_by"] == secret["layers"][0] + 1
    (chown,) = (advice for advice in saving if advice["rule"] == "metadata-copy")
    assert "COPY --chown=1000:1000" in chown["do"]


def test_a_clean_image_of_two_stages_has_nothing_above_information(
    built: str, build: Callable[[str, str], None]
) -> None:
    build(
        STAGED,
        f"FROM {BASE} AS build\nCOPY app /srv/app/\nRUN {DOOMED}\n"
        f"FROM {BASE}\nCOPY --from=build --chown=1000:1000 /srv/build /srv/build\n"
        'USER 1000\nCMD ["cat", "/srv/build/x"]',
    )

    assert heavy(reported(STAGED, built)) == []


def test_a_plain_base_of_a_distribution_has_nothing_above_information(
    built: str, docker_cli: Callable[..., str], tmp_path: Path
) -> None:
    if "LAMINA_ROOT" not in os.environ:
        unavailable("LAMINA_ROOT names no folder of debootstrap --variant=minbase, cleaned and without lists")
    archive = shutil.make_archive(str(tmp_path / "root"), "tar", os.environ["LAMINA_ROOT"])
    docker_cli("import", archive, BOOTED)
    try:
        assert heavy(reported(BOOTED, built)) == []
    finally:
        docker_cli("rmi", "-f", BOOTED)
