from datetime import date

import pytest

from openteller.core.errors import BadInput
from openteller.core.records import Audience
from openteller.knowledge.importing import document_id_of, documents_of
from openteller.knowledge.records import ImportOptions


@pytest.mark.parametrize(
    ("name", "document_id"),
    [
        ("转账 规则(2026).md", "转账-规则-2026"),
        ("lending/Home Loans.pdf", "lending/home-loans"),
        ("C:\\docs\\a.b.docx", "c/docs/a.b"),
        ("../../etc/passwd.txt", "etc/passwd"),
        ("???.md", "document"),
    ],
)
def test_ids_from_names(name: str, document_id: str) -> None:
    assert document_id_of(name) == document_id


def test_a_free_document_takes_the_options() -> None:
    options = ImportOptions(audience=Audience.STAFF, category="fees", valid_to=date(2026, 12, 31), products=("TD",))
    (document,) = documents_of("# 费用\n免费。".encode(), "费用表.md", options).documents
    assert (document.document_id, document.group_id, document.title) == ("费用表", "费用表", "费用")
    assert (document.audience, document.category, document.valid_to) == (Audience.STAFF, "fees", date(2026, 12, 31))
    assert (document.language, document.products, document.source_uri) == ("zh", ("TD",), "费用表.md")
    assert document.answer is None


def test_rows_become_articles_and_their_own_labels_come_first() -> None:
    data = "id,question,answer,audience\n1,Lost card?,Call us.,staff\n2,挂失,请致电。,\n".encode()
    one, two = documents_of(data, "faq.csv", ImportOptions(document_id="esun")).documents
    assert (one.document_id, one.title, one.language, one.audience) == ("esun:1", "Lost card?", "en", Audience.STAFF)
    assert (two.document_id, two.language, two.audience) == ("esun:2", "zh", Audience.PUBLIC)
    assert two.answer == "请致电。"
    assert one.source_uri == "faq.csv#1"


def test_rows_that_make_no_document_are_left_out_and_named() -> None:
    data = b"question,answer,valid from,valid to\na,b,2026-02-01,2026-01-01\nc,d,,\n"
    imported = documents_of(data, "a.csv", ImportOptions())
    assert [d.title for d in imported.documents] == ["c"]
    assert "valid_to lies before valid_from" in imported.problems[0].message
    with pytest.raises(BadInput):
        documents_of(data.rsplit(b"c,d", 1)[0], "a.csv", ImportOptions())


def test_options_that_do_not_fit_are_refused() -> None:
    options = ImportOptions(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1))
    with pytest.raises(BadInput) as caught:
        documents_of(b"text", "a.txt", options)
    assert "valid_to" in str(caught.value)
