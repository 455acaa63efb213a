"""MNIST and Fashion-MNIST: 60,000 images of 28x28 pixels, and 10,000 held out."""

import os
from functools import cache

import numpy as np

from recirc_hw.tasks.checks import frozen
from recirc_hw.tasks.criteria import BetterThanPCA
from recirc_hw.tasks.fetch import ENVIRONMENT, Remote, content
from recirc_hw.tasks.idx import parse_images
from recirc_hw.tasks.task import Task

MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
}
"""Each followed by the file's name. Plain http is safe: the content is checked."""

SHA256 = {
    "mnist/train-images-idx3-ubyte.gz": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "mnist/t10k-images-idx3-ubyte.gz": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "fashion-mnist/train-images-idx3-ubyte.gz": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "fashion-mnist/t10k-images-idx3-ubyte.gz": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
}
"""Of each file after decompression: gzip wrappers differ from mirror to mirror."""


def mnist() -> Task:
    """Return MNIST's handwritten digits, pixels in 0..1.

    Source: LeCun, Cortes & Burges, "The MNIST database", CC BY-SA 3.0.

    Raises
    ------
    DataError
        If a file is missing, damaged, or cannot be downloaded.
    """
    source = "MNIST, LeCun, Cortes & Burges, CC BY-SA 3.0"
    return _load("mnist", "mnist", source, os.environ.get(ENVIRONMENT))


def fashion() -> Task:
    """Return Fashion-MNIST's pictures of clothes, pixels in 0..1.

    Source: Xiao, Rasul & Vollgraf 2017, "Fashion-MNIST", MIT licence.

    Raises
    ------
    DataError
        If a file is missing, damaged, or cannot be downloaded.
    """
    source = "Fashion-MNIST, Xiao, Rasul & Vollgraf 2017, MIT licence"
    return _load("fashion", "fashion-mnist", source, os.environ.get(ENVIRONMENT))


@cache
def _load(name, folder, source, data_folder):
    """Return the task, read once per process and data folder."""
    return Task(
        name=name,
        train=_pixels(folder, "train-images-idx3-ubyte.gz", data_folder),
        test=_pixels(folder, "t10k-images-idx3-ubyte.gz", data_folder),
        criterion=BetterThanPCA(0.5),
        batch_size=100,
        epochs=3,
        image_shape=(28, 28),
        source=source,
    )


def _pixels(folder, name, data_folder):
    """Return a file's images as rows of numbers in 0..1."""
    remote = Remote(folder, name, SHA256[f"{folder}/{name}"], MIRRORS[folder])
    images = parse_images(content(remote, data_folder), f"{folder}/{name}")
    cases = np.empty((len(images), images[0].size))
    np.divide(images.reshape(len(images), -1), 255.0, out=cases)
    return frozen(cases)
