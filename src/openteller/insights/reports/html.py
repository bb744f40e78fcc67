"""A report as one HTML file: nothing to load, nothing that runs, light or dark as the reader has it, fit for print.

Every text is escaped. Knows nothing about what is reported.
"""

from html import escape
from importlib.resources import files

from openteller.core.clock import local_text
from openteller.insights.reports import svg
from openteller.insights.reports.drawing import Tone
from openteller.insights.reports.palette import DARK, DARK_PAPER, LIGHT, PAPER
from openteller.insights.reports.records import (
    Block,
    KeyFigures,
    Paragraph,
    Plot,
    Quote,
    Report,
    Section,
    Source,
    Table,
)
from openteller.insights.reports.wording import made, period


def page(report: Report) -> str:
    """The whole file, as text to be written in UTF-8."""
    sections = "".join(map(_section, report.sections))
    when = [period(report.period, report.language)] if report.period else []
    meta = " · ".join([report.bank, *when, made(local_text(report.made_at, report.timezone), report.language)])
    lead = f'<p class="lead">{escape(report.lead)}</p>' if report.lead else ""
    title, language = escape(report.title), "zh-Hans" if report.language == "zh" else "en"
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{_colours()}
{files(__package__).joinpath("report.css").read_text("utf-8")}</style>
</head>
<body>
<main>
<header><p class="meta">{escape(meta)}</p><h1>{title}</h1>{lead}</header>
{sections}
</main>
</body>
</html>
"""


def _colours() -> str:
    def variables(paper: str, tones: dict[Tone, str]) -> str:
        return f"--paper: {paper}; " + " ".join(f"--{tone}: {colour};" for tone, colour in tones.items())

    classes = " ".join(
        f".fill-{tone} {{ fill: var(--{tone}); }} .stroke-{tone} {{ stroke: var(--{tone}); }}" for tone in Tone
    )
    light, dark = variables(PAPER, LIGHT), variables(DARK_PAPER, DARK)
    return f""":root {{ color-scheme: light dark; {light} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
{classes}"""


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(map(_block, section.blocks))}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            kind = ' class="note"' if block.note else ""
            return f"<p{kind}>{escape(block.text)}{_sources(block.sources)}</p>"
        case KeyFigures():
            return f'<dl class="figures">{"".join(_figure(f.label, f.value, f.note) for f in block.figures)}</dl>'
        case Table():
            return _table(block)
        case Plot():
            note = f"<figcaption>{escape(block.note)}</figcaption>" if block.note else ""
            return f"<figure>{svg.markup(block.drawing)}{note}</figure>"
        case Quote():
            return f"<blockquote><p>{escape(block.text)}{_sources(block.sources)}</p></blockquote>"


def _figure(label: str, value: str, note: str) -> str:
    below = f"<dd>{escape(note)}</dd>" if note else ""
    return f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd>{below}</div>"


def _table(table: Table) -> str:
    def cells(row: tuple[str, ...], tag: str) -> str:
        kinds = ('class="number"' if place >= table.numbers else 'class="word"' for place in range(len(row)))
        drawn = (f"<{tag} {kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True))
        return f"<tr>{''.join(drawn)}</tr>"

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    body = "".join(cells(row, "td") for row in table.rows)
    return f'<div class="scroll"><table>{caption}<thead>{cells(table.head, "th")}</thead><tbody>{body}</tbody></table></div>'


def _sources(sources: tuple[Source, ...]) -> str:
    return "".join(_source(source) for source in sources)


def _source(source: Source) -> str:
    text = escape(source.text)
    if not source.url:
        return f'<span class="source">{text}</span>'
    return f'<a class="source" href="{escape(source.url, quote=True)}" rel="noreferrer">{text}</a>'
