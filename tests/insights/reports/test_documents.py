"""A report as a page and on paper: everything that is told stands in both, in both languages."""

import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from pypdf import PdfReader

from openteller.core.errors import MissingDependency
from openteller.insights.reports import html, pdf
from openteller.insights.reports.records import Report, ReportLanguage
from tests.insights.reports.told import QUOTE, a_report

LANGUAGES: list[ReportLanguage] = ["zh", "en"]


class Page(HTMLParser):
    """The words of a page, its elements, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.tags, self.loaded = "", list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.words += data


def letters(text: str) -> str:
    """Without space, and without the zero bytes that pypdf reads between the two-byte characters of these fonts."""
    return re.sub(r"[\s\0]+", "", text)


def on_paper(report: Report) -> PdfReader:
    return PdfReader(BytesIO(pdf.document(report)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_needs_nothing_and_runs_nothing(language: ReportLanguage) -> None:
    text = html.page(a_report(language))
    page = Page(text)
    assert not page.loaded
    assert not {"script", "link", "iframe", "b"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert QUOTE[language] in page.words
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in text
    assert "2026-11-01 09:02" in page.words
    assert page.tags.count("svg") == 4
    assert 'href="/console/surveys/service?answer=17"' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_holds_what_the_page_holds(language: ReportLanguage) -> None:
    report = a_report(language)
    read = on_paper(report)
    written = letters("".join(page.extract_text() for page in read.pages))
    for text in (report.title, report.lead, report.bank, QUOTE[language], *(s.title for s in report.sections)):
        assert letters(text) in written
    assert all(letters(row[0]) in written for row in report.sections[1].blocks[1].rows)  # type: ignore[union-attr]
    assert read.metadata is not None
    assert (read.metadata.title, read.metadata.author) == (report.title, report.bank)
    links = [note.get_object() for page in read.pages for note in page.get("/Annots", ())]
    assert [link["/A"]["/URI"] for link in links] == ["https://example.org/wilson"]


def test_paper_carries_its_fonts() -> None:
    fonts = [
        font.get_object() for page in on_paper(a_report("zh")).pages for font in page["/Resources"]["/Font"].values()
    ]  # type: ignore[index]
    descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts]
    assert descriptors
    assert all({"/FontFile2", "/FontFile3"} & set(descriptor) for descriptor in descriptors)


def test_one_report_gives_one_file() -> None:
    assert pdf.document(a_report("zh")) == pdf.document(a_report("zh"))


def test_without_fonts_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="pylopdf-fonts-zh-cn"):
        pdf.document(a_report("zh"))
