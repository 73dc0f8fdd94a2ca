"""Images in registries: names, tokens, redirects, what breaks on the way, and what a registry may never do."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import Watcher, archive, complaint, contents, old_docker, read, sample_image, shape
from cache.support import cache_in
from lamina import limits
from lamina.cache.cache import Cache
from lamina.model import Cancelled, LaminaError
from lamina.sources.registry import client as asking
from lamina.sources.registry.reference import parse_reference
from lamina.sources.registry.source import RegistrySource
from lamina.sources.registry.tags import repository_tags, tagged_images
from lying_registry import Answer, Handler, LyingRegistry, raw, status
from opening import resolve

IMAGE = sample_image("app:1", size=300_000)
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LyingRegistry]:
    """A registry that is honest so far, and a user who has no credentials."""
    monkeypatch.setattr(asking, "_FIRST_PAUSE", 0.01)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with LyingRegistry(IMAGE) as running:
        yield running


def source(registry: LyingRegistry, cache: Cache | None = None) -> RegistrySource:
    found, name = resolve(registry.target, cache=cache)
    assert isinstance(found, RegistrySource)
    assert name is None
    return found


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "repository", "version", "shown"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", "latest", "ubuntu:latest"),
        ("ubuntu:14.04", "docker.io", "library/ubuntu", "14.04", "ubuntu:14.04"),
        ("docker.io/library/ubuntu:14.04", "docker.io", "library/ubuntu", "14.04", "ubuntu:14.04"),
        ("index.docker.io/team/app", "docker.io", "team/app", "latest", "team/app:latest"),
        ("localhost/app", "localhost", "app", "latest", "localhost/app:latest"),
        ("localhost:5000/a/b/c:x", "localhost:5000", "a/b/c", "x", "localhost:5000/a/b/c:x"),
        ("[::1]:5000/app", "[::1]:5000", "app", "latest", "[::1]:5000/app:latest"),
        ("example.org/app@" + DIGEST, "example.org", "app", DIGEST, "example.org/app@" + DIGEST),
        ("example.org/app:1@" + DIGEST, "example.org", "app", DIGEST, "example.org/app@" + DIGEST),
    ],
)
def test_a_name_is_taken_apart_as_the_docker_cli_does(
    text: str, host: str, repository: str, version: str, shown: str
) -> None:
    reference = parse_reference(text)
    assert (reference.host, reference.repository, reference.version) == (host, repository, version)
    assert str(reference) == shown


@pytest.mark.parametrize(
    "text",
    ["", "/", "A/b", "a b", "a:", "a@", "a@sha256:1", "x.org/", "x.org/../a", "a/../b", "-/a", "a:-x", "a\0"],
)
def test_what_can_be_no_name_is_refused(text: str) -> None:
    with pytest.raises(LaminaError, match="can't be the name of an image in a registry"):
        parse_reference(text)


def test_a_target_needs_both_slashes() -> None:
    with pytest.raises(LaminaError, match="named docker://NAME"):
        resolve("docker:ubuntu")


# -- reading -----------------------------------------------------------------------------------------------------------


def test_an_image_reads_as_the_archive_of_it(registry: LyingRegistry, tmp_path: Path) -> None:
    here = read(source(registry))
    there = read(archive(tmp_path, old_docker(IMAGE)))
    assert shape(here) == shape(there)
    assert contents(here) == contents(there)
    assert here.info.target == registry.target
    assert [layer.digest for layer in here.info.layers] == registry.layers
    assert [layer.blob_size for layer in here.info.layers] == [len(registry.blobs[d]) for d in registry.layers]


def test_nothing_but_documents_is_read_for_a_list(registry: LyingRegistry) -> None:
    (summary,) = source(registry).list()
    assert (summary.id, summary.layers) == (registry.config, len(IMAGE.layers))
    assert registry.paths("blobs") == [f"/v2/app/blobs/{registry.config}"]


def test_a_layer_that_is_known_from_anywhere_is_not_fetched(registry: LyingRegistry, tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    found = source(registry, cache)
    first = read(found)
    fetched = sum(len(registry.blobs[digest]) for digest in registry.layers)
    assert "fetched" in first.read_from
    registry.asked.clear()
    second = read(source(registry, cache))
    assert "0 B of" in second.read_from
    assert registry.paths("blobs") == [f"/v2/app/blobs/{registry.config}"]
    assert fetched


def test_a_digest_is_as_good_as_a_tag(registry: LyingRegistry) -> None:
    digest = source(registry).list()[0].digests[0].partition("@")[2]
    found, _ = resolve(f"docker://{registry.host}/app@{digest}")
    assert read(found).info.id == registry.config


# -- tags --------------------------------------------------------------------------------------------------------------


def page(*tags: str, following: str = "") -> Answer:
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return status(200, json.dumps({"name": "app", "tags": list(tags)}).encode(), **headers)


def tags_of(registry: LyingRegistry) -> list[str]:
    return repository_tags(parse_reference(f"{registry.host}/app"))


def test_tags_come_in_pages_and_are_counted_as_versions(registry: LyingRegistry) -> None:
    registry.instead["tags/list"] = [
        page("1.10", "latest", "1.9", following="/v2/app/tags/list?last=1.9&n=3"),
        page("v2", "1.9", "edge", following=""),
    ]
    assert tags_of(registry) == ["edge", "latest", "1.9", "1.10", "v2"]
    assert registry.asked[1][0] == "/v2/app/tags/list?last=1.9&n=3"


def test_a_page_leads_to_no_other_place(registry: LyingRegistry) -> None:
    registry.instead["tags/list"] = [page("1", following="http://192.0.2.1/v2/other/tags/list?last=1"), page("2")]
    assert tags_of(registry) == ["1", "2"]
    assert [path for path, _, _ in registry.asked] == ["/v2/app/tags/list?n=1000", "/v2/app/tags/list?last=1"]


def test_a_tag_that_outlives_its_manifest_is_told_and_a_registry_that_is_tired_is_left(
    registry: LyingRegistry,
) -> None:
    registry.instead["tags/list"] = [page("1", "2")]
    found = tagged_images(parse_reference(f"{registry.host}/app"), 0)
    assert [tag for tag, _ in found.images] == ["1"]
    assert found.remark.startswith("2 can't be read: no ")
    registry.instead["manifests/2"] = [status(400, b"{}")]  # what it says of one tag does not count for the next
    found = tagged_images(parse_reference(f"{registry.host}/app"), 0)
    assert [tag for tag, _ in found.images] == ["1"]
    registry.instead["manifests/2"] = [status(429, b"{}", Retry_After="3600")]
    with pytest.raises(LaminaError, match="answers no more questions for now"):
        tagged_images(parse_reference(f"{registry.host}/app"), 0)
    registry.instead["tags/list"] = [page("2")]
    registry.instead["manifests/2"] = [status(404, b"{}")]
    with pytest.raises(LaminaError, match="no 127"):
        tagged_images(parse_reference(f"{registry.host}/app"), 0)


def test_pages_without_end_end(registry: LyingRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.instead["tags/list"] = [page("1", following="/x?a=b"), page(following="/x?a=b")]
    assert tags_of(registry) == ["1"]
    registry.instead["tags/list"] = [page("1", following="/x?a=b")]  # which leads to itself
    assert tags_of(registry) == ["1"]
    monkeypatch.setattr("lamina.sources.registry.listing._MOST", 50)
    registry.instead["tags/list"] = [page(f"{n}", following=f"/x?last={n}") for n in range(60)]
    with pytest.raises(LaminaError, match="more than 50 names"):
        tags_of(registry)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"tags": 7}', b'{"tags": [7]}', b""])
def test_a_list_of_tags_that_is_none(registry: LyingRegistry, body: bytes) -> None:
    registry.instead["tags/list"] = [status(200, body)]
    with pytest.raises(LaminaError, match="the list of tags of"):
        tags_of(registry)


def test_what_is_no_image_among_the_tags_is_left_out(registry: LyingRegistry) -> None:
    chart = {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": DIGEST, "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "config": chart, "layers": []}).encode()
    registry.instead["tags/list"] = [page("1", "chart")]
    registry.instead["manifests/chart"] = [status(200, manifest)]
    found = tagged_images(parse_reference(f"{registry.host}/app"), 0)
    assert [tag for tag, _ in found.images] == ["1"]
    assert found.tags == ["chart", "1"]


# -- who asks ----------------------------------------------------------------------------------------------------------


class Tokens:
    """Makes a registry want a token, and counts those that it gives."""

    def __init__(self, registry: LyingRegistry, *, good_for: int = 1000) -> None:
        self.registry = registry
        self.given = 0
        self.asked: list[str] = []
        self._good_for = good_for
        self._used = 0
        realm = f'Bearer realm="http://{registry.host}/token",service="it",scope="repository:app:pull"'

        def wants(handler: Handler) -> bool:
            good = handler.headers.get("Authorization") == f"Bearer token-{self.given}" and self._used < self._good_for
            self._used += good
            return False if good else status(401, b"{}", WWW_Authenticate=realm)(handler)

        def gives(handler: Handler) -> bool:
            self.asked.append(handler.headers.get("Authorization", ""))
            self.given += 1
            self._used = 0
            return status(200, json.dumps({"token": f"token-{self.given}"}).encode())(handler)

        for name in ("manifests/1", *(f"blobs/{digest}" for digest in registry.blobs)):
            registry.instead[name] = [wants]
        registry.instead["/token"] = [gives]


def with_credentials(folder: Path, host: str) -> str:
    """What ``docker login`` writes; answers the header that comes of it."""
    packed = base64.b64encode(b"me:secret").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": packed}}}))
    return f"Basic {packed}"


def test_a_token_is_asked_for_once_and_used(registry: LyingRegistry, tmp_path: Path) -> None:
    header = with_credentials(tmp_path, registry.host)
    tokens = Tokens(registry)
    assert read(source(registry)).info.id == registry.config
    assert tokens.asked == [header]
    assert {auth for _, auth, _ in registry.asked} == {"", header, "Bearer token-1"}


def test_without_credentials_a_token_is_asked_for_all_the_same(registry: LyingRegistry) -> None:
    tokens = Tokens(registry)
    assert read(source(registry)).info.id == registry.config
    assert tokens.asked == [""]


def test_a_token_that_ends_on_the_way_is_renewed(registry: LyingRegistry) -> None:
    tokens = Tokens(registry, good_for=4)
    assert read(source(registry)).info.id == registry.config
    assert tokens.given == 2


def test_a_redirect_to_somebody_else_gets_no_credentials(registry: LyingRegistry, tmp_path: Path) -> None:
    with_credentials(tmp_path, registry.host)
    Tokens(registry)
    with LyingRegistry(IMAGE) as other:
        for digest in registry.layers:
            wants = registry.instead[f"blobs/{digest}"][0]
            there = f"http://{other.host}/v2/app/blobs/{digest}?signed=1"
            registry.instead[f"blobs/{digest}"] = [lambda h, w=wants, t=there: w(h) or status(307, b"", Location=t)(h)]
            other.instead[f"blobs/{digest}"] = [lambda h, d=digest: status(200, other.blobs[d])(h)]
        assert read(source(registry)).info.id == registry.config
        assert len(other.asked) == len(registry.layers)
        assert {auth for _, auth, _ in other.asked} == {""}


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Basic realm=x",
        "Digest realm=x",
        "Bearer",
        'Bearer realm="file:///etc/passwd"',
        'Bearer realm="http://x.org/"',
        'Bearer realm="http://localhost:x@x.org/"',
        'Bearer realm="http://["',
    ],
)
def test_a_challenge_that_can_not_be_answered(registry: LyingRegistry, challenge: str) -> None:
    registry.instead["manifests/1"] = [status(401, b"{}", WWW_Authenticate=challenge)]
    text = complaint(source(registry))
    assert any(words in text for words in ("docker login", "not https", "is no address"))
    assert len(registry.asked) < 4


@pytest.mark.parametrize("token", [b"{}", b"[]", b"", b'{"token": 7}', b'{"token": "a\\nX: y"}', b"{" * 100_000])
def test_a_token_server_that_gives_none(registry: LyingRegistry, token: bytes) -> None:
    Tokens(registry)
    registry.instead["/token"] = [status(200, token)]
    text = complaint(source(registry))
    assert "token" in text
    assert text.isprintable()


def test_an_answer_that_breaks_off_is_one_line_too(registry: LyingRegistry) -> None:
    half = raw(b'HTTP/1.1 %d X\r\nContent-Length: 1000\r\n\r\n{"er' % 404)
    registry.instead["manifests/1"] = [half]
    assert "manifest" in complaint(source(registry)) or "app:1" in complaint(source(registry))
    Tokens(registry)
    registry.instead["/token"] = [raw(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"er')]
    assert registry.host in complaint(source(registry))


def test_a_helper_that_fails_is_told(registry: LyingRegistry, tmp_path: Path) -> None:
    Tokens(registry)
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "of-nobody"}))
    assert "credentials" in complaint(source(registry))


def test_credentials_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lamina.sources.registry.credentials import credentials_for

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with_credentials(tmp_path, "x.org")
    found = credentials_for("x.org")
    assert found is not None
    assert found.user == "me"
    assert "secret" not in f"{found!r} {found}"
    assert credentials_for("y.org") is None


# -- what breaks -------------------------------------------------------------------------------------------------------


def cut(digest: str, registry: LyingRegistry, after: int) -> Answer:
    """The blob's first bytes, its whole length promised."""
    data = registry.blobs[digest]
    return raw(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:after])


@pytest.mark.parametrize("ranges", [True, False])
def test_a_body_that_breaks_off_goes_on_where_it_was(ranges: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_FIRST_PAUSE", 0.01)
    with LyingRegistry(IMAGE, ranges=ranges) as registry:
        digest = max(registry.layers, key=lambda d: len(registry.blobs[d]))
        honest: Answer = lambda _: False  # noqa: E731
        registry.instead[f"blobs/{digest}"] = [cut(digest, registry, 100), honest]
        assert contents(read(source(registry)))
        assert [asked for path, _, asked in registry.asked if digest in path] == ["", "bytes=100-"]


def test_a_body_that_breaks_off_again_and_again_is_an_error(registry: LyingRegistry, tmp_path: Path) -> None:
    cache = cache_in(tmp_path / "cache")
    digest = registry.layers[0]
    registry.instead[f"blobs/{digest}"] = [cut(digest, registry, 100)]
    text = complaint(source(registry, cache))
    assert "layer 0" in text or "can't be used" in text
    assert cache.find([f"blob:{digest}", f"diff:{IMAGE.diff_ids[0]}"]) is None


def wrong_part(registry: LyingRegistry) -> None:
    digest = registry.layers[0]
    place = status(206, b"x" * 10, Content_Range="bytes 0-9/10")
    registry.instead[f"blobs/{digest}"] = [cut(digest, registry, 100), place]


def other_bytes(registry: LyingRegistry) -> None:
    digest = registry.layers[0]
    registry.instead[f"blobs/{digest}"] = [status(200, registry.blobs[registry.layers[1]])]


def more_bytes(registry: LyingRegistry) -> None:
    digest = registry.layers[0]
    registry.instead[f"blobs/{digest}"] = [status(200, registry.blobs[digest] + b"x")]


def changed_config(registry: LyingRegistry) -> None:
    registry.instead[f"blobs/{registry.config}"] = [status(200, registry.blobs[registry.config] + b" ")]


def circle(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(302, b"", Location="/v2/app/manifests/1")]


def to_a_file(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(302, b"", Location="file:///etc/passwd")]


def to_plain_http(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(302, b"", Location="http://192.0.2.1/x")]


def endless(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (limits.DOCUMENT + 10))]


def promises_a_gigabyte(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{}")]


def rubbish(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(200, b"\xff\xfe rubbish")]


def old_form(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(200, b'{"schemaVersion": 1, "fsLayers": []}')]


def no_http(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [raw(b"SSH-2.0-OpenSSH_9.2\r\n")]


def failing(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(503, b"{}")]


def forbidden(registry: LyingRegistry) -> None:
    registry.instead["manifests/1"] = [status(403, b'{"errors": [{"message": "go \\u001b[31m away"}]}')]


def too_often(registry: LyingRegistry) -> None:
    body = b'{"errors": [{"code": "TOOMANYREQUESTS"}]}'
    registry.instead["manifests/1"] = [status(429, body, Retry_After="3600")]


def missing_layer(registry: LyingRegistry) -> None:
    registry.instead[f"blobs/{registry.layers[0]}"] = [status(404, b"{}")]


LIES = {
    wrong_part: "another part",
    other_bytes: "layer 0",
    more_bytes: "more than the",
    changed_config: "has the digest",
    circle: "redirects without end",
    to_a_file: "not https",
    to_plain_http: "not https",
    endless: "too many",
    promises_a_gigabyte: "too many",
    rubbish: "not JSON",
    old_form: "before 1.10",
    no_http: "can't be used",
    failing: "HTTP status 503",
    forbidden: "go \\x1b[31m away",
    too_often: "3600 seconds",
    missing_layer: "layer 0",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_what_a_registry_may_answer_is_told_in_one_line(lie: Any, registry: LyingRegistry) -> None:
    lie(registry)
    text = complaint(source(registry))
    assert LIES[lie] in text
    assert text.isprintable()
    assert len(text) < 600


def test_what_fails_for_a_moment_is_asked_again(registry: LyingRegistry) -> None:
    honest: Answer = lambda _: False  # noqa: E731
    registry.instead["manifests/1"] = [status(503), status(429, Retry_After="0"), raw(b""), honest]
    assert read(source(registry)).info.id == registry.config


def test_a_name_that_is_not_there(registry: LyingRegistry) -> None:
    for name in ("app:2", "other:1"):
        found, _ = resolve(f"docker://{registry.host}/{name}")
        text = complaint(found)
        assert name in text
        assert "not known here" in text


def test_nobody_there() -> None:
    assert "nobody answers there" in complaint(resolve("docker://127.0.0.1:1/app")[0])


@pytest.mark.parametrize("where", ["manifests/1", "blobs"])
def test_a_registry_that_stalls_can_be_left_at_once(registry: LyingRegistry, where: str) -> None:
    reached, over = threading.Event(), threading.Event()

    def stall(handler: Handler) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nabc")
        handler.wfile.flush()
        reached.set()
        over.wait(20)
        handler.close_connection = True
        return True

    for name in [where] if where != "blobs" else [f"blobs/{digest}" for digest in registry.layers]:
        registry.instead[name] = [stall]
    cancel, ended = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    def work() -> None:
        try:
            source(registry).read(None, Watcher(), cancel)
        except Cancelled:
            pass
        except BaseException as problem:  # noqa: BLE001  # told below, on the test's own thread
            problems.append(problem)
        finally:
            ended.set()

    threading.Thread(target=work, daemon=True).start()
    assert reached.wait(10)
    begun = time.monotonic()
    cancel.set()
    assert ended.wait(5)
    over.set()
    assert time.monotonic() - begun < 0.5
    assert problems == []
