"""What a survey's answers say, drawn: figures, trend, groups, themes with quotes, aspects, drivers, whom to call back.

Knows nothing about the desk, or how anything is counted.
"""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from nicegui import ui

from openteller.core.records import LocalText
from openteller.insights.surveys.analysis import Analysis
from openteller.insights.surveys.aspects import aspects
from openteller.insights.surveys.records import Answer, Kind, Question, Survey
from openteller.insights.surveys.reporting import interval, measure, written
from openteller.insights.surveys.themes import Theme
from openteller.serving.console.page import Visit
from openteller.serving.console.parts import chart, figures, section, table

Call = Callable[[UUID], Awaitable[None]]
_CHANNELS = {
    "link": LocalText(zh="链接", en="link"),
    "widget": LocalText(zh="网页", en="web"),
    "import": LocalText(zh="导入", en="import"),
    "staff": LocalText(zh="员工", en="staff"),
}


def analysed(visit: Visit, survey: Survey, found: Analysis, answers: Sequence[Answer], *, call: Call) -> None:
    """The analysis of answers to a survey; `call` is called with the answer of which more is wanted."""
    _results(visit, survey, found)
    if survey.outcome:
        _trend(visit, survey.outcome, survey, found)
        _groups(visit, survey.outcome, survey, found)
    _themes(visit, found, {answer.id: answer for answer in answers}, call)
    _aspects(visit, found)
    _drivers(visit, survey, found)
    _follow_up(visit, found, call)


def said(visit: Visit, survey: Survey, answer: Answer) -> None:
    """One answer, question by question."""
    say = visit.say
    whose = answer.customer_id or say("匿名", "nobody's")
    channel = visit.of(_CHANNELS[answer.channel])
    contact = say(" · 同意回访", " · may be called back") if answer.contact else ""
    ui.label(f"{visit.local(answer.answered_at)} · {whose} · {channel}{contact}").classes("note")
    for question in survey.questions:
        if question.id in answer.values:
            ui.label(visit.of(question.text)).classes("note")
            ui.label(_value(visit, question, answer)).classes("text strong")


def _value(visit: Visit, question: Question, answer: Answer) -> str:
    value = answer.values[question.id]
    names = {option.id: visit.of(option.text) for option in question.options}
    if isinstance(value, tuple):
        return visit.say("、", ", ").join(names.get(one, one) for one in value)
    return names.get(value, value) if isinstance(value, str) else str(value)


def _results(visit: Visit, survey: Survey, found: Analysis) -> None:
    say = visit.say
    items = [
        (
            say("答卷", "Answers"),
            f"{found.answers:,}",
            say(f"其中有文字 {found.texts:,}", f"{found.texts:,} with words"),
        )
    ]
    for one in found.summaries:
        question = _question(survey, one.question)
        remark = f"{interval(question.kind, one.main)} · n\u00a0=\u00a0{one.main.answers:,}"
        items.append((measure(survey, question, visit.language), written(question.kind, one.main.value), remark))
    note = say("方括号内为 95% 区间。", "The interval of 95 % in brackets.")
    with section(say("结果", "Results"), note):
        figures(items)
        for one in found.summaries:
            if one.question == getattr(survey.outcome, "id", None):
                ui.label(visit.of(_question(survey, one.question).text)).classes("strong")
                counts = {say("答卷", "answers"): [float(count) for count in one.counts.values()]}
                chart(visit, f"{found.survey}-{one.question}", [str(number) for number in one.counts], counts)
        for choice in found.choices:
            if choice.answers:
                question = _question(survey, choice.question)
                ui.label(visit.of(question.text)).classes("strong")
                names = [visit.of(option.text) for option in question.options]
                taken = {say("答卷", "answers"): [float(choice.counts[option.id]) for option in question.options]}
                chart(visit, f"{found.survey}-{question.id}", names, taken, across=True)


def _trend(visit: Visit, outcome: Question, survey: Survey, found: Analysis) -> None:
    if len(found.months) < 2:
        return
    with section(visit.say("趋势", "Month by month")):
        names = [one.month for one in found.months]
        series: dict[str, list[float | None]] = {
            measure(survey, outcome, visit.language): [one.figure.value for one in found.months],
            visit.say("区间下限", "interval, low"): [one.figure.low for one in found.months],
            visit.say("区间上限", "interval, high"): [one.figure.high for one in found.months],
        }
        shares = outcome.kind is not Kind.NPS
        chart(visit, f"{found.survey}-months", names, series, kind="line", percent=shares)


def _groups(visit: Visit, outcome: Question, survey: Survey, found: Analysis) -> None:
    for group in survey.groups:
        of = [one for one in found.groups if one.group == group.id]
        if of:
            with section(visit.say(f"按{visit.of(group.text)}比较", f"By {visit.of(group.text)}")):
                columns = [("value", visit.of(group.text)), ("figure", measure(survey, outcome, visit.language)),
                           ("interval", visit.say("95% 区间", "95 % interval")), ("n", "n")]  # fmt: skip
                rows = [
                    {"value": one.value, "figure": written(outcome.kind, one.figure.value),
                     "interval": interval(outcome.kind, one.figure), "n": f"{one.figure.answers:,}"}
                    for one in of
                ]  # fmt: skip
                table(visit, columns, rows, numbers=("figure", "interval", "n"), file=f"{found.survey}-{group.id}")


def _themes(visit: Visit, found: Analysis, answers: dict[UUID, Answer], call: Call) -> None:
    say = visit.say
    note = say(
        "引文均为答卷原句，点一句看整份答卷。",
        "Quotes stand in the answers as they are; press one for the whole answer.",
    )
    with section(say("主要主题", "What customers speak of"), note if found.themes else ""):
        if not found.themes:
            text = say("文字太少，还看不出主题。", "Too few words yet for themes.")
            ui.label(text).classes("note")
            return
        columns = [("theme", say("主题", "Theme")), ("answers", say("答卷", "Answers")), ("share", say("占比", "Share")),
                   ("good", say("褒", "Praise")), ("bad", say("贬", "Blame"))]  # fmt: skip
        rows = [
            {"theme": visit.of(one.name), "answers": f"{one.answers:,}", "share": f"{one.answers / found.texts:.0%}",
             "good": f"{one.good / one.sentences:.0%}", "bad": f"{one.bad / one.sentences:.0%}"}
            for one in found.themes
        ]  # fmt: skip
        table(visit, columns, rows, numbers=("answers", "share", "good", "bad"), file=f"{found.survey}-themes")
        for theme in found.themes:
            _quotes(visit, theme, answers, call)


def _quotes(visit: Visit, theme: Theme, answers: dict[UUID, Answer], call: Call) -> None:
    with ui.expansion(f"{visit.of(theme.name)} · {theme.answers:,}").classes("full"):
        for quote in theme.quotes:
            with ui.element("button").classes("listed").on("click", lambda q=quote: call(q.answer)):
                ui.label(f"“{quote.text}”").classes("text")
                ui.label(visit.local(answers[quote.answer].answered_at)).classes("note")


def _aspects(visit: Visit, found: Analysis) -> None:
    if not found.aspects:
        return
    say = visit.say
    note = say("按分句和词表判断，不识反语。", "Told by clauses and word lists; irony is not understood.")
    with section(say("各方面的评价", "How they feel about it"), note):
        names = [f"{visit.of(aspects()[one.aspect].name)} ({one.answers:,})" for one in found.aspects]
        series = {
            say("褒", "praise"): [float(one.good) for one in found.aspects],
            say("中性", "neutral"): [float(one.neutral) for one in found.aspects],
            say("贬", "blame"): [float(one.bad) for one in found.aspects],
        }
        chart(visit, f"{found.survey}-aspects", names, series, stacked=True, across=True)


def _drivers(visit: Visit, survey: Survey, found: Analysis) -> None:
    drivers, say = found.drivers, visit.say
    if drivers is None:
        return
    text = say(
        f"这些问题合计解释了总体评价差异的 {drivers.r2:.0%}（{drivers.answers:,} 份完整答卷）。相关不等于因果。",
        f"Together these questions account for {drivers.r2:.0%} of how the outcome varies"
        f" ({drivers.answers:,} complete answers). Association, not cause.",
    )
    with section(say("影响满意度的因素", "What drives it"), text):
        names = [visit.of(_question(survey, one.question).text) for one in drivers.drivers]
        shares = {say("解释份额", "share"): [one.share for one in drivers.drivers]}
        chart(visit, f"{found.survey}-drivers", names, shares, percent=True, across=True)


def _follow_up(visit: Visit, found: Analysis, call: Call) -> None:
    say = visit.say
    note = say("评分低且同意回访的客户，最严重的在前；点一行看整份答卷。",
               "Who scored low and agreed to be called back, the worst first; press a row for the whole answer.")  # fmt: skip
    with section(say("回访名单", "Whom to call back"), note):
        columns = [("at", say("时间", "When")), ("customer", say("客户", "Customer")), ("score", say("评分", "Score")),
                   ("words", say("原话", "Words"))]  # fmt: skip
        rows = [
            {"id": str(one.answer), "at": visit.local(one.answered_at), "customer": one.customer_id or "–",
             "score": str(one.score), "words": one.worst}
            for one in found.follow_up
        ]  # fmt: skip
        table(visit, columns, rows, numbers=("score",), on_row=lambda row: call(UUID(row["id"])),
              file=f"{found.survey}-follow-up" if rows else "")  # fmt: skip


def _question(survey: Survey, question_id: str) -> Question:
    found = survey.question(question_id)
    assert found is not None  # an analysis names the questions of its survey alone
    return found
