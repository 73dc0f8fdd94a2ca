"""What ``lamina check`` says as JUnit XML: a suite an image, a case a limit (the form that Jenkins and GitLab read)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from lamina.amounts import size_bytes
from lamina.names import display_name
from lamina.reports.check import allowed, found, title, why
from lamina.reports.json_text import Json
from lamina.reports.tables import path_of


def to_junit(report: Json) -> str:
    """The verdicts as one document. Every text in it is safe to show, so that it has no character XML refuses."""
    limits = [limit for image in report["images"] for limit in image["limits"]]
    root = ET.Element("testsuites", {"name": "lamina check", **_counts(limits)})
    for image in report["images"]:
        suite = ET.SubElement(root, "testsuite", {"name": title(image), **_counts(image["limits"])})
        for limit in image["limits"]:
            name = limit["name"]
            case = ET.SubElement(
                suite,
                "testcase",
                name=f"{name} {allowed(limit)}" if name.startswith("forbid") else name,
                classname=title(image),
                time="0",
            )
            if not limit["passed"]:
                message = f"{name} allows {allowed(limit)}, found {found(limit)}"
                failure = ET.SubElement(case, "failure", message=message, type=name)
                place = f"{display_name(image['file'])}:{limit['line']}\n" if image["file"] and limit["line"] else ""
                failure.text = place + "\n".join(
                    f"{size_bytes(path['bytes'])} {path_of(path)} {why(path)}" for path in limit["paths"]
                )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _counts(limits: list[Json]) -> dict[str, str]:
    failures = sum(not limit["passed"] for limit in limits)
    return {"tests": str(len(limits)), "failures": str(failures), "errors": "0", "time": "0"}
