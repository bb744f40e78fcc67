"""A drawing as inline SVG, its tones as classes, so that it follows the reader's light or dark scheme."""

from html import escape

from openteller.insights.reports.drawing import Area, Box, Dot, Drawing, Label, Line, Shape


def markup(drawing: Drawing) -> str:
    """The drawing as an element; every text is escaped."""
    title = escape(drawing.title, quote=True)
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" width="{drawing.width:g}" height="{drawing.height:g}"'
    body = "".join(map(_element, drawing.shapes))
    return f'<svg class="plot" {size} role="img" aria-label="{title}">{body}</svg>'


def _element(shape: Shape) -> str:
    match shape:
        case Line():
            ends = f'x1="{shape.x1:.1f}" y1="{shape.y1:.1f}" x2="{shape.x2:.1f}" y2="{shape.y2:.1f}"'
            return f'<line class="stroke-{shape.tone}" {ends} stroke-width="{shape.width:g}"/>'
        case Box():
            place = f'x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}"'
            return f'<rect class="fill-{shape.tone}" {place}/>'
        case Area():
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            return f'<polygon class="fill-{shape.tone}" points="{points}"/>'
        case Dot():
            return f'<circle class="fill-{shape.tone}" cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}"/>'
        case Label():
            place = f'x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.anchor}"'
            return f'<text class="fill-{shape.tone}" {place}>{escape(shape.text)}</text>'
