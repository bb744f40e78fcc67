import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from openteller.knowledge import lexical
from openteller.store.database import Database


def test_scripts_and_cases_agree() -> None:
    assert lexical.terms("網路銀行轉帳") == lexical.terms("网路银行转帐") != []
    assert lexical.terms("Transferring FEES") == lexical.terms("transfer fee")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what's the customer's fee?", ["custom", "fee"]),
        ("转账 10,000.50 元", ["转账", "10000.50", "元"]),
        ("R3 基金", ["r3", "基金"]),
        ("利率{{TD-CNY.rate.12M}}", ["利率"]),
        ("的 the 吗", []),
        ("💳 — '", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert lexical.terms(text) == expected


def test_longer_words_are_found_by_their_parts() -> None:
    assert "信用卡" in lexical.terms("申请信用卡")
    assert {"存款", "利率"} <= set(lexical.terms("存款利率"))


def test_a_query_has_each_term_once_and_not_too_many() -> None:
    assert lexical.tsqueries("card card 卡 CARD") == ["'card'", "'卡'"]
    assert len(lexical.tsqueries(" ".join(f"w{i}" for i in range(1_000)))) == lexical.MAX_QUERY_TERMS


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=80), st.text(alphabet="'\\:&|!()<->*卡a1 \n", max_size=40)))
def test_postgresql_reads_every_literal_as_meant(database: Database, text: str) -> None:
    queries = lexical.tsqueries(text)
    with database.session(None) as session:
        found = session.scalars(
            sql("SELECT CAST(:vector AS tsvector) @@ CAST(q AS tsquery) FROM unnest(CAST(:queries AS text[])) AS q"),
            {"vector": lexical.tsvector(text), "queries": queries},
        ).all()
    assert found == [True] * len(queries)
