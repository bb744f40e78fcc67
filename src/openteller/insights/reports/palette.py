"""The colours of reports, on light and on dark paper; each tone of the light ones is told from its neighbours in print.

Good and bad are blue-green and orange, which people who do not tell red from green tell apart. Knows no report.
"""

from openteller.insights.reports.drawing import Tone

LIGHT: dict[Tone, str] = {
    Tone.GOOD: "#2f7d68",
    Tone.MIDDLE: "#b9c2bd",
    Tone.BAD: "#c0622b",
    Tone.MAIN: "#1d5a4b",
    Tone.BAND: "#d3e5dc",
    Tone.INK: "#17302b",
    Tone.MUTED: "#52625c",
    Tone.GRID: "#e2dcca",
}
DARK: dict[Tone, str] = {
    Tone.GOOD: "#6fc2a6",
    Tone.MIDDLE: "#586a63",
    Tone.BAD: "#e08d57",
    Tone.MAIN: "#8ad0b7",
    Tone.BAND: "#24423a",
    Tone.INK: "#e9efeb",
    Tone.MUTED: "#a9b9b2",
    Tone.GRID: "#2c3f39",
}
PAPER, DARK_PAPER = "#fffdf8", "#0f1b18"


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three numbers, 0–255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
