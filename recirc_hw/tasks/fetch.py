"""Find a public data file on this machine, or download it; never trust it unchecked.

Looked for in this order: the folder named by the environment variable
RECIRC_HW_DATA (and then nowhere else); the system's folders; the user's cache;
the public mirrors, which fill the cache.
"""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from recirc_hw.errors import DataError
from recirc_hw.tasks.idx import verified

ENVIRONMENT = "RECIRC_HW_DATA"
SYSTEM_FOLDERS = ("/usr/share/datasets", "/usr/local/share/datasets")
TIMEOUT_S = 30

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A public file: its folder and name, its content's SHA-256, and its mirrors."""

    folder: str
    name: str
    sha256: str
    mirrors: tuple[str, ...]


def content(remote: Remote, data_folder: str | None) -> bytes:
    """Return the checked, unpacked content of a file, downloading it if need be.

    Parameters
    ----------
    remote : Remote
    data_folder : str or None
        The value of RECIRC_HW_DATA; None searches the usual places.

    Raises
    ------
    DataError
        Naming the file, what is wrong with it, and what to do.
    """
    if data_folder:
        return _from_folder(remote, data_folder)
    for folder in (*SYSTEM_FOLDERS, cache_folder()):
        path = _find(remote, folder)
        if path:
            return _read(path, remote)
    return _download(remote, Path(cache_folder()) / remote.folder)


def cache_folder() -> str:
    """Return the user's cache folder for this package."""
    import pooch

    return str(pooch.os_cache("recirc_hw"))


def _from_folder(remote, folder):
    """Return the content of a file in the folder that the user named."""
    path = _find(remote, folder)
    if path is None:
        looked = ", ".join(str(path) for path in _candidates(remote, folder))
        raise DataError(
            f"{ENVIRONMENT} = {folder!r} lacks '{remote.name}'; looked for {looked}. "
            f"Put the file there, or unset {ENVIRONMENT} to have it downloaded"
        )
    return _read(path, remote)


def _candidates(remote, folder):
    """Return where a file may lie below a folder, gzipped or not."""
    names = (remote.name, remote.name.removesuffix(".gz"))
    folder = Path(os.path.expanduser(folder))
    return [base / name for base in (folder / remote.folder, folder) for name in names]


def _find(remote, folder):
    """Return the first candidate that is there, or None; one that may not be seen is not."""
    return next((path for path in _candidates(remote, folder) if os.path.isfile(path)), None)


def _read(path, remote):
    """Return a local file's checked content."""
    try:
        return verified(path.read_bytes(), remote.sha256, f"file '{path}'")
    except OSError as error:
        raise DataError(f"file '{path}' cannot be read ({error})") from None
    except DataError as error:
        raise DataError(f"{error}. Delete the file, or put a whole copy in its place") from None


def _download(remote, folder):
    """Return the content from the first mirror that gives it whole, and keep a copy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cache folder '{folder}' cannot be made ({error}); {_remedy()}"
        ) from None
    failures = []
    for mirror in remote.mirrors:
        try:
            return _fetch(mirror + remote.name, remote, folder)
        except (OSError, DataError) as error:
            failures.append(f"{mirror}: {error}")
    raise DataError(
        f"'{remote.folder}/{remote.name}' could not be downloaded ({'; '.join(failures)}); "
        f"{_remedy()}"
    )


def _fetch(url, remote, folder):
    """Download to a temporary name, check, and only then give the file its name."""
    import pooch

    _log.info("downloading %s", url)
    handle, part = tempfile.mkstemp(dir=folder, prefix=remote.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            pooch.HTTPDownloader(timeout=TIMEOUT_S)(url, file, None)
        checked = verified(Path(part).read_bytes(), remote.sha256, f"download '{url}'")
        os.replace(part, folder / remote.name)
        return checked
    finally:
        Path(part).unlink(missing_ok=True)


def _remedy():
    """Return what to do where nothing can be downloaded or kept."""
    return f"put the files in a folder and name it in the environment variable {ENVIRONMENT}"
