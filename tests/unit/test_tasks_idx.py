"""The idx format, whole and broken."""

import struct

import numpy as np
import pytest

from recirc_hw.errors import DataError
from recirc_hw.tasks.idx import parse_images

PIXELS = np.arange(3 * 28 * 28, dtype=np.uint32).reshape(3, 28, 28).astype(np.uint8)
WHOLE = struct.pack(">4I", 0x803, *PIXELS.shape) + PIXELS.tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes; an idx header takes 16"),
        (b"\0" * 15, "15 bytes"),
        (b"\0\0\x08\x01" + b"\0" * 12, "magic number 0x00000801; expected 0x00000803"),
        (WHOLE[:-1], r"2367 bytes; its header \(3 images of 28x28\) calls for 2368"),
        (WHOLE + b"x", "2369 bytes"),
        (struct.pack(">4I", 0x803, *[2**32 - 1] * 3), "16 bytes; its header"),
    ],
)
def test_a_wrong_idx_file_is_refused(content, message):
    with pytest.raises(DataError, match=f"x: {message}"):
        parse_images(content, "x")


def test_idx_images_keep_their_order():
    assert np.array_equal(parse_images(WHOLE, "x"), PIXELS)
