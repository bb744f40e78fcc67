"""A hub's OWNER/NAME as a name of weights: resolved once, fetched with its companions, pinned, and refused with a reason."""

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from openteller.core.errors import MissingDependency, ModelUnavailable, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.model_ids import is_hub_id
from tests.runtime.loopback import Loopback, serve
from tests.runtime.test_hugging_face import write

COMMIT = "b" * 40
REPO = "bank/Small-Encoder"


class Hub:
    """What a hub answers about one repository: its listing and its files, as huggingface_hub reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        if path.startswith(f"/api/models/{REPO}"):
            self._send(handler, json.dumps(self._listing()).encode(), {"Content-Type": "application/json"})
        elif path.startswith(f"/{REPO}/resolve/{COMMIT}/") and (self.folder / Path(path).name).is_file():
            data = (self.folder / Path(path).name).read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            self._send(handler, data, {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"'})
        else:
            self._send(handler, b"", {"X-Error-Code": "RepoNotFound"}, 404)

    def _listing(self) -> dict[str, object]:
        files = [self._file(path) for path in sorted(self.folder.iterdir())]
        return {"id": REPO, "sha": COMMIT, "siblings": files, "cardData": {"license": "mit"}}

    def _file(self, path: Path) -> dict[str, object]:
        data = path.read_bytes()
        large = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 1}
        more = {"lfs": large} if path.suffix == ".safetensors" else {}
        return {"rfilename": path.name, "size": len(data), "blobId": "c" * 40} | more

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    write(tmp_path / "repo")
    with serve(Hub(tmp_path / "repo")) as server:
        yield server


def _catalogue(tmp_path: Path, hub: Loopback) -> Catalogue:
    return Catalogue(tmp_path / "data", hub_url=hub.url)


def test_an_id_is_resolved_and_fetched_once(tmp_path: Path, hub: Loopback) -> None:
    catalogue = _catalogue(tmp_path, hub)
    entry = catalogue.entry(REPO)
    assert (entry.role, entry.licence, entry.source.revision) == ("encoder", "mit", COMMIT)  # type: ignore[union-attr]
    weights = load_backbone(catalogue.locate(REPO))
    assert weights.layers == 2
    asked = len(hub.requests)
    again = _catalogue(tmp_path, hub)
    assert again.entry(REPO) == entry
    assert load_backbone(again.locate(REPO)).layers == 2
    assert again.origin(REPO) == REPO
    assert len(hub.requests) == asked, "the hub was asked again for what is at hand"


def test_a_revision_may_be_named(tmp_path: Path, hub: Loopback) -> None:
    catalogue = _catalogue(tmp_path, hub)
    assert catalogue.locate(f"{REPO}@v1.0").is_file()
    assert any("/revision/v1.0" in path for path, *_ in hub.requests)


def test_other_weights_than_the_hub_promised_are_refused(tmp_path: Path, hub: Loopback) -> None:
    catalogue = _catalogue(tmp_path, hub)
    catalogue.entry(REPO)
    write(tmp_path / "repo", num_hidden_layers=1)  # somebody replaced the file after the id was resolved
    with pytest.raises(ModelUnavailable):
        catalogue.locate(REPO)


def test_an_id_that_the_hub_does_not_know(tmp_path: Path, hub: Loopback) -> None:
    with pytest.raises(ModelUnavailable, match="no weights called nobody/nothing") as caught:
        _catalogue(tmp_path, hub).entry("nobody/nothing")
    assert "OPENTELLER_HUB_URL" in str(caught.value.next_step)
    assert not list((tmp_path / "data").rglob("*.json"))


def test_a_repository_without_safetensors(tmp_path: Path, hub: Loopback) -> None:
    (tmp_path / "repo" / "model.safetensors").rename(tmp_path / "repo" / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable) as caught:
        _catalogue(tmp_path, hub).entry(REPO)
    assert "pytorch_model.bin" in str(caught.value.cause)


def test_a_hub_out_of_reach(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no weights called"):
        Catalogue(tmp_path, hub_url="http://127.0.0.1:9").entry(REPO)


def test_without_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingDependency, match="hub"):
        Catalogue(tmp_path).entry(REPO)


@pytest.mark.parametrize("name", ["", "e5", "a/b/c", "../weights", "/srv/models/x", "a/b@", "名/字", "a b/c"])
def test_what_is_no_id_is_not_asked_for(tmp_path: Path, name: str) -> None:
    assert not is_hub_id(name)
    with pytest.raises((NotFound, ModelUnavailable)):
        Catalogue(tmp_path, hub_url="http://127.0.0.1:9").entry(name)
