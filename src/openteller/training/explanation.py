"""An explanation as a record, as JSON and as one HTML file that needs nothing else.

Knows nothing about models or how scores come about.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

METHODS = ("integrated-gradients", "occlusion")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FOR, AGAINST = (
    (42, 111, 151),
    (217, 119, 6),
)  #: red, green, blue of what speaks for and against; told apart by the colour-blind
_STYLE = """
body { font: 17px/2 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #222; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.about, .legend { color: #555; font-size: .85em; }
.text { white-space: pre-wrap; border-left: 3px solid #ddd; padding-left: 1rem; overflow-wrap: anywhere; }
mark { color: inherit; border-radius: .2em; padding: .1em 0; }
table { border-collapse: collapse; font-size: .9em; line-height: 1.5; }
td { padding: .1rem 1rem .1rem 0; border-bottom: 1px solid #e3e3e3; }
td:last-child { text-align: right; font-variant-numeric: tabular-nums; }
"""


@dataclass(frozen=True)
class Attribution:
    """What a span, code points start–end of the text number `part`, did for the label; below 0 it spoke against it."""

    part: int
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True)
class Explanation:
    """Why a model gives a label.

    texts: as they were given; the spans are in them.
    span: of a token task, the span that is explained: (start, end).
    output, baseline: the label's log-odds for the text, and for one of the same length without words. The scores of
        integrated gradients add up to their difference and `delta`.
    steps: of the integral; 0 for occlusion.
    read: how far into each text the model reads.
    """

    texts: tuple[str, ...]
    head: str
    label: str
    predicted: str
    probability: float
    method: str
    output: float
    baseline: float
    delta: float
    steps: int
    read: tuple[int, ...]
    attributions: tuple[Attribution, ...]
    span: tuple[int, int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)

    @property
    def largest(self) -> float:
        """The greatest |score|; 0 without spans."""
        return max((abs(a.score) for a in self.attributions), default=0.0)

    @property
    def ranked(self) -> tuple[Attribution, ...]:
        """The spans, those that weigh most first."""
        return tuple(sorted(self.attributions, key=lambda a: -abs(a.score)))

    def pieces(self, part: int) -> Iterator[tuple[str, float | None]]:
        """A text cut at its spans: (characters, strength from -1 to 1, or None for what has no score)."""
        text, at = self.texts[part], 0
        for found in (a for a in self.attributions if a.part == part):
            if found.start > at:
                yield text[at : found.start], None
            yield text[found.start : found.end], found.score / (self.largest or 1.0)
            at = found.end
        if at < len(text):
            yield text[at:], None

    def notes(self) -> list[str]:
        """What the reader should know of the figures, a sentence each."""
        unit = "change of the label's log-odds"
        if self.method == METHODS[1]:
            found = [f"Occlusion: the {unit} when a span is hidden. The scores need not add up."]
        else:
            found = [
                f"Integrated gradients, {self.steps} steps: the {unit} from a text without words ({self.baseline:+.2f}) to"
                f" this one ({self.output:+.2f}). The scores add up to it but for {self.delta:+.3f}."
            ]
        cut = [read for read, text in zip(self.read, self.texts, strict=True) if read < len(text.rstrip())]
        return found + [f"The model reads the first {read:,} characters; what follows has no score." for read in cut]

    def heading(self) -> str:
        """What is explained, on one line."""
        other = "" if self.label == self.predicted else f" (the model says {self.predicted})"
        where = f" at {self.texts[0][self.span[0] : self.span[1]]!r}" if self.span else ""
        return f"{self.head}: {self.label}{where}, probability {self.probability:.3f}{other}"


def shade(strength: float) -> tuple[int, int, int]:
    """The colour of a strength from -1 to 1 on white paper."""
    target = FOR if strength > 0 else AGAINST
    share = min(1.0, abs(strength)) * 0.75
    red, green, blue = (round(255 + (channel - 255) * share) for channel in target)
    return red, green, blue


def page(explanation: Explanation) -> str:
    """The whole HTML document; it fetches nothing, and every word of the texts is escaped."""
    title = escape(explanation.heading())
    texts = [f'<p class="text">{_marked(explanation, part)}</p>' for part in range(len(explanation.texts))]
    rows = [f"<tr><td>{escape(a.text)}</td><td>{a.score:+.3f}</td></tr>" for a in explanation.ranked]
    legend = f"<mark {_style(1.0)}>&nbsp;for&nbsp;</mark> <mark {_style(-1.0)}>&nbsp;against&nbsp;</mark> the label"
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>",
            *texts,
            f'<p class="legend">{legend}</p>',
            *(f'<p class="about">{escape(note)}</p>' for note in explanation.notes()),
            "<table>",
            *rows,
            "</table>\n</body>\n</html>\n",
        ]
    )


def _marked(explanation: Explanation, part: int) -> str:
    return "".join(
        escape(text) if strength is None else f'<mark {_style(strength)} title="{strength:+.2f}">{escape(text)}</mark>'
        for text, strength in explanation.pieces(part)
    )


def _style(strength: float) -> str:
    return f'style="background: rgb{shade(strength)}"'
