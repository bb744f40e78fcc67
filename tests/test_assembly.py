"""The assembly: the index of the documents follows the encoder that serves."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from openteller.assembly import Application
from openteller.knowledge.records import Document
from openteller.registry.manifest import Manifest, read_manifest
from openteller.runtime.protocols import Floats, TextKind
from openteller.runtime.scripted import ScriptedEmbedder, ScriptedReranker
from openteller.settings import load
from openteller.store.database import Database
from tests.registry.artefacts import make_artefact


class CountingEmbedder(ScriptedEmbedder):
    """Counts what it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        self.embedded += len(texts)
        return super().embed(texts, kind)


def an_application(
    data_dir: Path, database: Database, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> Application:
    """One whose encoder is a scripted one with the manifest of a real artefact."""
    monkeypatch.setattr("openteller.assembly.load_reranker", lambda *_: ScriptedReranker())
    application = Application(load(data_dir=data_dir, dev=True))
    application.__dict__ |= {"database": database, "embedder": CountingEmbedder()}
    application.__dict__["_encoder_and_manifest"] = (None, manifest)
    return application


def test_documents_are_embedded_again_for_another_encoder(
    clean: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (read_manifest(make_artefact(tmp_path / str(a), a)) for a in (0.8, 0.9))
    (tmp_path / "models").mkdir()

    def started(manifest: Manifest) -> CountingEmbedder:
        application = an_application(tmp_path, clean, manifest, monkeypatch)
        application.retriever.warm()
        embedder = application.embedder
        assert isinstance(embedder, CountingEmbedder)
        return embedder

    first = an_application(tmp_path, clean, one, monkeypatch)
    first.library.add([Document(document_id="a", title="挂失", language="zh", group_id="a", answer="请致电客服。")])
    stored, warming = first.embedder.embedded, 1
    assert stored > 0
    assert started(one).embedded == warming
    assert started(two).embedded == stored + warming
    assert started(two).embedded == warming
    assert started(one).embedded == stored + warming
