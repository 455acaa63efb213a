"""Files and folders that are written whole or not at all."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path


def write_whole(path, content):
    """Write bytes so that `path` holds either the old or the new content, never a part."""
    with whole_file(path) as stream:
        stream.write(content)


@contextmanager
def whole_file(path):
    """Yield a binary stream whose content is at `path` once the block has ended well.

    Raises
    ------
    OSError
        Naming `path`; what was there before is left, and nothing half-written is.
    """
    path, name = Path(path), None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        if name is not None:
            os.unlink(name)
        _name(error, path)
        raise


@contextmanager
def whole_folder(path):
    """Yield a new folder that is at `path` once the block has ended well.

    Raises
    ------
    FileExistsError
        If something is at `path`; it is left as it is.
    OSError
        Naming `path`; nothing half-written is left.
    """
    path, name = Path(path), None
    if path.exists():
        raise FileExistsError(17, "something is there already", str(path))
    try:
        name = tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent)
        yield Path(name)
        os.chmod(name, 0o777 & ~_umask())
        os.rename(name, path)
    except BaseException as error:
        if name is not None:
            shutil.rmtree(name, ignore_errors=True)
        _name(error, path)
        raise


def _name(error, path):
    """Let an error of the operating system name what was asked for, not the stand-in."""
    if isinstance(error, OSError):
        error.filename, error.filename2 = str(path), None


def _umask():
    """Return the process's file-mode mask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
