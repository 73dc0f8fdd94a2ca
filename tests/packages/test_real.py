"""Records that real managers wrote: bytes by package equal a count that asks the manager itself."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import builders
import lamina
from lamina.packages.find_packages import find_packages
from lamina.packages.model import PackageTable
from needs import tool, unavailable
from packages.support import sizes

CHOSEN = ("bash", "coreutils", "dash", "debianutils", "dpkg", "libc-bin", "perl-base", "sed", "tar", "util-linux")
"""Debian's; among them diversions, hard links, links of folders, packages of one and of several architectures."""


def found_in(root: Path, archive: Path) -> PackageTable:
    """The packages of an image of one layer that holds a folder."""
    layer = archive.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        tar.add(root, ".")
    archive.write_bytes(builders.pack(builders.old_docker(builders.Image([layer.read_bytes()]))))
    image = lamina.open(str(archive))
    found = find_packages(image.figures)
    assert sum(package.size for package in found.packages) + found.unowned == image.visible
    return found


def weigh(root: Path, paths: Iterable[str], seen: set[int]) -> int:
    """Bytes of regular files, each inode once; folders on the way may be links."""
    total = 0
    for path in paths:
        folder, _, name = path.rpartition("/")
        try:
            status = os.lstat(os.path.join(os.path.realpath(f"{root}/{folder}"), name))
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_ino not in seen:
            seen.add(status.st_ino)
            total += status.st_size
    return total


def test_debian_packages_weigh_what_dpkg_lists(tmp_path: Path) -> None:
    query = tool("dpkg-query")
    root = tmp_path / "root"
    for name in ("bin", "lib", "sbin", "lib64"):
        if os.path.islink(f"/{name}"):
            root.mkdir(exist_ok=True)
            (root / name).symlink_to(os.readlink(f"/{name}"))
    shutil.copytree("/var/lib/dpkg", root / "var/lib/dpkg", ignore=shutil.ignore_patterns("lock*", "*-old", "updates"))
    asked = subprocess.run(
        [query, "-W", "-f", "${binary:Package}\n", *CHOSEN], check=False, capture_output=True, text=True
    )
    names = asked.stdout.split()
    if len(names) < len(CHOSEN):
        unavailable("needs a Debian that dpkg knows the packages of")

    def listed(package: str) -> list[str]:
        lines = subprocess.run([query, "-L", package], check=True, capture_output=True, text=True).stdout.splitlines()
        return [line for line in lines if line.startswith("/")]

    with tarfile.open(tmp_path / "files.tar", "w") as tar:
        for path in dict.fromkeys(path for name in names for path in listed(name)):
            real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if os.path.lexists(real) and not os.path.isdir(real):
                tar.add(real)
    with tarfile.open(tmp_path / "files.tar") as tar:
        tar.extractall(root, filter="tar")

    found = found_in(root, tmp_path / "image.tar")

    mine = {package.name: package.size for package in found.packages if package.manager == "dpkg"}
    seen: set[int] = set()
    expected = {name.partition(":")[0]: weigh(root, listed(name), seen) for name in sorted(names)}
    assert {name: mine[name] for name in expected} == expected
    assert all(expected.values())


def test_python_packages_weigh_what_their_distributions_list(tmp_path: Path) -> None:
    """Those that pip put where the tests run."""
    root, expected, seen = tmp_path / "root", {}, set[int]()
    for name in ("pytest", "humanize", "requests", "textual"):
        distribution = importlib.metadata.distribution(name)
        files = distribution.files
        if not files:
            unavailable("needs packages that pip installed")
        for each in files:
            source = Path(str(distribution.locate_file(each)))
            target = root / os.path.relpath(os.path.realpath(source), "/")
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        paths = [os.path.realpath(str(distribution.locate_file(each))) for each in files]
        expected[f"python:{name}"] = (weigh(root, paths, seen), 0)

    assert sizes(found_in(root, tmp_path / "image.tar")) == expected


SPEC = """\
Name: {name}
Version: 1.{release}
Release: {release}
Epoch: 2
Summary: x
License: x
BuildArch: noarch
%description
x
%install
mkdir -p %{{buildroot}}/usr/share/{name} %{{buildroot}}/etc
head -c {bytes} /dev/zero > %{{buildroot}}/usr/share/{name}/data
ln %{{buildroot}}/usr/share/{name}/data %{{buildroot}}/usr/share/{name}/again
echo {name} > %{{buildroot}}/etc/{name}.conf
%files
/usr/share/{name}
%config /etc/{name}.conf
%ghost /var/{name}.log
"""


def test_rpm_packages_weigh_what_rpm_lists(tmp_path: Path) -> None:
    """Built, installed and asked by rpm's own tools."""
    rpm, rpmbuild = tool("rpm"), tool("rpmbuild")
    root = tmp_path / "root"
    database = ["--root", str(root), "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite"]
    (root / "var/lib/rpm").mkdir(parents=True)
    subprocess.run([rpm, *database, "--initdb"], check=True)
    for number, name in enumerate(("alpha", "beta"), 1):
        spec = tmp_path / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, release=number, bytes=number * 1000))
        defines = [f"_topdir {tmp_path}/build", f"_rpmdir {tmp_path}/rpms", "_build_id_links none"]
        wanted = [word for define in defines for word in ("--define", define)]
        subprocess.run([rpmbuild, "-bb", "--quiet", *wanted, str(spec)], check=True, capture_output=True)
    made = sorted(str(path) for path in (tmp_path / "rpms").rglob("*.rpm"))
    subprocess.run([rpm, *database, "-i", "--nodeps", "--noscripts", *made], check=True, capture_output=True)

    found = found_in(root, tmp_path / "image.tar")

    def listed(name: str) -> list[str]:
        return subprocess.run([rpm, *database, "-ql", name], check=True, capture_output=True, text=True).stdout.split()

    seen: set[int] = set()
    assert {package.name: (package.version, package.size) for package in found.packages} == {
        name: (f"2:1.{number}-{number}", weigh(root, listed(name), seen))
        for number, name in enumerate(("alpha", "beta"), 1)
    }
    assert found.packages[0].size == 2000 + len("beta\n")
    assert [each.manager for each in found.databases] == ["rpm"]


def test_programs_that_go_linked_tell_what_they_are(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy2(os.path.realpath(tool("skopeo")), root / "skopeo")

    (package,) = found_in(root, tmp_path / "image.tar").packages
    assert (package.manager, package.path) == ("go", b"skopeo")
    assert "containers/skopeo" in package.name
    assert package.size == (root / "skopeo").stat().st_size
