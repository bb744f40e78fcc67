"""A report as a PDF on A4, with the fonts it needs inside, Chinese included.

Laid out by fpdf2 (LGPL-3.0). The fonts are Noto Sans SC and Noto Serif SC (SIL Open Font License 1.1) from the package
pylopdf-fonts-zh-cn; only the characters in use go into the file. They have no pictures: an emoji is a hollow box on paper.
Knows nothing about what is reported.
"""

from importlib.util import find_spec
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from openteller.core.clock import local_text
from openteller.core.errors import MissingDependency
from openteller.insights.reports.drawing import LETTER, Area, Box, Dot, Drawing, Label, Line, Shape, Tone
from openteller.insights.reports.palette import LIGHT, rgb
from openteller.insights.reports.records import Block, KeyFigure, KeyFigures, Paragraph, Plot, Quote, Report, Table
from openteller.insights.reports.records import Source as ReportSource
from openteller.insights.reports.wording import made, page_of, period

_MARGIN, _FOOT = 20.0, 18.0
_BODY, _SMALL, _HEAD, _TITLE, _LARGE = 10.5, 8.5, 15.0, 22.0, 16.0
_SANS, _SERIF = "sans", "serif"
_TO_MM = 25.4 / 72


def document(report: Report) -> bytes:
    """The whole file. Raises MissingDependency when the fonts are not installed."""
    paper = _Paper(report)
    when = [period(report.period, report.language)] if report.period else []
    paper.words(" · ".join([report.bank, *when]), _SMALL, Tone.MUTED)
    paper.words(report.title, _TITLE, Tone.INK, font=_SERIF, gap=2)
    if report.lead:
        paper.words(report.lead, 12, Tone.INK, gap=1)
    for section in report.sections:
        paper.heading(section.title)
        for block in section.blocks:
            paper.block(block)
    return bytes(paper.output())


def _fonts() -> Path:
    spec = find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        raise MissingDependency(
            "The fonts for Chinese PDF files are not installed.",
            next_step="Install the package pylopdf-fonts-zh-cn, or write the report as HTML.",
        )
    return Path(spec.origin).parent


class _Paper(FPDF):
    """The pages, written from the top down. Lengths are millimetres, sizes of letters points."""

    def __init__(self, report: Report) -> None:
        super().__init__(format="A4", unit="mm")
        self._report = report
        # Chinese breaks after any character, English between words.
        self._wrapping = WrapMode.CHAR if report.language == "zh" else WrapMode.WORD
        fonts = _fonts()
        self.add_font(_SANS, fname=str(fonts / "NotoSansSC-Regular.otf"))
        self.add_font(_SERIF, fname=str(fonts / "NotoSerifSC-Regular.otf"))
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, _FOOT + 4)
        self.set_title(report.title)
        self.set_author(report.bank)
        self.set_lang("zh-Hans" if report.language == "zh" else "en")
        self.set_creation_date(report.made_at)
        self.add_page()

    def footer(self) -> None:
        """Who, when and which page, at the foot of each."""
        report = self._report
        self.set_y(-_FOOT)
        self._pen(_SMALL, Tone.MUTED)
        left = made(local_text(report.made_at, report.timezone), report.language)
        self.cell(self.epw / 2, 6, left)
        self.cell(self.epw / 2, 6, page_of(self.page_no(), "{nb}", report.language), align="R")

    def words(self, text: str, size: float, tone: Tone, *, font: str = _SANS, gap: float = 0.0) -> None:
        """A paragraph over the whole width, and a gap below it."""
        self._pen(size, tone, font)
        self.multi_cell(0, size * 0.56, text, align="L", wrapmode=self._wrapping, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(gap)

    def heading(self, text: str) -> None:
        """The title of a section, never alone at the foot of a page."""
        self._room(38)
        self.ln(5)
        self._line_across()
        self.ln(3)
        self.words(text, _HEAD, Tone.INK, font=_SERIF, gap=1)

    def block(self, block: Block) -> None:
        """One block of a section."""
        match block:
            case Paragraph():
                size, tone = (_SMALL, Tone.MUTED) if block.note else (_BODY, Tone.INK)
                self.words(block.text, size, tone)
                self._sources(block.sources)
            case KeyFigures():
                self._figures(block.figures)
            case Table():
                self._table(block)
            case Plot():
                self._plot(block.drawing, block.note)
            case Quote():
                self._quote(block.text, block.sources)
        self.ln(2.5)

    def _figures(self, figures: tuple[KeyFigure, ...]) -> None:
        """Four in a row at most."""
        for first in range(0, len(figures), 4):
            row = figures[first : first + 4]
            self._room(22)
            top, wide = self.get_y(), self.epw / len(row)
            for place, figure in enumerate(row):
                lines = ((figure.label, _SMALL, Tone.MUTED), (figure.value, _LARGE, Tone.INK))
                self.set_y(top)
                for text, size, tone in (*lines, (figure.note, _SMALL, Tone.MUTED)):
                    self.set_x(_MARGIN + place * wide)
                    self._pen(size, tone)
                    self.cell(wide - 2, size * 0.52, self._cut(text, wide - 3), new_y=YPos.NEXT)
            self.set_y(top + 20)

    def _table(self, told: Table) -> None:
        if told.caption:
            self.words(told.caption, _SMALL, Tone.MUTED)
        self._pen(9, Tone.INK)
        self.set_draw_color(*rgb(LIGHT[Tone.GRID]))
        self.set_line_width(0.2)
        self.set_fill_color(255)  # or the table takes the last plot's
        aligned = ["LEFT" if place < told.numbers else "RIGHT" for place in range(len(told.head))]
        heading = FontFace(color=rgb(LIGHT[Tone.MUTED]), emphasis="", size_pt=8.5)
        with self.table(
            text_align=tuple(aligned),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=heading,
            col_widths=_widths(told),
            line_height=5.2,
            padding=0.8,
            wrapmode=self._wrapping,
        ) as table:
            for cells in (told.head, *told.rows):
                row = table.row()
                for cell in cells:
                    row.cell(cell)

    def _plot(self, drawing: Drawing, note: str) -> None:
        scale = min(self.epw / drawing.width, 0.36)
        self._room(drawing.height * scale + (8 if note else 0))
        left, top = _MARGIN, self.get_y()
        for shape in drawing.shapes:
            self._shape(shape, left, top, scale)
        self.set_xy(_MARGIN, top + drawing.height * scale + 1)
        if note:
            self.words(note, _SMALL, Tone.MUTED)

    def _shape(self, shape: Shape, left: float, top: float, scale: float) -> None:
        colour = rgb(LIGHT[shape.tone])
        self.set_draw_color(*colour)
        self.set_fill_color(*colour)
        match shape:
            case Line():
                self.set_line_width(shape.width * scale)
                ends = (
                    left + shape.x1 * scale,
                    top + shape.y1 * scale,
                    left + shape.x2 * scale,
                    top + shape.y2 * scale,
                )
                self.line(*ends)
            case Box():
                size = shape.width * scale, shape.height * scale
                self.rect(left + shape.x * scale, top + shape.y * scale, *size, style="F")
            case Area():
                self.polygon([(left + x * scale, top + y * scale) for x, y in shape.points], style="F")
            case Dot():
                self.circle(left + shape.x * scale, top + shape.y * scale, shape.radius * scale, style="F")
            case Label():
                self._pen(LETTER * scale / _TO_MM * 0.94, shape.tone)
                shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor] * self.get_string_width(shape.text)
                self.text(left + shape.x * scale - shift, top + shape.y * scale, shape.text)

    def _quote(self, text: str, sources: tuple[ReportSource, ...]) -> None:
        self._room(16)
        page, top = self.page_no(), self.get_y()
        self.set_left_margin(_MARGIN + 5)
        self.set_x(_MARGIN + 5)
        self.words(text, _BODY, Tone.INK)
        self._sources(sources)
        self.set_left_margin(_MARGIN)
        self.set_x(_MARGIN)
        if self.page_no() == page:
            self.set_draw_color(*rgb(LIGHT[Tone.MAIN]))
            self.set_line_width(0.8)
            self.line(_MARGIN + 1, top + 0.5, _MARGIN + 1, self.get_y() - 0.5)

    def _sources(self, sources: tuple[ReportSource, ...]) -> None:
        for source in sources:
            self._pen(_SMALL, Tone.MUTED)
            # Paths of the console lead nowhere from a file on somebody's desk.
            link = source.url if source.url.startswith("http") else ""
            self.cell(0, 4.6, self._cut(source.text, self.epw), link=link, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _line_across(self) -> None:
        self.set_draw_color(*rgb(LIGHT[Tone.GRID]))
        self.set_line_width(0.3)
        self.line(_MARGIN, self.get_y(), _MARGIN + self.epw, self.get_y())

    def _room(self, height: float) -> None:
        """Go to the next page unless there is that much room on this one."""
        if self.will_page_break(height):
            self.add_page()

    def _pen(self, size: float, tone: Tone, font: str = _SANS) -> None:
        self.set_font(font, size=size)
        self.set_text_color(*rgb(LIGHT[tone]))

    def _cut(self, text: str, room: float) -> str:
        if self.get_string_width(text) <= room:
            return text
        while text and self.get_string_width(text + "…") > room:
            text = text[:-1]
        return text + "…"


def _widths(told: Table) -> tuple[float, ...]:
    """Shares of the width: by the longest cell of each column, so that words get room and figures do not get too much."""
    columns = zip(told.head, *told.rows, strict=True)
    return tuple(min(max(max(_units(cell) for cell in column), 6.0), 44.0) for column in columns)


def _units(text: str) -> float:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)
