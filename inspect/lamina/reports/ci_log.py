"""What the logs of GitHub Actions and GitLab act on: folded groups, and annotations of lines.

Sources: GitHub's "Workflow commands for GitHub Actions", GitLab's "Custom collapsible sections".
"""

from __future__ import annotations

import secrets

from lamina.names import display_name
from lamina.reports.check import allowed, found, outcome, text_lines, title
from lamina.reports.json_text import Json


def github_log(report: Json) -> str:
    """The text report for GitHub: a group an image, in which no name of an image can give a command."""
    parts = []
    for image in report["images"]:
        # Within it nothing is a command until the same word comes again, which no image can know.
        stop = secrets.token_hex(16)
        text = "\n".join(text_lines(image))
        heading = _data(f"lamina check: {title(image)}: {outcome(image)}")
        parts.append(f"::group::{heading}\n::stop-commands::{stop}\n{text}\n::{stop}::\n::endgroup::\n")
    return "".join(parts)


def github_annotations(report: Json) -> str:
    """A line for each broken limit, which GitHub shows at its line of the Dockerfile, else at the run."""
    lines = []
    for image in report["images"]:
        for limit in image["limits"]:
            if limit["passed"]:
                continue
            where = f"file={_property(image['file'])},line={limit['line'] or 1}," if image["file"] else ""
            text = f"{title(image)}: allowed {allowed(limit)}, found {found(limit)}"
            lines.append(f"::error {where}title={_property('lamina ' + limit['name'])}::{_data(text)}\n")
    return "".join(lines)


def gitlab_log(report: Json, now: int) -> str:
    """The text report for GitLab: a section an image.

    Args:
        report: of ``lamina.check/1``.
        now: seconds since the epoch.
    """
    parts = []
    for number, image in enumerate(report["images"]):
        text = "\n".join(text_lines(image))
        heading = f"lamina check: {title(image)}: {outcome(image)}"
        parts.append(
            f"\x1b[0Ksection_start:{now}:lamina_check_{number}\r\x1b[0K{heading}\n{text}\n"
            f"\x1b[0Ksection_end:{now}:lamina_check_{number}\r\x1b[0K\n"
        )
    return "".join(parts)


def _data(text: str) -> str:
    return display_name(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
