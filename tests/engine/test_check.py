"""Lines of a Dockerfile that a real engine built: each step leaves a file that is called by its own line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from engine.images import BASE
from engine.tools import lamina, run
from needs import tool

TAG = "lamina-test/lines:1"
DOCKERFILE = f"""\
# A stage that is left out of the image has lines too.
FROM {BASE} AS other
RUN : > /line-3

FROM {BASE} AS below
RUN mkdir /srv/x && \\
    # a comment between
    : > /line-6
ENV HERE=/srv/x
COPY line-10 /
FROM below
WORKDIR /srv/new/line-12
COPY line-13 \\
     line-13b /srv/x/
ARG WHO=me
ADD line-16 $HERE/line-16
RUN ["/bin/sh", "-c", ": > /line-17"]
RUN : > /line-18
RUN : > /line-19; \\
    cat /bin/cp > /srv/heavy
RUN rm /srv/heavy
"""
LINES = (6, 10, 12, 13, 16, 17, 18, 19)


def test_layers_are_led_to_the_lines_that_made_them(built: str, docker_cli: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    for name in ("line-10", "line-13", "line-13b", "line-16"):
        (tmp_path / name).write_text(name)
    environment = {**os.environ, "DOCKER_HOST": built, "DOCKER_BUILDKIT": "0"}
    run(tool("docker"), "build", "--network", "none", "-t", TAG, tmp_path, env=environment)
    try:
        limits = [word for line in LINES for word in ("--forbid", f"line-{line}")]
        done = lamina(
            *("check", TAG, "--json", "--file", str(tmp_path / "Dockerfile"), "--max-wasted", "0", *limits), host=built
        )
    finally:
        docker_cli("rmi", "-f", TAG)

    assert done.code == 1, done.err
    (image,) = json.loads(done.out)["images"]
    wasted, *forbidden = image["limits"]
    assert {limit["limit"]: limit["line"] for limit in forbidden} == {f"line-{line}": line for line in LINES}
    assert wasted["line"] == 21
    exact = {layer["line"]: layer["line_exact"] for layer in image["layers"]}
    assert [exact[line] for line in (6, 12, 18, 19, 21)] == [True] * 5
    assert image["layers"][0]["line"] is None
    assert all(advice["line"] == 21 for advice in image["advice"] if advice["rule"] == "deleted-later")
