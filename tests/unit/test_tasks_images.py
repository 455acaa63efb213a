"""MNIST and Fashion-MNIST: found, downloaded over the loopback, checked."""

import gzip
import hashlib
import os
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from recirc_hw.errors import DataError
from recirc_hw.tasks import fashion, fetch, images, mnist, pca_error

TRAIN, TEST = "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"
PIXELS = np.arange(3 * 28 * 28, dtype=np.uint32).reshape(3, 28, 28).astype(np.uint8)


def idx(pixels):
    return struct.pack(">4I", 0x803, *pixels.shape) + pixels.tobytes()


FILES = {TRAIN: idx(PIXELS), TEST: idx(PIXELS[:2])}


class Mirror(BaseHTTPRequestHandler):
    """Serves what the test put in `served`: bytes, or (bytes, headers), by path."""

    def do_GET(self):  # noqa: N802 (the name http.server calls)
        self.server.asked.append(self.path)
        if self.path not in self.server.served:
            self.send_error(404)
            return
        body, headers = self.server.served[self.path]
        self.send_response(200)
        for name, value in ({"Content-Length": len(body)} | headers).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.served, server.asked = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        both = (f"{server.url}/a/", f"{server.url}/b/")
        monkeypatch.setattr(images, "MIRRORS", {"mnist": both, "fashion-mnist": both})
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """Give a tiny MNIST its checksums, and every test its own empty cache."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    folders = ("mnist", "fashion-mnist")
    table = {f"{f}/{name}": value for f in folders for name, value in sums.items()}
    monkeypatch.setattr(images, "SHA256", table)
    monkeypatch.setattr(fetch, "SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    monkeypatch.setattr(fetch, "cache_folder", lambda: str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.delenv("RECIRC_HW_DATA", raising=False)
    images._load.cache_clear()
    yield tmp_path / "cache"
    images._load.cache_clear()


def put(folder, *, packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        if packed:
            (folder / name).write_bytes(gzip.compress(content))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(content)


def serve(server, mirror, change=lambda body: body, **headers):
    for name, content in FILES.items():
        server.served[f"/{mirror}/{name}"] = (change(gzip.compress(content)), headers)


def check(task):
    assert np.array_equal(task.train, PIXELS.reshape(3, 784) / 255)
    assert np.array_equal(task.test, PIXELS[:2].reshape(2, 784) / 255)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["mnist", ""])
def test_the_named_folder_is_read(tmp_path, monkeypatch, packed, below):
    put(tmp_path / "here" / below, packed=packed)
    monkeypatch.setenv("RECIRC_HW_DATA", str(tmp_path / "here"))
    task = mnist()
    check(task)
    assert mnist() is task
    assert (task.batch_size, task.epochs, task.image_shape) == (100, 3, (28, 28))
    assert (task.until, task.held_out, task.name) == ("end", True, "mnist")


def test_each_set_has_its_own_folder(tmp_path, monkeypatch):
    put(tmp_path / "here" / "fashion-mnist")
    monkeypatch.setenv("RECIRC_HW_DATA", str(tmp_path / "here"))
    check(fashion())
    with pytest.raises(DataError, match="lacks"):
        mnist()


def test_a_named_folder_without_the_file_is_an_error_not_a_download(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("RECIRC_HW_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        mnist()
    for part in ("RECIRC_HW_DATA = ", f"{tmp_path}/mnist/{TRAIN}", f"{tmp_path}/{TRAIN[:-3]}"):
        assert part in str(caught.value)
    assert server.asked == []


def test_the_systems_folder_is_read_before_anything_is_downloaded(server, tmp_path):
    put(tmp_path / "system" / "mnist")
    check(mnist())
    assert server.asked == []


def test_an_empty_variable_counts_as_unset(tmp_path, monkeypatch):
    monkeypatch.setenv("RECIRC_HW_DATA", "")
    put(tmp_path / "system" / "mnist")
    check(mnist())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body[: len(body) // 2], "gzip data is cut short or damaged"),
        (lambda body: body[:40] + b"xxxx" + body[44:], "damaged|SHA-256"),
        (lambda body: gzip.compress(b"other"), r"\(5 bytes\) has SHA-256 .*; expected "),
        (lambda body: b"", r"\(0 bytes\) has SHA-256"),
    ],
)
def test_a_broken_local_file_is_named_with_what_to_do(tmp_path, monkeypatch, change, message):
    put(tmp_path / "mnist")
    path = tmp_path / "mnist" / TRAIN
    path.write_bytes(change(path.read_bytes()))
    monkeypatch.setenv("RECIRC_HW_DATA", str(tmp_path))
    with pytest.raises(DataError, match=message) as caught:
        mnist()
    assert str(path) in str(caught.value)
    assert "Delete the file" in str(caught.value)


def test_a_local_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    put(tmp_path / "mnist")
    monkeypatch.setenv("RECIRC_HW_DATA", str(tmp_path))

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(fetch.Path, "read_bytes", refuse)
    with pytest.raises(DataError, match="cannot be read .*Permission denied"):
        mnist()


def test_a_download_is_checked_and_kept(server, cache):
    serve(server, "a")
    check(mnist())
    assert sorted(os.listdir(cache / "mnist")) == sorted(FILES)
    server.served.clear()
    images._load.cache_clear()
    check(mnist())
    assert server.asked == [f"/a/{TRAIN}", f"/a/{TEST}"]


def test_a_mirror_that_unpacks_on_the_way_will_do(server):
    serve(server, "a", **{"Content-Encoding": "gzip"})
    check(fashion())


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[: len(body) // 2],
        lambda body: gzip.compress(b"other"),
        lambda body: b"<html>please log in</html>",
    ],
)
def test_the_next_mirror_makes_good_what_the_first_spoils(server, cache, change):
    serve(server, "a", change)
    serve(server, "b")
    check(mnist())
    assert sorted(os.listdir(cache / "mnist")) == sorted(FILES)


def test_a_download_cut_short_by_the_line_leaves_nothing_behind(server, cache):
    serve(server, "a", **{"Content-Length": 10**6})
    with pytest.raises(DataError, match=f"'mnist/{TRAIN}' could not be downloaded"):
        mnist()
    assert os.listdir(cache / "mnist") == []


def test_when_every_mirror_fails_each_reason_is_told(server, cache):
    serve(server, "a", lambda body: gzip.compress(b"other"))
    with pytest.raises(DataError) as caught:
        mnist()
    for part in ("/a/: ", "SHA-256", "/b/: ", "404", "RECIRC_HW_DATA"):
        assert part in str(caught.value)
    assert os.listdir(cache / "mnist") == []


def test_a_mirror_that_is_not_there_is_an_error_of_ours(monkeypatch):
    nobody = ("http://127.0.0.1:9/", "nonsense://x/")
    monkeypatch.setattr(images, "MIRRORS", {"mnist": nobody})
    with pytest.raises(DataError, match="could not be downloaded"):
        mnist()


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path, cache):
    serve(server, "a")
    cache.write_text("a file where the folder should be")
    with pytest.raises(
        DataError, match=r"cache folder '.*mnist' cannot be made .*RECIRC_HW_DATA"
    ):
        mnist()
    assert server.asked == []


def test_the_cache_lies_in_the_users_cache_folder(monkeypatch):
    monkeypatch.undo()
    assert os.path.basename(fetch.cache_folder()) == "recirc_hw"


def test_a_failed_load_is_tried_again(server):
    with pytest.raises(DataError):
        mnist()
    serve(server, "b")
    check(mnist())


@pytest.mark.skipif(not os.environ.get("RECIRC_HW_DATA"), reason="RECIRC_HW_DATA is not set")
@pytest.mark.parametrize(("load", "pca_20"), [(mnist, 0.02354), (fashion, 0.01870)])
def test_the_real_images_have_the_known_errors(monkeypatch, load, pca_20):
    monkeypatch.undo()
    task = load()
    assert task.train.shape == (60_000, 784)
    assert task.test.shape == (10_000, 784)
    assert (task.train.min(), task.train.max()) == (0, 1)
    # The figures are given to five decimals.
    assert pca_error(task.train, task.test, 20) == pytest.approx(pca_20, abs=5.1e-6)
    assert images._load.cache_info().currsize == 1
