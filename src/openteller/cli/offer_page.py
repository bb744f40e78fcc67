"""One page of HTML on how good offers are: figures with their intervals as bars, drawn as SVG, with no script and no network.

Knows nothing about how a figure is found.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WIDE, _ROW, _NAMES = 420, 22, 330
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2733}"
    "svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#1d2733}h2{margin-top:2rem}"
    "@media(prefers-color-scheme:dark){body{background:#12181f;color:#e6edf3}text{fill:#e6edf3}}"
)
Bars = Sequence[tuple[str, Mapping[str, float]]]
"""Name → value, low and high."""


def page(title: str, sections: Mapping[str, Bars], notes: Sequence[str]) -> str:
    """The page.

    Args:
        title: its heading.
        sections: heading → bars.
        notes: sentences above the bars.
    """
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    parts = "".join(f"<h2>{escape(name)}</h2>{_chart(bars)}" for name, bars in sections.items() if bars)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{said}{parts}</body></html>\n"
    )


def offer_sections(report: Mapping[str, Any]) -> dict[str, Bars]:
    """The sections of what `teller recommend evaluate --json` prints."""
    found: dict[str, Bars] = {
        "Discrimination: AUC": [
            ("model", report["model_auc"]),
            ("rules alone", report["rules_auc"]),
            *((f"model, {group}", figure) for group, figure in report["by_group"].items()),
        ],
        "First place, opened (off-policy)": list(report["off_policy"].items()),
    }
    views = (report.get("ranking") or {}).get("views", {})
    for measure in next(iter(views.values()), {"figures": {}})["figures"]:
        found[f"Products taken later: {measure}"] = [(name, view["figures"][measure]) for name, view in views.items()]
    for name, view in views.items():
        rows = [(f"{group}: {m}", f) for group, figures in view["by_group"].items() for m, f in figures.items()]
        found[f"By what is known of a customer: {name}"] = rows
    return found


def _chart(bars: Bars) -> str:
    most = max(max(figure["high"], figure["value"]) for _, figure in bars) or 1.0
    height = _ROW * len(bars) + 6
    rows = "".join(_bar(name, figure, most, place * _ROW + 16) for place, (name, figure) in enumerate(bars))
    return f'<svg viewBox="0 0 {_NAMES + _WIDE + 190} {height}" role="img">{rows}</svg>'


def _bar(name: str, figure: Mapping[str, float], most: float, y: int) -> str:
    value, low, high = (_NAMES + _WIDE * max(figure[part], 0.0) / most for part in ("value", "low", "high"))
    told = f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"
    return (
        f'<g><title>{escape(name)}: {told}</title><text x="0" y="{y}">{escape(name)}</text>'
        f'<rect x="{_NAMES}" y="{y - 11}" width="{value - _NAMES:.1f}" height="13" fill="#2b6cb0"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y - 4}" y2="{y - 4}" stroke="#dd6b20" stroke-width="2"/>'
        f'<text x="{_NAMES + _WIDE + 8}" y="{y}">{told}</text></g>'
    )
