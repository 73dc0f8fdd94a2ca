"""All rules, in the order in which they claim bytes."""

from __future__ import annotations

from inspect import cleandoc

from lamina.advice.finding import Rule
from lamina.advice.rules.duplicates import Duplicates
from lamina.advice.rules.entrypoint import Entrypoint
from lamina.advice.rules.large_files import LargeFiles
from lamina.advice.rules.leftovers import (
    BuildTools,
    DebugSymbols,
    Documentation,
    LibraryTests,
    Locales,
    Logs,
    PythonBytecode,
    TemporaryFiles,
    VersionControl,
)
from lamina.advice.rules.library_versions import LibraryVersions
from lamina.advice.rules.package_cache import PackageCache
from lamina.advice.rules.programs import CoreDumps, Unstripped
from lamina.advice.rules.rights import RootUser, SetIds, WorldWritable
from lamina.advice.rules.secret_variables import SecretVariables
from lamina.advice.rules.secrets import Secrets
from lamina.advice.rules.waste import DeletedLater, MetadataCopy, Rewritten, ShippedAgain, Timestamps

RULES: tuple[type[Rule], ...] = (
    # Bytes that nothing reaches, by cause.
    MetadataCopy,
    Timestamps,
    DeletedLater,
    Rewritten,
    ShippedAgain,
    # Bytes of the final file system: what says most of why a file is there comes first.
    PackageCache,
    VersionControl,
    PythonBytecode,
    DebugSymbols,
    CoreDumps,
    TemporaryFiles,
    Logs,
    LibraryTests,
    Locales,
    Documentation,
    Duplicates,
    BuildTools,
    LibraryVersions,
    # What saves nothing by itself.
    Unstripped,
    LargeFiles,
    # What is to be known.
    Secrets,
    SecretVariables,
    Entrypoint,
    RootUser,
    SetIds,
    WorldWritable,
)
"""No two names are the same."""


def documentation_of(rule: type[Rule]) -> tuple[str, str]:
    """What a rule says of itself: what it finds, in a line; and all the rest."""
    first, _, more = cleandoc(rule.__doc__ or "").partition("\n")
    return first, more.strip()


def summary_of(name: str) -> str:
    """What the rule of a name finds, in a line; of what is no rule the name itself."""
    found = next((rule for rule in RULES if rule.name == name), None)
    return name if found is None else documentation_of(found)[0]


def rule_names() -> tuple[str, ...]:
    """The names of all rules, in their order."""
    return tuple(rule.name for rule in RULES)
