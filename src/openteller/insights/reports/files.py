"""A report as the content of a file. Knows nothing about what is reported, or where the file goes."""

from openteller.insights.reports import html
from openteller.insights.reports.records import Report

SUFFIXES = (".html", ".pdf")


def content(report: Report, suffix: str) -> bytes:
    """The file's bytes; suffix: one of `SUFFIXES`."""
    if suffix == ".pdf":
        from openteller.insights.reports import pdf  # brings fonts and a PDF writer

        return pdf.document(report)
    return html.page(report).encode()
