"""The idx format of MNIST's images, read without trusting it.

    magic 0x00000803 | images | rows | columns | one byte per pixel

The four numbers are 32-bit, big-endian. A file may be gzipped.

Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
"""

import gzip
import hashlib
import struct
import zlib

import numpy as np

from recirc_hw.errors import DataError

MAGIC = 0x00000803
_HEADER = struct.Struct(">4I")


def unpacked(raw: bytes, label: str) -> bytes:
    """Return the bytes without their gzip wrapper, if they wear one."""
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{label}: the gzip data is cut short or damaged ({error})") from None


def verified(raw: bytes, sha256: str, label: str) -> bytes:
    """Return the unpacked bytes, once their SHA-256 is found to be the expected one.

    Wrappers differ from mirror to mirror, so it is the content that counts.
    """
    content = unpacked(raw, label)
    got = hashlib.sha256(content).hexdigest()
    if got != sha256:
        raise DataError(
            f"{label}: the unpacked content ({len(content)} bytes) has SHA-256 {got}; "
            f"expected {sha256}"
        )
    return content


def parse_images(content: bytes, label: str) -> np.ndarray:
    """Return the images as a read-only uint8 array, shape (n_images, rows, columns).

    Raises
    ------
    DataError
        If the header is not that of idx images, or the length does not fit it.
    """
    if len(content) < _HEADER.size:
        raise DataError(f"{label}: {len(content)} bytes; an idx header takes {_HEADER.size}")
    magic, *shape = _HEADER.unpack_from(content)
    if magic != MAGIC:
        raise DataError(
            f"{label}: magic number 0x{magic:08x}; expected 0x{MAGIC:08x} (idx images)"
        )
    expected = _HEADER.size + shape[0] * shape[1] * shape[2]
    if len(content) != expected:
        raise DataError(
            f"{label}: {len(content)} bytes; its header ({shape[0]} images of "
            f"{shape[1]}x{shape[2]}) calls for {expected}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=_HEADER.size).reshape(shape)
