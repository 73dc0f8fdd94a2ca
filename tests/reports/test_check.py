"""What ``lamina check`` says in the forms that other programs read: each whole, and hostile names harmless in it."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from lamina.figures.base import Base
from lamina.gate.dockerfile import parse
from lamina.gate.limits import Limits
from lamina.gate.verdict import judge
from lamina.reports.check import BuildFile, build
from lamina.reports.check_markdown import to_markdown
from lamina.reports.ci_log import github_annotations, github_log, gitlab_log
from lamina.reports.json_text import Json, to_json
from lamina.reports.junit import to_junit
from lamina.reports.sarif import to_sarif
from stacks import stack
from tars import file, whiteout

HOSTILE = "a\n::error::x %0A ##[error] ]]><b> [l](http:x) {0} \x00\x1b[31m\ufffe\u202e".replace("\x00", "\x01")
DOCKERFILE = "FROM debian\nRUN make it\nRUN rm it\nCOPY x /x\n"


@pytest.fixture(scope="module")
def report() -> Json:
    """Two limits broken and one kept; the waste is of the line 3, what is forbidden of line 2."""
    image = stack(
        [file("base", b"b" * 10)],
        [file(HOSTILE, b"x" * 9000), file("key.pem", b"k")],
        [whiteout(HOSTILE)],
        instructions=["ADD rootfs.tar /", "RUN /bin/sh -c make it # buildkit", "RUN /bin/sh -c rm it # buildkit"],
    )
    verdict = judge(image, Limits(max_wasted=0, max_size=9500, forbid=("*.pem",)))
    return build([verdict], BuildFile("build/Docker:file,é", parse(DOCKERFILE)))


def test_layers_limits_and_advice_have_their_lines(report: Json) -> None:
    (image,) = report["images"]

    assert [(layer["line"], layer["line_exact"]) for layer in image["layers"]] == [(None, None), (2, True), (3, True)]
    assert [(limit["name"], limit["line"]) for limit in image["limits"]] == [
        ("max-wasted", 3), ("max-size", 2), ("forbid", 2),
    ]  # fmt: skip
    assert [(advice["rule"], advice["line"]) for advice in image["advice"]] == [("deleted-later", 3)]
    assert "RUN make it \\(line 2\\)" in to_markdown(report)


@pytest.mark.parametrize(("by", "lines"), [("history", [None, 2, 3]), ("flag", [None, None, 3])])
def test_layers_of_a_base_that_is_known_have_no_line_and_a_guess_is_none(by: str, lines: list[int | None]) -> None:
    image = stack([file("a", b"1")], [file("b", b"1")], [file("c", b"1")], instructions=["ADD x /", "RUN a", "RUN b"])
    verdict = judge(replace(image, base=Base(2, by)), Limits(max_size=9))

    (told,) = build([verdict], BuildFile("Dockerfile", parse("FROM x\nRUN a\nRUN b\n")))["images"]

    assert [layer["line"] for layer in told["layers"]] == lines


# As far as code scanning needs it, from the published schema of SARIF 2.1.0 (required members, types, enumerations).
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": {
                                                    "required": ["text"],
                                                    "properties": {"text": {"type": "string", "minLength": 1}},
                                                }
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "additionalProperties": False,
                            "required": ["message", "ruleId", "level", "locations", "ruleIndex"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"], "properties": {"text": {"type": "string"}}},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {
                                                            "uri": {"pattern": "^[A-Za-z0-9._~%/-]+$"},
                                                        },
                                                    },
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}


def test_sarif_has_a_place_for_every_result(report: Json) -> None:
    log = to_sarif(report, "1.2.3")

    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    results = run["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("limit/max-wasted", "error"), ("limit/forbid", "error"), ("advice/deleted-later", "warning"),
    ]  # fmt: skip
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert {unquote(place["artifactLocation"]["uri"]) for place in places} == {"build/Docker:file,é"}
    assert [place["region"]["startLine"] for place in places] == [3, 2, 3]
    for result in results:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    text = results[0]["message"]["text"]
    assert "\\[l\\](http:x) {{0}} " in text
    assert not re.search(r"(?<!\\)\[", text)


def test_sarif_without_a_dockerfile_points_to_the_target() -> None:
    image = stack([file("a", b"1")])
    log = to_sarif(build([judge(image, Limits(max_size=0))]), "1")

    jsonschema.validate(log, SARIF)
    (result,) = log["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "test.tar"}, "region": {"startLine": 1},
    }  # fmt: skip
    assert to_sarif(build([judge(image, Limits(max_size=1))]), "1")["runs"][0]["results"] == []


def test_junit_is_a_suite_an_image_and_a_case_a_limit(report: Json) -> None:
    root = ET.fromstring(to_junit(report))

    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "2", "0")
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert [case.get("name") for case in suite] == ["max-wasted", "max-size", "forbid *.pem"]
    assert all(case.get("classname") and case.get("time") == "0" for case in suite)
    assert [len(case) for case in suite] == [1, 0, 1]
    failure = suite[0][0]
    assert (failure.tag, failure.get("type")) == ("failure", "max-wasted")
    assert failure.text is not None
    assert failure.text.startswith("build/Docker:file,é:3\n")
    assert "a\\n::error::x %0A ##[error] ]]><b> [l](http:x) {0} \\x01\\x1b[31m\\ufffe\\u202e" in failure.text


def test_no_form_has_a_character_that_a_terminal_or_xml_acts_on(report: Json) -> None:
    for text in (to_junit(report), to_markdown(report), github_log(report), github_annotations(report)):
        assert all(char.isprintable() or char == "\n" for char in text)
    assert to_json(to_sarif(report, "1")).isascii()


def test_nothing_in_githubs_log_is_a_command_but_its_own(report: Json) -> None:
    lines = github_log(report).splitlines()

    assert lines[0] == "::group::lamina check: test:latest · linux/amd64: 2 of 3 limits broken"
    stop = lines[1].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", stop)
    assert lines[-2:] == [f"::{stop}::", "::endgroup::"]
    assert not any(line.lstrip().startswith("::") for line in lines[2:-2])
    assert stop not in github_log(report)


def test_annotations_stand_at_their_lines_and_are_one_line_each(report: Json) -> None:
    report["images"][0] = {**report["images"][0], "tags": ["x\n::error::%0Ay"]}
    first, second = github_annotations(report).splitlines()

    assert first == (
        "::error file=build/Docker%3Afile%2Cé,line=3,title=lamina max-wasted"
        "::x\\n::error::%250Ay · linux/amd64: allowed 0 B, found 9.0 KB (9,000 B)"
    )
    assert second.startswith("::error file=build/Docker%3Afile%2Cé,line=2,title=lamina forbid::")


def test_gitlabs_log_has_a_section_an_image(report: Json) -> None:
    text = gitlab_log(report, 1700000000)

    assert text.startswith("\x1b[0Ksection_start:1700000000:lamina_check_0\r\x1b[0Klamina check: ")
    assert text.endswith("\x1b[0Ksection_end:1700000000:lamina_check_0\r\x1b[0K\n")
    assert text.count("\x1b") == 4
