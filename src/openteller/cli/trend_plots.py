"""Trends as plots for the terminal: one line a period, a bar with its interval. Knows nothing about how figures come about."""

from collections.abc import Callable, Sequence
from datetime import date

from openteller.cli.tables import table
from openteller.core.records import LocalText
from openteller.insights.trends.intervals import Estimate
from openteller.insights.trends.records import CustomerMood, Funnel, MoodPoint, MoodTrend, NeedShare, Overview, Stage

_WIDTH = 40
_WORDS = {
    "period": LocalText(zh="时段", en="period"),
    "topic": LocalText(zh="话题", en="topic"),
    "conversations": LocalText(zh="会话", en="conversations"),
    "negative": LocalText(zh="负面占比", en="negative"),
    "interval": LocalText(zh="95% 区间", en="95 %"),
    "mood": LocalText(zh="情绪", en="mood"),
    "few": LocalText(zh="人数过少，不显示", en="too few people to show"),
    "none": LocalText(zh="这段时间没有会话。", en="There was no conversation in that time."),
    "stage": LocalText(zh="环节", en="station"),
    "reached": LocalText(zh="到达", en="reached"),
    "through": LocalText(zh="逐环到达", en="through all"),
    "rate": LocalText(zh="转化", en="rate"),
    "need": LocalText(zh="需求", en="need"),
    "rating": LocalText(zh="平均评分", en="mean rating"),
    "opened": LocalText(zh="打开推荐", en="offers opened"),
    "recovered": LocalText(zh="曾转负面的会话中最后好转", en="of conversations that turned bad, recovered"),
    "refused": LocalText(zh="该客户未同意个性化。", en="This customer has not agreed to personalisation."),
}


def overview_text(overview: Overview, language: str) -> str:
    """Everything on one span: the bank or the topic asked for, topics, needs, the funnel."""
    say = _say(language)
    if overview.bank.whole is None:
        return say("none") + "\n"
    parts = [f"{overview.bank.name.of(language)}\n", trend_text(overview.bank, language)]
    if overview.span.topic is None:
        parts.append(_topics(overview.topics, language))
    parts += [_needs(overview.needs, language), _funnel(overview.funnel, language)]
    if overview.recovery.recovered:
        parts.append(f"{say('recovered')}: {_share(overview.recovery.recovered)}\n")
    return "".join(parts)


def trend_text(trend: MoodTrend, language: str) -> str:
    """The mood by period: ━ up to the value, ─ to the upper end of its interval."""
    say = _say(language)
    rows = [_point_row(point, point.begins.isoformat(), say("few")) for point in trend.points]
    columns = (say("period"), say("negative"), say("interval"), "", say("conversations"))
    return table(columns, rows, words=4)


def customer_text(found: CustomerMood, language: str) -> str:
    """A customer's mood by week, and the last conversations."""
    say = _say(language)
    if not found.personalised:
        return say("refused") + "\n"
    if found.mood is None:
        return say("none") + "\n"
    rows = [
        (point.on.isoformat(), f"{point.mood.value:+.2f}", _signed(point.mood), _scale(point.mood))
        for point in found.points
    ]
    return table((say("period"), say("mood"), say("interval"), "−1 … +1"), rows)


def _topics(topics: Sequence[MoodTrend], language: str) -> str:
    say = _say(language)
    rows = [_point_row(trend.whole, trend.name.of(language), say("few")) for trend in topics if trend.whole]
    columns = (say("topic"), say("negative"), say("interval"), "", say("conversations"))
    return table(columns, rows, words=4)


def _point_row(point: MoodPoint, name: str, few: str) -> tuple[str, str, str, str, str]:
    if point.negative is None:
        return (name, few, "", "", "")
    low, high = f"{point.negative.low:.0%}", f"{point.negative.high:.0%}"
    return (name, f"{point.negative.value:.0%}", f"{low}–{high}", _bar(point.negative), f"{point.conversations:,}")


def _bar(share: Estimate) -> str:
    filled, upper = round(share.value * _WIDTH), round(share.high * _WIDTH)
    return "━" * filled + "─" * (upper - filled)


def _scale(mood: Estimate) -> str:
    """From −1 to 1: the interval as ─, the value as ●, the middle as │."""
    places = {name: round((getattr(mood, name) + 1) / 2 * _WIDTH) for name in ("low", "value", "high")}
    line = ["─" if places["low"] <= place <= places["high"] else " " for place in range(_WIDTH + 1)]
    line[_WIDTH // 2] = "│"
    line[places["value"]] = "●"
    return "".join(line)


def _signed(mood: Estimate) -> str:
    return f"{mood.low:+.2f}–{mood.high:+.2f}"


def _needs(needs: Sequence[NeedShare], language: str) -> str:
    """One row a need, one column a period: the last six."""
    periods: list[date] = sorted({need.begins for need in needs})[-6:]
    shares = {(need.need, need.begins): need.share for need in needs}
    rows = []
    for name in sorted({need.need for need in needs}):
        cells = [shares.get((name, period)) for period in periods]
        rows.append((name, *(f"{cell.value:.0%}" if cell else "·" for cell in cells)))
    columns = (_say(language)("need"), *(f"{period:%m-%d}" for period in periods))
    return table(columns, rows, words=1) if rows else ""


def _funnel(funnel: Funnel, language: str) -> str:
    say = _say(language)
    if funnel.stages is None:
        return ""
    rows = [
        (s.name.of(language), "" if s.stage is Stage.INQUIRY else _share(s.rate), f"{s.reached:,}", f"{s.through:,}")
        for s in funnel.stages
    ]
    text = table((say("stage"), say("rate"), say("reached"), say("through")), rows, words=2)
    if funnel.rating is not None:
        text += f"{say('rating')} {funnel.rating:.2f} ({funnel.rated:,}) · {say('opened')} {funnel.opened:,}\n"
    return text


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.0%} ({estimate.low:.0%}–{estimate.high:.0%})"


def _say(language: str) -> Callable[[str], str]:
    """Words in one language."""
    return lambda word: _WORDS[word].of(language)
