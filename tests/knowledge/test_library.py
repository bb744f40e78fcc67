from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from openteller.core.errors import BadInput, NotFound, OpenTellerError, TooLarge, UnreadableFile
from openteller.core.records import Audience, Principal
from openteller.knowledge.library import Library
from openteller.knowledge.records import Document, ImportOptions
from openteller.runtime.protocols import Floats, TextKind
from openteller.runtime.scripted import ScriptedEmbedder
from openteller.store.database import Database
from openteller.store.tables import AuditRow, PassageRow

from . import files


class CountingEmbedder(ScriptedEmbedder):
    """Counts what it embeds, and stops like a killed process when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.stop_after = 10**9

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        if len(self.batches) >= self.stop_after:
            raise KeyboardInterrupt
        self.batches.append(len(texts))
        return super().embed(texts, kind)


def _article(number: int, answer: str = "请致电客服。", **labels: object) -> Document:
    return Document.model_validate(
        {
            "document_id": f"a{number:03}",
            "title": f"第{number}号问题",
            "language": "zh",
            "group_id": f"a{number:03}",
            "answer": answer,
            "questions": (f"问法{number}", f"另一个问法{number}"),
            **labels,
        }
    )


def test_adding_twice_changes_nothing(clean: Database) -> None:
    embedder = CountingEmbedder()
    library = Library(clean, embedder)
    documents = [_article(i) for i in range(20)]
    assert library.add(documents) == 20
    assert sum(embedder.batches) == 80
    assert max(embedder.batches) <= 32
    assert library.add(documents) == 0
    assert sum(embedder.batches) == 80
    assert library.add([*documents[:19], _article(19, "请到网点。")]) == 1
    assert sum(embedder.batches) == 84


def test_an_import_that_was_cut_off_goes_on_where_it_stopped(clean: Database, agent: Principal) -> None:
    embedder = CountingEmbedder()
    library = Library(clean, embedder)
    documents = [_article(i) for i in range(20)]
    embedder.stop_after = 6  # calls; the first 32 passages take four
    with pytest.raises(KeyboardInterrupt):
        library.add(documents)
    kept = library.count(agent)
    assert 0 < kept < 20
    embedder.stop_after = 10**9
    assert library.add(documents) == 20 - kept
    assert library.count(agent) == 20
    with clean.owner_session() as session:
        assert session.scalar(select(func.count()).select_from(PassageRow)) == 80


def test_progress_counts_passages(library: Library) -> None:
    seen: list[tuple[int, int]] = []
    library.add([_article(i) for i in range(20)], progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 80)
    assert seen[-1] == (80, 80)
    assert len(seen) >= 3
    assert seen == sorted(seen)


def test_a_document_comes_back_as_it_was(library: Library, visitor: Principal) -> None:
    document = _article(
        1,
        products=("TD-CNY",),
        category="deposits",
        intent="rates",
        valid_from=date(2026, 1, 1),
        supersedes="a000",
        source_uri="x.yaml#1",
        body="# 说明\n见下。",
    )
    library.add([document])
    assert library.get(visitor, "a001", on=date(2026, 1, 1)) == document


def test_two_different_documents_of_one_id_are_refused(library: Library, agent: Principal) -> None:
    with pytest.raises(BadInput):
        library.add([_article(1), _article(1, "别的。")])
    assert library.count(agent) == 0


def test_who_may_read_what(library: Library, visitor: Principal, customer: Principal, agent: Principal) -> None:
    library.add([_article(i, audience=audience) for i, audience in enumerate(Audience)])
    library.add([_article(7, valid_to=date(2020, 1, 1))])
    assert [d.document_id for d in library.list(visitor)] == ["a000"]
    assert [d.document_id for d in library.list(customer)] == ["a000", "a001"]
    assert [d.document_id for d in library.list(agent)] == ["a000", "a001", "a002", "a007"]
    assert [d.document_id for d in library.list(agent, on=date(2026, 1, 1))] == ["a000", "a001", "a002"]
    for principal, document_id in ((visitor, "a001"), (customer, "a002"), (customer, "a007"), (agent, "a999")):
        with pytest.raises(NotFound):
            library.get(principal, document_id)
    assert library.get(visitor, "a007", on=date(2019, 1, 1)).document_id == "a007"


def test_listing_filters_and_pages(library: Library, agent: Principal) -> None:
    library.add([_article(i, category="ab"[i % 2], title=f"100%_{i}") for i in range(6)])
    assert [d.document_id for d in library.list(agent, category="b")] == ["a001", "a003", "a005"]
    assert [d.document_id for d in library.list(agent, limit=2, offset=2)] == ["a004", "a001"]
    assert library.count(agent, title="0%_3") == 1
    assert library.count(agent, title="%%") == 0
    assert library.count(agent, language="en") == 0


def test_a_withdrawn_document_is_gone_until_it_is_added_again(
    library: Library, visitor: Principal, agent: Principal
) -> None:
    library.add([_article(1)])
    library.withdraw("a001")
    with pytest.raises(NotFound):
        library.get(visitor, "a001")
    assert library.get(agent, "a001").status == "withdrawn"
    with pytest.raises(NotFound):
        library.withdraw("a001")
    assert library.add([_article(1)]) == 1
    assert library.get(visitor, "a001").status == "active"


def test_changes_are_in_the_audit_log(library: Library, clean: Database) -> None:
    library.add([_article(1)], actor="lin")
    library.withdraw("a001", actor="lin")
    with clean.owner_session() as session:
        rows = session.execute(select(AuditRow.actor, AuditRow.action, AuditRow.detail).order_by(AuditRow.seq)).all()
    assert [tuple(row) for row in rows] == [
        ("lin", "documents.stored", {"documents": ["a001"]}),
        ("lin", "document.withdrawn", {}),
    ]


def test_other_weights_embed_everything_anew(library: Library, clean: Database, agent: Principal) -> None:
    documents = [_article(i) for i in range(3)]
    library.add(documents)
    library.withdraw("a002")
    newer = Library(clean, ScriptedEmbedder(), index_version="2")
    assert newer.reindex() == 2
    assert newer.reindex() == 0
    assert library.get(agent, "a002").status == "withdrawn"
    assert library.get(agent, "a001") == documents[1]


def test_importing_a_file_twice(library: Library, tmp_path: Path, agent: Principal) -> None:
    file = tmp_path / "faq.xlsx"
    file.write_bytes(files.workbook(a=[["问题", "答案"], ["怎么挂失", "请致电。"], ["限额", "五万。"], ["坏", None]]))
    report = library.import_file(file, options=ImportOptions(category="cards"))
    assert (report.name, report.stored, report.unchanged, len(report.problems)) == ("faq.xlsx", 2, 0, 1)
    again = library.import_file(file.read_bytes(), "faq.xlsx", ImportOptions(category="cards"))
    assert (again.stored, again.unchanged) == (0, 2)
    assert {d.document_id for d in library.list(agent, category="cards")} == set(report.document_ids)


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (b"", "a.md", UnreadableFile),
        (b"%PDF-1.7 broken", "a.pdf", UnreadableFile),
        (files.pdf([["x"]], password="p"), "a.pdf", UnreadableFile),
        (files.archive({"word/document.xml": b"\0" * (30 << 20)}), "a.docx", TooLarge),
        (b'{"question": "a", "answer": "b"}\n{broken', "a.jsonl", UnreadableFile),
        (b"text", None, BadInput),
    ],
)
def test_a_bad_file_stores_nothing(
    library: Library, agent: Principal, data: bytes, name: str | None, error: type[OpenTellerError]
) -> None:
    with pytest.raises(error) as caught:
        library.import_file(data, name)
    assert caught.value.next_step
    assert library.count(agent) == 0


def test_a_missing_file(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        library.import_file(tmp_path / "none.md")


def test_a_file_too_large_is_not_even_read(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with file.open("wb") as stream:
        stream.truncate(21 << 20)
    with pytest.raises(TooLarge):
        library.import_file(file)
