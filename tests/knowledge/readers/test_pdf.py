from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import TooLarge, UnreadableFile
from openteller.knowledge.readers import pdf

from .. import files


def test_text_of_a_chinese_pdf_comes_in_paragraphs() -> None:
    lines = [
        "第一章 总则",
        "本行客户可在手机银行办理转账业务，每日累计限额",
        "为人民币五万元。超过限额的，请到网点办理。",
        "（一）带身份证；",
    ]
    reading = pdf.read(files.pdf([lines], title="转账规则"), "a.pdf")
    assert reading.title == "转账规则"
    assert reading.body.splitlines() == [
        "# 第一章 总则",
        "本行客户可在手机银行办理转账业务，每日累计限额为人民币五万元。超过限额的，请到网点办理。",
        "（一）带身份证；",
    ]


def test_english_lines_are_joined_with_a_space() -> None:
    lines = [
        "Transfers within the bank are free of charge for every",
        "customer who has an account with us and uses the app.",
    ]
    assert pdf.read(files.pdf([lines]), "a.pdf").body == " ".join(lines)


def test_running_headers_and_page_numbers_go() -> None:
    pages = [["ABC Bank terms", f"Clause {word} stands here.", f"Page {i}"] for i, word in enumerate("abcdef")]
    body = pdf.read(files.pdf(pages), "a.pdf").body
    assert "ABC Bank" not in body
    assert "Page" not in body
    assert "Clause f stands here." in body


def test_an_encrypted_pdf_is_refused() -> None:
    with pytest.raises(UnreadableFile) as caught:
        pdf.read(files.pdf([["x"]], password="secret"), "a.pdf")
    assert "is encrypted" in str(caught.value)


def test_a_scan_is_refused_with_advice() -> None:
    with pytest.raises(UnreadableFile) as caught:
        pdf.read(files.pdf([[]]), "a.pdf")
    assert "text recognition" in caught.value.next_step


def test_too_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    with pytest.raises(TooLarge) as caught:
        pdf.read(files.pdf([["x"]] * 3), "a.pdf")
    assert "has 3 pages" in str(caught.value)


@pytest.mark.parametrize("data", [b"junk", b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", files.pdf([["x"]])[:200]])
def test_a_broken_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        pdf.read(data, "a.pdf")
    assert "'a.pdf'" in caught.value.message


@given(st.data())
def test_a_pdf_with_flipped_bytes_gives_text_or_a_clear_refusal(data: st.DataObject) -> None:
    whole = bytearray(files.pdf([["Transfers are free."]]))
    for place in data.draw(st.lists(st.integers(9, len(whole) - 1), min_size=1, max_size=8)):
        whole[place] = data.draw(st.integers(0, 255))
    with suppress(UnreadableFile):
        assert pdf.read(bytes(whole), "a.pdf").body
