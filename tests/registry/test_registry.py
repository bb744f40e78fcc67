"""The registry on disk: whole copies, at most one champion, nothing lost to other processes, kill -9 or damaged files."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openteller.core.errors import BadInput, Conflict, ModelUnavailable, NotFound, OpenTellerError, Unavailable
from openteller.registry.evidence import figures_of
from openteller.registry.gates import parse
from openteller.registry.manifest import MANIFEST, read_manifest
from openteller.registry.registry import ModelRegistry
from openteller.registry.stages import Change, Stage, Version
from tests.registry.artefacts import make_artefact, write_report

ROOT = Path(__file__).parents[2]
SAID = {"actor": "li", "reason": "because"}
GATES = [parse("accuracy >= 0.8")]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip waiting for the disk: no power is cut here, and a killed process leaves its writes to the system."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "data")


def registered(registry: ModelRegistry, accuracy: float = 0.9, name: str = "toy") -> Version:
    folder = registry.root.parent / f"made-{name}-{accuracy}"
    return registry.register(make_artefact(folder, accuracy, name=name), actor="li")


def promoted(registry: ModelRegistry, accuracy: float = 0.9) -> Version:
    return registry.promote("toy", registered(registry, accuracy).version, GATES, **SAID)


def test_a_registered_artefact_is_a_whole_copy_with_its_card(registry: ModelRegistry, tmp_path: Path) -> None:
    source = make_artefact(tmp_path / "a")
    write_report(source)
    version = registry.register(source, actor="li", reason="to try")
    shutil.rmtree(source)
    assert (version.stage, version.name, version.actor, version.reason) == (Stage.CANDIDATE, "toy", "li", "to try")
    folder, manifest = registry.artefact("toy", version.version)
    assert {p.name for p in folder.iterdir()} == {*manifest.files, MANIFEST, "report.json", "README.md"}
    assert "200 rows of held.jsonl" in (folder / "README.md").read_text("utf-8")
    assert {p.name for p in folder.parent.iterdir()} == {version.version, "lock", "index.json"}


def test_the_same_content_is_the_same_version(registry: ModelRegistry) -> None:
    first = registered(registry)
    assert registered(registry) == first
    assert registered(registry, 0.8).version != first.version
    assert len(registry.slot("toy").changes) == 2


def test_an_evaluation_made_since_comes_to_the_version(registry: ModelRegistry, tmp_path: Path) -> None:
    source = make_artefact(tmp_path / "a")
    version = registry.register(source, actor="li")
    write_report(source, 0.87)
    registry.register(source, actor="li")
    folder = registry.folder("toy", version.version)
    assert figures_of(folder).values["report.accuracy"] == 0.87
    assert "0.8700" in (folder / "README.md").read_text("utf-8")
    assert len(registry.slot("toy").changes) == 1


def test_promotion_rollback_and_retirement(registry: ModelRegistry) -> None:
    assert registry.champion("toy") is None
    one = promoted(registry, 0.9)
    assert registry.champion("toy") == registry.folder("toy", one.version)
    two = promoted(registry, 0.95)
    assert registry.find("toy@champion") == two
    assert registry.slot("toy").version(one.version).stage is Stage.RETIRED
    assert registry.rollback("toy", **SAID).version == one.version
    assert registry.champion("toy") == registry.folder("toy", one.version)
    registry.retire("toy", one.version, **SAID)
    assert registry.champion("toy") is None
    assert [v.stage for v in registry.slot("toy").versions()] == [Stage.RETIRED, Stage.RETIRED]


def test_a_failed_gate_refuses_with_its_figures(registry: ModelRegistry) -> None:
    promoted(registry, 0.95)
    candidate = registered(registry, 0.9)
    gates = [parse("accuracy >= 0.85"), parse("accuracy >= champion - 0.005"), parse("export present")]
    with pytest.raises(Conflict, match="2 of 3 gates failed") as caught:
        registry.promote("toy", candidate.version, gates, **SAID)
    assert "0.9000, wanted 0.9450" in caught.value.cause
    assert "export present: failed, not there" in caught.value.cause
    assert registry.slot("toy").version(candidate.version).stage is Stage.CANDIDATE
    forced = registry.promote("toy", candidate.version, gates, force=True, **SAID)
    change = registry.slot("toy").changes[-1]
    assert (forced.stage, forced.forced, change.forced) == (Stage.CHAMPION, True, True)
    assert [v.passed for v in change.verdicts] == [True, False, False]


def test_no_gate_is_no_gate_passed(registry: ModelRegistry) -> None:
    candidate = registered(registry)
    with pytest.raises(BadInput, match="without a gate"):
        registry.promote("toy", candidate.version, [], **SAID)
    assert registry.promote("toy", candidate.version, [], force=True, **SAID).forced


def test_force_that_was_not_needed_is_not_recorded(registry: ModelRegistry) -> None:
    assert not registry.promote("toy", registered(registry).version, GATES, force=True, **SAID).forced


def test_what_serves_without_a_champion_is_what_a_relative_gate_is_held_against(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    candidate, gates = registered(registry, 0.9), [parse("accuracy >= champion")]
    shipped = figures_of(make_artefact(tmp_path / "shipped", 0.93))
    with pytest.raises(Conflict, match="gates failed"):
        registry.promote("toy", candidate.version, gates, incumbent=shipped, **SAID)
    promoted(registry, 0.85)
    registry.promote("toy", candidate.version, gates, incumbent=shipped, **SAID)


def test_slots_hold_one_kind_of_model(registry: ModelRegistry, tmp_path: Path) -> None:
    registered(registry)
    other = make_artefact(tmp_path / "b", task="tokens")
    with pytest.raises(Conflict, match="task classification"):
        registry.register(other, actor="li")
    assert registry.register(other, actor="li", name="spans").name == "spans"
    reranker, again = (make_artefact(tmp_path / t, 0.5, task=t, name="r") for t in ("relevance", "reranking"))
    registry.register(reranker, actor="li")
    registry.register(again, actor="li")
    assert [slot.name for slot in registry.slots()] == ["r", "spans", "toy"]


@pytest.mark.parametrize("name", ["", "..", "../out", "a/b", "Größe", "A", ".hidden", "a b", "a\n"])
def test_a_name_that_is_no_name_is_refused(registry: ModelRegistry, tmp_path: Path, name: str) -> None:
    source = make_artefact(tmp_path / "a", name=name)
    with pytest.raises(BadInput, match="no name"):
        registry.register(source, actor="li")
    with pytest.raises(BadInput, match="no name"):
        registry.slot(name)
    assert not registry.root.exists()


def test_a_manifest_that_reaches_outside_its_folder_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    source = make_artefact(tmp_path / "a")
    (tmp_path / "secret").write_bytes(b"key")
    manifest = json.loads((source / MANIFEST).read_text("utf-8"))
    digest = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"  # SHA-256 of b"key"
    manifest["files"]["../secret"] = digest
    (source / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    assert read_manifest(source).files["../secret"] == digest
    with pytest.raises(BadInput, match="outside its folder"):
        registry.register(source, actor="li")
    assert registry.slots() == ()


def test_what_is_not_there_is_said(registry: ModelRegistry) -> None:
    for change in (registry.rollback, lambda name, **said: registry.promote(name, "v", GATES, **said)):
        with pytest.raises(NotFound, match="no model called toy"):
            change("toy", **SAID)
    assert not registry.root.exists()
    registered(registry)
    with pytest.raises(BadInput, match="names no version"):
        registry.find("toy")
    with pytest.raises(NotFound, match="no champion"):
        registry.find("toy", Stage.CHAMPION)


def test_a_damaged_source_is_not_registered(registry: ModelRegistry, tmp_path: Path) -> None:
    source = make_artefact(tmp_path / "a")
    (source / "heads.safetensors").write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match="heads"):
        registry.register(source, actor="li")
    assert registry.slots() == ()


@pytest.mark.parametrize("name", ["heads.safetensors", MANIFEST])
def test_a_damaged_champion_is_said_and_restored(registry: ModelRegistry, tmp_path: Path, name: str) -> None:
    version = promoted(registry)
    path = registry.folder("toy", version.version) / name
    path.chmod(0o644)
    path.write_text(path.read_text("utf-8").replace("0", "1"), "utf-8")
    with pytest.raises(ModelUnavailable, match=f"toy@{version.version} is damaged") as caught:
        registry.champion("toy")
    assert "rollback toy" in caught.value.next_step
    again = registered(registry)
    assert (again.stage, len(registry.slot("toy").changes)) == (Stage.CHAMPION, 2)
    assert registry.champion("toy") == path.parent
    assert not list(path.parent.parent.glob(".*"))


def test_a_damaged_version_is_neither_promoted_nor_rolled_back_to(registry: ModelRegistry) -> None:
    one, _ = promoted(registry, 0.9), promoted(registry, 0.95)
    candidate = registered(registry, 0.97)
    for version in (one, candidate):
        (registry.folder("toy", version.version) / "heads.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=candidate.version):
        registry.promote("toy", candidate.version, GATES, force=True, **SAID)
    with pytest.raises(ModelUnavailable, match=one.version):
        registry.rollback("toy", **SAID)
    assert registry.find("toy@champion").stage is Stage.CHAMPION


@pytest.mark.parametrize("body", ["", "{", "[]", '{"name": "toy", "task": "t", "changes": [], "told": 3}'])
def test_a_damaged_index_is_said_and_left_alone(registry: ModelRegistry, body: str) -> None:
    version = promoted(registry)
    index = registry.root / "toy" / "index.json"
    index.write_text(body, "utf-8")
    for act in (registry.slots, lambda: registry.champion("toy"), lambda: registry.retire("toy", "v", **SAID)):
        with pytest.raises(ModelUnavailable, match="index of toy"):
            act()
    with pytest.raises(ModelUnavailable, match="index of toy"):
        registered(registry, 0.5)
    assert index.read_text("utf-8") == body
    assert registry.folder("toy", version.version).is_dir()


def test_the_index_of_another_slot_is_no_index(registry: ModelRegistry) -> None:
    registered(registry)
    registered(registry, name="other")
    shutil.copy(registry.root / "other/index.json", registry.root / "toy/index.json")
    with pytest.raises(ModelUnavailable, match="index of toy"):
        registry.slot("toy")


def test_two_versions_are_compared_by_their_figures(registry: ModelRegistry, tmp_path: Path) -> None:
    one, two = registered(registry, 0.9), registered(registry, 0.95)
    write_report(registry.folder("toy", two.version), 0.94)
    found = {pair.figure: pair for pair in registry.compare(one, two)}
    assert found["accuracy"].difference == pytest.approx(0.05)
    assert (found["report.accuracy"].a, found["report.accuracy"].b) == (None, 0.94)
    assert found["report.accuracy"].difference is None


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(Unavailable, match="cannot be written"):
        ModelRegistry(tmp_path / "data").register(make_artefact(tmp_path / "a"), actor="li")


class Book:
    """A witness that keeps what it was told when all went well, and can fail before or after."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, str]] = []
        self.fails = ""

    @contextmanager
    def __call__(self, name: str, changes: Sequence[Change]) -> Iterator[None]:
        if self.fails == "before":
            raise Unavailable("The database does not answer.")
        yield
        if self.fails == "after":
            raise Unavailable("The database was lost.")
        self.told += [(name, change.number, change.action.value) for change in changes]


@pytest.mark.parametrize("fails", ["before", "after"])
def test_what_cannot_be_told_is_not_done(tmp_path: Path, fails: str) -> None:
    book = Book()
    registry = ModelRegistry(tmp_path / "data", book)
    book.fails = fails
    with pytest.raises(Unavailable, match="database"):
        registered(registry)
    assert registry.slots() == ()
    book.fails = ""
    candidate, old = registered(registry), promoted(registry, 0.85)
    before = (registry.root / "toy/index.json").read_text("utf-8")
    book.fails = fails
    for change in (
        lambda: registry.promote("toy", candidate.version, GATES, **SAID),
        lambda: registry.retire("toy", old.version, **SAID),
    ):
        with pytest.raises(Unavailable, match="database"):
            change()
    assert json.loads((registry.root / "toy/index.json").read_text("utf-8")) == json.loads(before)
    book.fails = ""
    registry.promote("toy", candidate.version, GATES, **SAID)
    assert [number for _, number, _ in book.told] == [1, 2, 3, 4]


def test_what_nobody_was_told_is_told_by_the_next(tmp_path: Path) -> None:
    version, book = registered(ModelRegistry(tmp_path / "data")), Book()
    ModelRegistry(tmp_path / "data", book).promote("toy", version.version, GATES, **SAID)
    assert book.told == [("toy", 1, "registered"), ("toy", 2, "promoted")]


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["register", "promote", "rollback", "retire", "lose"]), st.sampled_from([0.7, 0.8, 0.9])),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_whatever_is_done_at_most_one_serves_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, float]]
) -> None:
    data, book = tmp_path_factory.mktemp("any"), Book()
    made = {a: make_artefact(data / f"made-{a}", a) for a in (0.7, 0.8, 0.9)}
    registry, ever = ModelRegistry(data, book), dict[float, str]()
    for action, accuracy in actions:
        book.fails = "after" if action == "lose" else ""
        try:
            if action in ("register", "lose"):
                ever[accuracy] = registry.register(made[accuracy], actor="li").version
            elif action == "promote":
                registry.promote("toy", ever.get(accuracy, "none"), GATES, **SAID)
            elif action == "rollback":
                registry.rollback("toy", **SAID)
            else:
                registry.retire("toy", ever.get(accuracy, "none"), **SAID)
        except OpenTellerError:
            continue
    versions = [v for slot in registry.slots() for v in slot.versions()]
    assert sum(v.stage is Stage.CHAMPION for v in versions) <= 1
    assert {v.version for v in versions} == set(ever.values())
    assert all(registry.artefact("toy", v.version)[1].metrics["accuracy"] in ever for v in versions)
    told = [number for slot in registry.slots() for number in range(1, len(slot.changes) + 1)]
    assert [number for _, number, _ in book.told] == told


RIVAL = """
import sys, time
from pathlib import Path
from openteller.core.errors import Conflict
from openteller.registry.gates import parse
from openteller.registry.registry import ModelRegistry
data, version = Path(sys.argv[1]), sys.argv[2]
registry = ModelRegistry(data)
print("ready", flush=True)
while not (data / "go").exists():
    time.sleep(0.001)
try:
    registry.promote("toy", version, [parse("accuracy >= 0.8")], actor="li", reason="because")
    print("promoted")
except Conflict as error:
    print(error.message)
"""


def test_processes_that_promote_at_once_take_turns(registry: ModelRegistry) -> None:
    data = registry.root.parent
    one, two = registered(registry, 0.9).version, registered(registry, 0.95).version
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, str(data), v], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for v in (one, two, two)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    (data / "go").touch()
    said = [rival.communicate(timeout=30)[0].strip() for rival in rivals]
    assert said[0] == "promoted"
    assert sorted(said[1:])[0] == "promoted"
    assert f"toy@{two} cannot be promoted" in "".join(said[1:])
    slot = registry.slot("toy")
    assert [c.action.value for c in slot.changes] == ["registered", "registered", "promoted", "promoted"]
    assert [v.stage for v in slot.versions()].count(Stage.CHAMPION) == 1


KILLED = """
import os, shutil, signal, sys
from contextlib import contextmanager
from pathlib import Path
from openteller.registry.gates import parse
from openteller.registry.registry import ModelRegistry

def work(data, source):
    @contextmanager
    def book(name, changes):
        yield
        with (data / "told").open("a") as file:
            file.write("".join(f"{change.number}\\n" for change in changes))
    registry = ModelRegistry(data, book)
    version = registry.register(source, actor="li").version
    registry.promote("toy", version, [parse("accuracy >= 0.8")], actor="li", reason="because")

def kill_at(step):
    seen = [0]
    def hook(event, arguments):
        if event == "open" or event.startswith(("os.", "shutil.", "fcntl.")):
            seen[0] += 1
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

os.fsync = lambda descriptor: None
home, first, second = map(Path, sys.argv[1:])
(home / "begun").mkdir()
work(home / "begun", first)
step, killed = 0, True
while killed:
    step += 1
    data = home / f"killed-{step}"
    shutil.copytree(home / "begun", data)
    child = os.fork()
    if child == 0:
        kill_at(step)
        work(data, second)
        os._exit(0)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
print(step)
"""


def test_kill_9_at_any_step_leaves_what_can_be_gone_on_from(tmp_path: Path) -> None:
    first, second = (make_artefact(tmp_path / name, accuracy) for name, accuracy in (("a", 0.9), ("b", 0.95)))
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(first), str(second)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 40
    seen = set()
    for step in range(1, steps + 1):
        data = tmp_path / f"killed-{step}"
        seen.add(_stages_of_the_killed(data))
        _gone_on(data, second)
    assert seen == {("champion",), ("champion", "candidate"), ("retired", "champion")}


def _stages_of_the_killed(data: Path) -> tuple[str, ...]:
    """What stands after the kill, every version of it whole."""
    registry = ModelRegistry(data)
    versions = [version for slot in registry.slots() for version in slot.versions()]
    for version in versions:
        registry.artefact(version.name, version.version)
    return tuple(version.stage.value for version in versions)


def _gone_on(data: Path, source: Path) -> None:
    """Doing what is not done yet comes to the same end; every change is told, by then or by the next change."""
    told, book = [int(n) for n in (data / "told").read_text("ascii").split()], Book()
    registry = ModelRegistry(data, book)
    version = registry.register(source, actor="li")
    if version.stage is Stage.CANDIDATE:
        registry.promote("toy", version.version, GATES, **SAID)
    slot = registry.slot("toy")
    assert [v.stage.value for v in slot.versions()] == ["retired", "champion"]
    assert [c.action.value for c in slot.changes] == ["registered", "promoted"] * 2
    registry.retire("toy", version.version, **SAID)
    assert {*told, *(number for _, number, _ in book.told)} == {1, 2, 3, 4, 5}
    assert not list((registry.root / "toy").glob(".incoming*"))
