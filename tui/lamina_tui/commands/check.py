"""``lamina check``: hold images to limits, for CI."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from lamina.gate.limits import FORMS, GateError, read_limits
from lamina_tui.commands.options import BROKEN, OK, Parser, UsageError, output_path, workspace_of
from lamina_tui.commands.report import read_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lamina.figures.image import LoadedImage
    from lamina.gate.baseline import Baseline
    from lamina.gate.configuration import Configuration
    from lamina.gate.dive_ci import DiveRules
    from lamina.packages.model import PackageTable
    from lamina.reports.check import BuildFile
    from lamina.reports.json_text import Json
    from lamina.sources.provenance import Provenance
    from lamina.workspace import Workspace
    from lamina_tui.commands.progress_line import ProgressLine

_EPILOG = """\
examples
  lamina check web:ci --max-wasted 20MB --max-size 400MB
  lamina check web.tar --max-wasted-ratio 5% --forbid '*.pem' --forbid '*/.git'
  lamina check web:ci --baseline web:main --max-growth 5% --markdown > comment.md
  lamina check web:ci --file Dockerfile --max-wasted 20MB --sarif -o lamina.sarif
  lamina check web:ci --severity high --no-rule root-user
  lamina check web:ci --base debian:12 --own --max-layer-size 100MB --json

Limits and ignored paths may stand in .lamina.toml, under [tool.lamina] of pyproject.toml, and in
~/.config/lamina/config.toml; what is said here wins:

  ignore = ["var/lib/dpkg/*"]
  no-rule = ["documentation"]
  [limits]
  max-wasted = "20MB"
  forbid = ["*.pem"]

A .dive-ci in the working folder is obeyed too, by dive's own figures.

exit codes: 0 all limits kept, 1 one is broken, 2 usage or configuration, 3 an image can't be read
"""


class _Rules(argparse.Action):
    """Prints the rules of advice and ends, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        """Print them."""
        from lamina.reports.rules import rules_text

        sys.stdout.write(rules_text())
        parser.exit()


def parser() -> Parser:
    """The command's arguments."""
    made = Parser("lamina check", description="Hold images to limits; ends with 1 where one is broken.", epilog=_EPILOG)
    made.add_argument("targets", metavar="TARGET", nargs="+", help="what to look at; see lamina --help")
    limits = made.add_argument_group("limits (k, M, G are thousands, Ki, Mi, Gi 1,024)")
    for name, form in FORMS.items():
        limits.add_argument(
            f"--{name}", metavar=form.metavar, help=form.help, action="append" if form.several else "store"
        )
    made.add_argument(
        "--ignore",
        metavar="GLOB",
        action="append",
        help="count no waste at such paths, and forbid none; may be repeated",
    )
    made.add_argument(
        "--no-rule", metavar="NAME", action="append", help="ask no such rule of advice; may be repeated (--rules)"
    )
    made.add_argument("--rules", action=_Rules, nargs=0, help="list the rules of advice, and look at nothing")
    made.add_argument(
        "--baseline",
        metavar="REPORT|TARGET",
        help="what it was before: a file of `lamina report --json`, or an image",
    )
    made.add_argument(
        "--file",
        metavar="DOCKERFILE",
        help="what it was built with: leads limits and advice to their lines; else BuildKit's provenance does",
    )
    forms = made.add_form("lamina.check/1")
    forms.add_argument("--junit", action="store_true", help="JUnit XML, a case a limit")
    forms.add_argument("--sarif", action="store_true", help="SARIF 2.1.0, for code scanning")
    made.add_base()
    made.add_common()
    return made


def run(options: argparse.Namespace) -> int:
    """Judge all targets and print the verdicts.

    Returns:
        0 where all limits are kept, 1 where one is broken.

    Raises:
        LaminaError: an image can't be read.
        Cancelled: it was interrupted.
        UsageError: a limit or a configuration file is wrong, or there is no limit.
    """
    output = output_path(options)
    configuration = _configuration(options)
    dive = _dive_rules()
    file = _build_file(options)
    if not configuration.limits and dive is None:
        raise UsageError("no limit to hold the images to: say one, or write .lamina.toml (lamina check --help)")
    if configuration.limits.max_growth is not None and not options.baseline:
        raise UsageError("max-growth counts from an earlier image: say which with --baseline")
    from lamina_tui.commands.progress_line import ProgressLine

    workspace = workspace_of(options, meanwhile=_load_what_figures_need)
    with ProgressLine(sys.stderr) as line:
        images = read_all(workspace, options.targets, line, base=options.base)
        from lamina.gate.verdict import judge, sure_packages
        from lamina.packages.find_packages import find_packages
        from lamina.reports import check as report

        def packages(image: LoadedImage) -> PackageTable | None:
            if configuration.limits.forbid_package:
                return sure_packages(find_packages(image, line.cancel))
            baseline = before(image)
            return None if baseline is None or baseline.packages is None else _packages_at_hand(image, line)

        before = _baselines(options, workspace, line)
        verdicts = [
            judge(
                image,
                configuration.limits,
                baseline=before(image),
                dive=dive,
                ignore=configuration.ignore,
                no_rule=configuration.no_rule,
                cancel=line.cancel,
                own=options.own,
                packages=packages(image),
            )
            for image in images
        ]
        made_by = [] if file is not None else [_provenance(image, line) for image in images]
        built = report.build(verdicts, file, made_by)
    _tell_ci(built)
    try:
        _write(built, options, output)
    except BrokenPipeError:
        # Who reads may leave early (`| head`): the verdict stands all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK if built["passed"] else BROKEN


def _configuration(options: argparse.Namespace) -> Configuration:
    """What the files say, and the command line over it.

    Raises:
        UsageError: something of it can't be carried out.
    """
    from pathlib import Path

    from lamina.gate.configuration import Configuration, read_configuration
    from lamina.gate.limits import read_globs, read_rules
    from lamina_tui.settings import config_path

    try:
        written = read_configuration(Path.cwd(), config_path())
        given = {name: getattr(options, name.replace("-", "_")) for name in FORMS}
        limits = read_limits(given, lambda name: f"--{name}").over(written.limits)
        ignore = read_globs(options.ignore or [])
    except GateError as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        raise UsageError(f"--ignore is not {error}") from None
    try:
        no_rule = read_rules(options.no_rule or [])
    except ValueError as error:
        raise UsageError(f"--no-rule {' '.join(options.no_rule)} is not {error}") from None
    return Configuration(limits, (*written.ignore, *ignore), (*written.no_rule, *no_rule))


def _dive_rules() -> DiveRules | None:
    """What a ``.dive-ci`` in the working folder says.

    Raises:
        UsageError: it can't be carried out.
    """
    from pathlib import Path

    from lamina.gate.dive_ci import read_dive_ci

    try:
        return read_dive_ci(Path.cwd())
    except GateError as error:
        raise UsageError(str(error)) from None


def _baselines(
    options: argparse.Namespace, workspace: Workspace, line: ProgressLine
) -> Callable[[LoadedImage], Baseline | None]:
    """What tells of each image what it is compared with.

    Raises:
        LaminaError: the earlier image can't be read.
        Cancelled: it was interrupted.
        UsageError: the earlier report can't be read.
    """
    if not options.baseline:
        return lambda _: None
    from pathlib import Path

    from lamina.gate.baseline import baseline_for, baseline_of, is_report, read_report

    def found(image: LoadedImage) -> Baseline:
        try:
            return baseline_for(image, baselines)
        except GateError as error:
            raise UsageError(str(error)) from None

    path = Path(options.baseline)
    if is_report(path):
        try:
            baselines = read_report(path)
        except GateError as error:
            raise UsageError(str(error)) from None
    else:
        images = read_all(workspace, [options.baseline], line)
        baselines = tuple(baseline_of(image, _packages_at_hand(image, line)) for image in images)
    return found


def _packages_at_hand(image: LoadedImage, line: ProgressLine) -> PackageTable | None:
    """An image's packages, where no layer has to be fetched for them once more."""
    from lamina.packages.find_packages import find_packages, records_at_hand

    return find_packages(image, line.cancel) if records_at_hand(image) else None


def _provenance(image: LoadedImage, line: ProgressLine) -> Provenance | None:
    """What an image's source has of how it was made; where that can't be read, there are no lines.

    Raises:
        Cancelled: it was interrupted.
    """
    from lamina.model import LaminaError

    try:
        return image.provenance(line.cancel)
    except LaminaError as error:
        line.remark(f"no layer is led to its line: {error}")
        return None


def _build_file(options: argparse.Namespace) -> BuildFile | None:
    """The Dockerfile that was named.

    Raises:
        UsageError: it can't be read, or is none.
    """
    if not options.file:
        return None
    from pathlib import Path

    from lamina.gate.dockerfile import read_dockerfile
    from lamina.reports.check import BuildFile

    try:
        return BuildFile(options.file, read_dockerfile(Path(options.file)))
    except GateError as error:
        raise UsageError(str(error)) from None


def _write(built: Json, options: argparse.Namespace, output: Path | None) -> None:
    """Write the verdicts in the form that was asked for."""
    from lamina.reports.check_markdown import to_markdown
    from lamina_tui.commands.output import emit, emit_document

    if options.sarif:
        from lamina import __version__
        from lamina.reports.json_text import json_pieces
        from lamina.reports.sarif import to_sarif

        emit(json_pieces(to_sarif(built, __version__)), output)
    elif options.junit:
        from lamina.reports.junit import to_junit

        emit([to_junit(built)], output)
    else:
        emit_document(built, options, output, text=_text_form(output), markdown=to_markdown)


def _tell_ci(built: Json) -> None:
    """Annotations and a summary, where the CI that this runs in takes them.

    Raises:
        OSError: the summary can't be written.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from lamina.reports.ci_log import github_annotations

        # Both streams are read for commands there, and standard output may be data.
        sys.stderr.write(github_annotations(built))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        from lamina.reports.check_markdown import to_markdown

        with open(summary, "a", encoding="utf-8") as file:  # noqa: PTH123 - pathlib can't append
            file.write(to_markdown(built))


def _text_form(output: Path | None) -> Callable[[Json], str]:
    """The text report: folded where a CI's log folds it."""
    from lamina.reports import check, ci_log

    if output is None and os.environ.get("GITHUB_ACTIONS") == "true":
        return ci_log.github_log
    if output is None and os.environ.get("GITLAB_CI") == "true":
        import time

        return lambda built: ci_log.gitlab_log(built, int(time.time()))
    return check.to_text


def _load_what_figures_need() -> None:
    import lamina.figures.image
    import lamina.gate.verdict
    import lamina.reports.check  # noqa: F401
