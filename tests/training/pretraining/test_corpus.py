"""Corpora: every format, each text once, each on one side, and what cannot be read."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openteller.core.errors import BadInput, OpenTellerError
from openteller.core.text import fold
from openteller.training.pretraining.corpus import Corpus, CorpusFields

TEXTS = [f"第{i}条：提前还款须在还款日前{i}个工作日申请。" for i in range(40)]
Locate = Callable[[str], Path]


def sides(corpus: Corpus) -> tuple[list[str], list[str]]:
    found = list(corpus.read())
    return [t for t, held in found if not held], [t for t, held in found if held]


def corpus(folder: Path, name: str, **fields: object) -> Corpus:
    return Corpus(CorpusFields(corpus=[name], **fields), folder.joinpath)  # type: ignore[arg-type]


def write_lines(path: Path) -> None:
    path.write_text("\n".join(json.dumps({"text": t}) for t in TEXTS), "utf-8")


def write_zipped(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps({"text": t}) for t in TEXTS))


FORMATS: dict[str, Callable[[Path], object]] = {
    "a.txt": lambda path: path.write_text("\n\n".join(TEXTS), "utf-8"),
    "a.jsonl": write_lines,
    "a.jsonl.gz": write_zipped,
    "a.parquet": lambda path: pq.write_table(pa.table({"text": TEXTS}), path),
}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_gives_the_same_documents_on_the_same_sides(tmp_path: Path, name: str) -> None:
    FORMATS[name](tmp_path / name)
    train, held = sides(corpus(tmp_path, name, validation_share=0.25))
    assert sorted(fold(t) for t in train + held) == sorted(fold(t) for t in TEXTS)
    (tmp_path / "lines.txt").write_text("\n".join(TEXTS), "utf-8")
    assert sides(corpus(tmp_path, "lines.txt", validation_share=0.25, documents="line")) == (train, held)
    assert 3 < len(held) < 20


def test_a_text_is_read_once_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("信用卡 ABC\n\n信用卡　ＡＢＣ\n\n信用卡 abc\n\n別的\n", "utf-8")
    read = corpus(tmp_path, "a.txt")
    train, held = sides(read)
    assert sorted(train + held) == ["信用卡 ABC", "別的"]
    assert read.counts.repeated == 2


def test_a_file_may_be_one_document(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("一\n\n二\n", "utf-8")
    assert sum(map(len, sides(corpus(tmp_path, "a.txt", documents="file")))) == 1


def test_fields_are_joined_and_nested_ones_looked_through(tmp_path: Path) -> None:
    row = {"question": "利率？", "entries": [{"q": "年费", "answers": ["免费"]}], "id": 7}
    (tmp_path / "a.jsonl").write_text(json.dumps(row), "utf-8")
    train, held = sides(corpus(tmp_path, "a.jsonl", text=["question", "entries"]))
    assert train + held == ["利率?\n年费\n免费"]


def test_a_file_may_name_its_own_fields(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('["7", "利率", "标签"]\n["8", "年费", "标签"]', "utf-8")
    train, held = sides(corpus(tmp_path, "a.jsonl#1"))
    assert sorted(train + held) == ["利率", "年费"]
    assert corpus(tmp_path, "a.jsonl#1").digest() != corpus(tmp_path, "a.jsonl#0").digest()


def test_the_knowledge_base_is_handed_in() -> None:
    asked = CorpusFields(source="knowledge", validation_share=0.25)
    read = Corpus(asked, Path, lambda: iter(TEXTS))
    assert sum(map(len, sides(read))) == len(TEXTS)
    assert read.digest() == Corpus(asked, Path, lambda: iter(TEXTS)).digest()
    assert read.digest() != Corpus(asked, Path, lambda: iter(TEXTS[1:])).digest()
    assert read.names == ("the knowledge base",)


def test_the_digest_follows_text_and_cutting(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("一\n\n二", "utf-8")
    before = corpus(tmp_path, "a.txt").digest()
    assert before == corpus(tmp_path, "a.txt").digest()
    assert before != corpus(tmp_path, "a.txt", documents="line").digest()
    (tmp_path / "a.txt").write_text("一\n\n三", "utf-8")
    assert before != corpus(tmp_path, "a.txt").digest()


def test_an_endless_paragraph_does_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"第{i}行\n" for i in range(140_000)), "utf-8")
    train, held = sides(corpus(tmp_path, "a.txt"))
    assert len(train + held) > 1
    assert max(map(len, train + held)) < 1_200_000


@pytest.mark.parametrize(
    ("name", "content", "fields", "message"),
    [
        ("a.jsonl", b'{"body": "x"}\n{"body": "y"}', {}, "2 of 2 rows .* no text in text"),
        ("a.jsonl", b'{"text": "x"}\n{"text": ', {}, "not JSON"),
        ("a.jsonl", b'{"body": "x"}', {"bad_rows": "skip"}, "1 of 1 rows"),
        ("a.txt", "利率".encode("gb18030") * 10, {}, "UTF-8"),
        ("a.txt", b"x", {"documents": "page"}, "documents is 'page'"),
        ("a.txt", b"x", {"source": "web"}, "source is 'web'"),
        ("a.docx", b"x", {}, "unknown type"),
        ("missing.txt", None, {}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, fields: dict[str, object], message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(OpenTellerError, match=message):
        list(corpus(tmp_path, name, **fields).read())


def test_nothing_named_is_refused() -> None:
    with pytest.raises(BadInput, match="names no corpus"):
        Corpus(CorpusFields(), Path)
    with pytest.raises(BadInput, match="no knowledge base"):
        Corpus(CorpusFields(source="knowledge"), Path)


def test_bad_rows_are_skipped_on_request(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n{"body": "y"}\n{"text": "z"}', "utf-8")
    train, held = sides(corpus(tmp_path, "a.jsonl", bad_rows="skip"))
    assert sorted(train + held) == ["x", "z"]
