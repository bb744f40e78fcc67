from datetime import date

import numpy as np
import pytest

from openteller.core.records import Audience, Principal
from openteller.knowledge.library import Library
from openteller.knowledge.records import Document, Hit
from openteller.knowledge.retrieval import Retriever
from openteller.runtime.scripted import ScriptedEmbedder

TODAY = date(2026, 6, 1)


def _document(document_id: str, title: str, answer: str, *questions: str, **labels: object) -> Document:
    group, _, language = document_id.partition(":")
    return Document.model_validate(
        {
            "document_id": document_id,
            "title": title,
            "language": language or "zh",
            "group_id": group,
            "answer": answer,
            "questions": questions,
            **labels,
        }
    )


LOST = (
    _document("lost:zh", "银行卡丢失怎么办", "请马上挂失，电话4000000000。", "卡丢了", "钱包不见了"),
    _document(
        "lost:en",
        "What to do when a card is lost",
        "Report the loss by phone at once.",
        "lost card",
        "my wallet is gone",
    ),
)
LIMIT = _document("limit:zh", "转账限额是多少", "每日五万元，可在App调整。", "一天能转多少钱", "转账额度不够")
RATE = _document("rate:zh", "定期存款利率", "一年期利率{{TD-CNY.rate.12M}}。", "存一年多少利息")


def _ids(hits: list[Hit]) -> list[str]:
    return [hit.document.document_id for hit in hits]


def _search(retriever: Retriever, principal: Principal, text: str, language: str = "zh", on: date = TODAY) -> list[Hit]:
    return retriever.search(principal, text, on=on, reply_language=language)


def test_the_right_document_comes_first_with_its_numbers(
    library: Library, retriever: Retriever, visitor: Principal
) -> None:
    library.add([*LOST, LIMIT, RATE])
    hits = _search(retriever, visitor, "转账限额一天多少")
    assert [hit.rank for hit in hits] == [1, 2, 3]
    best = hits[0]
    assert best.document == LIMIT
    assert best.passage in (LIMIT.title, *LIMIT.questions)
    assert best.evidence == LIMIT.answer
    assert best.question_dense is not None
    assert best.body_dense is not None
    assert best.dense == max(best.question_dense, best.body_dense)
    assert 0 < best.lexical <= 1
    assert hits[0].fused >= hits[1].fused >= hits[2].fused >= 0


def test_the_raw_numbers_are_exact(library: Library, retriever: Retriever, visitor: Principal) -> None:
    library.add([LIMIT])
    text = "转账额度不够"
    embedder = ScriptedEmbedder()
    vector = embedder.embed([text], "query")[0]
    titles = embedder.embed([LIMIT.title, *LIMIT.questions], "passage") @ vector
    # A short answer is indexed below its title.
    body = embedder.embed([f"{LIMIT.title}\n每日五万元,可在App调整。"], "passage") @ vector
    (hit,) = _search(retriever, visitor, text)
    assert (hit.passage, hit.passage_kind) == (text, "question")
    assert hit.dense == pytest.approx(1.0, abs=1e-5)
    assert hit.question_dense == pytest.approx(float(titles.max()), abs=1e-5)
    assert hit.body_dense == pytest.approx(float(body[0]), abs=1e-5)
    assert hit.lexical == 1.0


def test_twins_collapse_to_the_reply_language(library: Library, retriever: Retriever, visitor: Principal) -> None:
    library.add([*LOST, LIMIT])
    chinese, english = (_search(retriever, visitor, "钱包不见了", language)[0] for language in ("zh", "en"))
    assert (chinese.document, english.document) == LOST
    # The scores are the group's; the passages are the shown document's.
    assert (chinese.dense, chinese.lexical, chinese.fused) == (english.dense, english.lexical, english.fused)
    assert english.evidence == LOST[1].answer
    assert _ids(_search(retriever, visitor, "转账限额", "en"))[0] == "limit:zh"


@pytest.mark.parametrize(
    ("text", "found"), [("掛失電話", "lost:zh"), ("my WALLETS", "lost:zh"), ("定期存款利率", "rate:zh")]
)
def test_scripts_cases_and_word_forms(
    library: Library, retriever: Retriever, visitor: Principal, text: str, found: str
) -> None:
    library.add([*LOST, LIMIT, RATE])
    assert _ids(_search(retriever, visitor, text))[0] == found


def test_labels_are_enforced(
    library: Library, retriever: Retriever, visitor: Principal, customer: Principal, agent: Principal
) -> None:
    library.add([_document(f"d{i}:zh", "内部流程", f"第{i}步核对。", audience=a) for i, a in enumerate(Audience)])
    seen = {p.role.value: sorted(_ids(_search(retriever, p, "内部流程"))) for p in (visitor, customer, agent)}
    assert seen == {"visitor": ["d0:zh"], "customer": ["d0:zh", "d1:zh"], "agent": ["d0:zh", "d1:zh", "d2:zh"]}


def test_a_twin_for_staff_does_not_show_through(library: Library, retriever: Retriever, visitor: Principal) -> None:
    secret = LOST[1].model_copy(update={"audience": Audience.STAFF, "questions": ("zebra protocol",)})
    library.add([LOST[0], secret])
    (hit,) = _search(retriever, visitor, "zebra protocol", "en")
    assert hit.document == LOST[0]
    assert hit.lexical == 0
    assert hit.dense < 0.5


def test_validity_supersession_and_withdrawal(library: Library, retriever: Retriever, visitor: Principal) -> None:
    old = _document("old:zh", "转账限额（2025）", "每日两万元。", valid_to=date(2025, 12, 31))
    new = _document("new:zh", "转账限额", "每日五万元。", valid_from=date(2026, 1, 1), supersedes="old:zh")
    library.add([old, new])
    assert _ids(_search(retriever, visitor, "转账限额")) == ["new:zh"]
    assert _ids(_search(retriever, visitor, "转账限额", on=date(2025, 12, 31))) == ["old:zh"]
    # Superseded even when nobody gave the older version an end, and staff ones count too.
    library.add([old.model_copy(update={"valid_to": None}), new.model_copy(update={"audience": Audience.STAFF})])
    assert _search(retriever, visitor, "转账限额") == []
    library.withdraw("new:zh")
    assert _ids(_search(retriever, visitor, "转账限额")) == ["old:zh"]


def test_hidden_documents_do_not_crowd_out_visible_ones(
    library: Library, retriever: Retriever, visitor: Principal
) -> None:
    staff = [_document(f"s{i}:zh", f"转账限额审批{i}", "转账限额。", audience=Audience.STAFF) for i in range(300)]
    library.add([*staff, _document("far:zh", "咖啡馆营业时间", "早九点。"), LIMIT])
    assert _ids(_search(retriever, visitor, "转账限额审批")) == ["limit:zh", "far:zh"]


def test_a_free_document_is_found_by_its_best_chunk(library: Library, retriever: Retriever, visitor: Principal) -> None:
    body = (
        "# 总则\n"
        + "本规则适用于全体客户。" * 40
        + "\n# 跨境汇款\n汇往香港每笔收费二十五元。\n# 附则\n"
        + "解释权归本行。" * 40
    )
    library.add([_document("rules:zh", "业务规则", "x", body=body).model_copy(update={"answer": None}), *LOST])
    hit = _search(retriever, visitor, "汇款到香港收费多少")[0]
    assert hit.document.document_id == "rules:zh"
    assert hit.passage == hit.evidence == "跨境汇款\n汇往香港每笔收费二十五元。"
    assert hit.question_dense is not None  # its title


def test_a_given_vector_is_used(library: Library, retriever: Retriever, visitor: Principal) -> None:
    library.add([*LOST, LIMIT])
    vector = ScriptedEmbedder().embed(["转账额度不够"], "query")[0]
    hits = retriever.search(visitor, "zzz", vector=vector, on=TODAY, reply_language="zh")
    assert hits[0].document == LIMIT
    assert hits[0].lexical == 0
    assert hits[0].dense == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE documents; --", "a' | 'b' & !c:*", "\\", "%s :on {{x}}", "💳", "的", "x" * 5_000]
)
def test_odd_queries_do_no_harm(library: Library, retriever: Retriever, visitor: Principal, text: str) -> None:
    library.add([LIMIT])
    assert _ids(_search(retriever, visitor, text)) == ["limit:zh"]


def test_nothing_to_find(library: Library, retriever: Retriever, visitor: Principal) -> None:
    assert _search(retriever, visitor, "转账") == []
    library.add([LIMIT])
    assert _search(retriever, visitor, " \u200b\n") == []
    assert retriever.search(visitor, "转账", limit=0, on=TODAY, reply_language="zh") == []
    assert len(retriever.search(visitor, "转账", limit=1, on=TODAY, reply_language="zh")) == 1


def test_among_thousands_of_passages_the_nearest_are_found(
    library: Library, retriever: Retriever, visitor: Principal
) -> None:
    random = np.random.default_rng(7)
    han = [chr(c) for c in range(0x4E00, 0x5200)]
    texts = ["".join(random.choice(han, 12)) for _ in range(1_000)]
    library.add([_document(f"n{i}:zh", text, f"{text[::-1]}。") for i, text in enumerate(texts)])
    retriever.warm()
    asked = random.choice(len(texts), 50, replace=False)
    first = [_ids(_search(retriever, visitor, f"{texts[i][:9]}吗"))[0] for i in asked]
    assert sum(found == f"n{i}:zh" for i, found in zip(asked, first, strict=True)) >= 48
