"""The analysis of a survey as a report in Chinese or English: what came out, how sure it is, and where it stands.

Knows nothing about how a report is drawn, or where the answers came from.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from openteller.core.clock import local_date, local_text
from openteller.core.records import LocalText
from openteller.insights.reports.drawing import Tone
from openteller.insights.reports.plots import Bar, Part, Point, Spot, bars, field, shares, trend
from openteller.insights.reports.records import (
    Block,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Period,
    Plot,
    Quote,
    Report,
    ReportLanguage,
    Section,
    Source,
    Table,
)
from openteller.insights.surveys.analysis import Analysis, FollowUp
from openteller.insights.surveys.aspects import aspects
from openteller.insights.surveys.figures import Figure, Summary
from openteller.insights.surveys.records import Answer, Kind, Question, Survey
from openteller.insights.surveys.themes import Theme

_SHOWN_THEMES, _SHOWN_FOLLOW_UP, _SHOWN_GROUPS = 10, 50, 15


def report(
    survey: Survey,
    analysis: Analysis,
    answers: Sequence[Answer],
    *,
    language: ReportLanguage,
    bank: LocalText,
    zone: str,
    made_at: datetime,
) -> Report:
    """The report of an analysis of these answers, which must be one or more."""
    writer = _Writer(survey, analysis, answers, language, zone)
    days = [local_date(answer.answered_at, zone) for answer in answers]
    return Report(
        title=survey.title.of(language),
        language=language,
        bank=bank.of(language),
        period=Period(first=min(days), last=max(days)),
        made_at=made_at,
        timezone=zone,
        lead=writer.lead(),
        sections=tuple(section for section in writer.sections() if section.blocks),
    )


class _Writer:
    """Writes the sections in one language."""

    def __init__(
        self,
        survey: Survey,
        analysis: Analysis,
        answers: Sequence[Answer],
        language: ReportLanguage,
        zone: str,
    ) -> None:
        self._survey, self._found, self._language, self._zone = survey, analysis, language, zone
        self._answers = {answer.id: answer for answer in answers}

    def lead(self) -> str:
        """What came out, in a sentence."""
        found, say = self._found, self._say
        main = next((one for one in found.summaries if one.question == getattr(self._survey.outcome, "id", None)), None)
        counted = say(f"共 {found.answers:,} 份答卷", f"{found.answers:,} answer{'s' if found.answers > 1 else ''}")
        if main is None:
            return f"{counted}{say('。', '.')}"
        name, value = self._measure(main.question), self._value(main.question, main.main)
        sure = self._interval(main.question, main.main)
        return say(f"{counted}；{name} {value}，95% 区间 {sure}。", f"{counted}; {name} {value}, 95 % interval {sure}.")

    def sections(self) -> tuple[Section, ...]:
        """All sections; one without blocks has nothing to tell."""
        say = self._say
        return (
            Section(title=say("结果", "Results"), blocks=self._results()),
            Section(title=say("趋势", "Month by month"), blocks=self._trend()),
            Section(title=say("分组比较", "By group"), blocks=self._groups()),
            Section(title=say("主要主题", "What customers speak of"), blocks=self._themes()),
            Section(title=say("各方面的评价", "How they feel about it"), blocks=self._aspects()),
            Section(title=say("影响满意度的因素", "What drives it"), blocks=self._drivers()),
            Section(title=say("回访名单", "Whom to call back"), blocks=self._follow_up()),
            Section(title=say("数据与方法", "Data and method"), blocks=self._method()),
        )

    def _results(self) -> tuple[Block, ...]:
        figures = tuple(
            KeyFigure(
                label=self._measure(one.question),
                value=self._value(one.question, one.main),
                note=f"{self._interval(one.question, one.main)} · n = {one.main.answers:,}",
            )
            for one in self._found.summaries
        )
        blocks: list[Block] = [KeyFigures(figures=figures)] if figures else []
        blocks += [plot for one in self._found.summaries for plot in self._spread(one)]
        blocks += [self._choice(one.question, one.answers, one.counts) for one in self._found.choices if one.answers]
        return tuple(blocks)

    def _spread(self, one: Summary) -> tuple[Block, ...]:
        """How often each number was answered."""
        question, n = self._question(one.question), one.main.answers
        title = question.text.of(self._language)
        if one.promotion:
            say, found = self._say, one.promotion
            parts = (
                Part(say("推荐者 9–10", "promoters 9–10"), found.promoters / n, Tone.GOOD),
                Part(say("被动者 7–8", "passives 7–8"), found.passives / n, Tone.MIDDLE),
                Part(say("贬损者 0–6", "detractors 0–6"), found.detractors / n, Tone.BAD),
            )
            return (Plot(drawing=shares([("NPS", parts)], title), note=title),)
        rows = [Bar(str(number), count, f"{count:,} · {count / n:.0%}") for number, count in one.counts.items()]
        return (Plot(drawing=bars(rows, title), note=f"{title} · {self._say('均值', 'mean')} {one.mean.value:.2f}"),)

    def _choice(self, question_id: str, answers: int, counts: dict[str, int]) -> Block:
        question = self._question(question_id)
        names = {option.id: option.text.of(self._language) for option in question.options}
        rows = [
            Bar(names[name], count, f"{count:,} · {count / answers:.0%}")
            for name, count in sorted(counts.items(), key=lambda item: -item[1])
        ]
        title = question.text.of(self._language)
        return Plot(drawing=bars(rows, title), note=f"{title} · n = {answers:,}")

    def _trend(self) -> tuple[Block, ...]:
        months, outcome = self._found.months, self._survey.outcome
        if outcome is None or len(months) < 2:
            return ()
        scale = 1 if outcome.kind is Kind.NPS else 100
        points = [
            Point(
                one.month, one.figure.value * scale, *(end and end * scale for end in (one.figure.low, one.figure.high))
            )
            for one in months
        ]
        head = (self._say("月份", "month"), self._measure(outcome.id), self._say("95% 区间", "95 % interval"), "n")
        rows = tuple(
            (
                one.month,
                self._value(outcome.id, one.figure),
                self._interval(outcome.id, one.figure),
                f"{one.figure.answers:,}",
            )
            for one in months
        )
        title = f"{self._measure(outcome.id)} {self._say('按月', 'by month')}"
        return (Plot(drawing=trend(points, title), note=title), Table(head=head, rows=rows))

    def _groups(self) -> tuple[Block, ...]:
        outcome, blocks = self._survey.outcome, list[Block]()
        if outcome is None:
            return ()
        scale = 1 if outcome.kind is Kind.NPS else 100
        for group in self._survey.groups:
            found = [one for one in self._found.groups if one.group == group.id][:_SHOWN_GROUPS]
            rows = [
                Bar(
                    one.value,
                    one.figure.value * scale,
                    f"{self._value(outcome.id, one.figure)} · n = {one.figure.answers:,}",
                    None if one.figure.low is None else one.figure.low * scale,
                    None if one.figure.high is None else one.figure.high * scale,
                )
                for one in found
            ]
            title = f"{self._measure(outcome.id)} · {group.text.of(self._language)}"
            if rows:
                blocks.append(Plot(drawing=bars(rows, title), note=title))
        return tuple(blocks)

    def _themes(self) -> tuple[Block, ...]:
        found, say = self._found.themes[:_SHOWN_THEMES], self._say
        if not found:
            return ()
        head = (
            say("主题", "theme"),
            say("答卷", "answers"),
            say("占比", "share"),
            say("褒", "praise"),
            say("贬", "blame"),
        )
        rows = tuple(
            (
                one.name.of(self._language),
                f"{one.answers:,}",
                f"{one.answers / self._found.texts:.0%}",
                f"{one.good / one.sentences:.0%}",
                f"{one.bad / one.sentences:.0%}",
            )
            for one in found
        )
        blocks: list[Block] = [Table(head=head, rows=rows)]
        for theme in found:
            blocks += self._quotes(theme)
        return tuple(blocks)

    def _quotes(self, theme: Theme) -> list[Block]:
        head: Block = Paragraph(text=theme.name.of(self._language))
        quotes: list[Block] = [Quote(text=one.text, sources=(self._source(one.answer),)) for one in theme.quotes]
        return [head, *quotes] if quotes else []

    def _aspects(self) -> tuple[Block, ...]:
        found, say = self._found.aspects, self._say
        if not found:
            return ()
        names = (say("褒", "praise"), say("中性", "neutral"), say("贬", "blame"))
        tones = (Tone.GOOD, Tone.MIDDLE, Tone.BAD)
        rows = []
        for one in found:
            counts = (one.good, one.neutral, one.bad)
            parts = [Part(name, n / sum(counts), tone) for name, n, tone in zip(names, counts, tones, strict=True)]
            rows.append((f"{aspects()[one.aspect].name.of(self._language)} ({one.answers:,})", parts))
        title = say("按方面的评价，括号内为提及的答卷数", "feeling by aspect, with the answers that name it")
        note = say(
            "按分句和词表判断，不识反语。",
            "Told by clauses and word lists; irony is not understood.",
        )
        return (Plot(drawing=shares(rows, title), note=title), Paragraph(text=note, note=True))

    def _drivers(self) -> tuple[Block, ...]:
        found, outcome, say = self._found.drivers, self._survey.outcome, self._say
        if found is None or outcome is None:
            return ()
        names = {one.question: self._question(one.question).text.of(self._language) for one in found.drivers}
        rows = [Bar(names[one.question], one.share, f"{one.share:.0%}") for one in found.drivers]
        spots = []
        for one in found.drivers:
            low, high = self._question(one.question).ends
            level = (one.mean - low) / (high - low)
            spots.append(Spot(names[one.question], one.share, level, Tone.BAD if level < 0.5 else Tone.MAIN))
        title = say("各因素所占的解释份额", "share of what is accounted for")
        place = say(
            "重要而评分低的在右下方，最值得改进", "important and rated low stands lower right: improve that first"
        )
        text = say(
            f"这些问题合计解释了总体评价差异的 {found.r2:.0%}（{found.answers:,} 份完整答卷）。相关不等于因果。",
            f"Together these questions account for {found.r2:.0%} of how the outcome varies ({found.answers:,} complete answers). Association, not cause.",
        )
        axes = (say("重要性", "importance"), say("评分水平", "rating"))
        blocks: list[Block] = [Paragraph(text=text), Plot(drawing=bars(rows, title), note=title)]
        if len(spots) > 1:
            blocks.append(Plot(drawing=field(spots, place, axes), note=place))
        return tuple(blocks)

    def _follow_up(self) -> tuple[Block, ...]:
        found, say = self._found.follow_up, self._say
        if not found:
            return ()
        head = (
            say("答卷", "answer"),
            say("日期", "date"),
            say("客户", "customer"),
            say("原话", "words"),
            say("评分", "score"),
        )
        rows = tuple(self._call(one) for one in found[:_SHOWN_FOLLOW_UP])
        text = say(
            f"{len(found):,} 位评分低且同意回访的客户，最严重的在前。",
            f"{len(found):,} who scored low and agreed to be called back, the worst first.",
        )
        return (Paragraph(text=text), Table(head=head, rows=rows, numbers=4))

    def _call(self, one: FollowUp) -> tuple[str, ...]:
        when = local_text(one.answered_at, self._zone)[:10]
        return (str(one.answer)[:8], when, one.customer_id or "–", one.worst, str(one.score))

    def _method(self) -> tuple[Block, ...]:
        found, say = self._found, self._say
        languages = ", ".join(f"{name} {count:,}" for name, count in found.languages.items())
        head = (say("问题", "question"), say("未作答", "left out"), say("占比", "share"))
        rows = tuple(
            (self._question(name).text.of(self._language), f"{n:,}", f"{n / found.answers:.0%}")
            for name, n in found.missing.items()
        )
        text = say(
            "NPS 区间：Bonett 与 Price（2012）；比例区间：Wilson（1927）；均值区间：t 分布。主题按词义聚类，名称取自其中突出的词；引文均为答卷原句，个人信息已掩码。因素份额为线性回归 R² 的 Shapley 值。",
            "NPS intervals by Bonett & Price (2012), shares by Wilson (1927), means by Student's t. Themes group sentences by the meaning of their words and are named by words that stand out; quotes stand in the answers as they are, personal data masked. Shares of drivers are Shapley values of R².",
        )
        return (
            Paragraph(text=say(f"语言：{languages}。", f"Languages: {languages}.")),
            Table(head=head, rows=rows),
            Paragraph(text=text, note=True),
        )

    def _source(self, answer_id: UUID) -> Source:
        answer = self._answers[answer_id]
        score = answer.score(self._survey.outcome) if self._survey.outcome else None
        parts = [local_text(answer.answered_at, self._zone)[:10], f"{self._say('答卷', 'answer')} {str(answer_id)[:8]}"]
        parts += [] if score is None else [f"{self._say('评分', 'score')} {score}"]
        return Source(text=" · ".join(parts), url=f"/console/surveys/{self._survey.name}?answer={answer_id}")

    def _question(self, question_id: str) -> Question:
        found = self._survey.question(question_id)
        assert found is not None  # an analysis names the questions of its survey alone
        return found

    def _measure(self, question_id: str) -> str:
        return measure(self._survey, self._question(question_id), self._language)

    def _value(self, question_id: str, figure: Figure) -> str:
        return written(self._question(question_id).kind, figure.value)

    def _interval(self, question_id: str, figure: Figure) -> str:
        return interval(self._question(question_id).kind, figure)

    def _say(self, zh: str, en: str) -> str:
        return zh if self._language == "zh" else en


def measure(survey: Survey, question: Question, language: str) -> str:
    """What a question measures, as NPS; with its text where several of the survey measure the same."""
    names = {Kind.NPS: "NPS", Kind.CSAT: "CSAT", Kind.CES: "CES"}
    text = question.text.of(language)
    known = names.get(question.kind)
    only = sum(other.kind is question.kind for other in survey.questions) == 1
    return known if known and only else f"{known} · {text}" if known else text


def interval(kind: Kind, figure: Figure) -> str:
    """The interval of 95 % of a main figure, as ``[+3.1, +12.4]``."""
    if figure.low is None or figure.high is None:
        return "–"
    return f"[{written(kind, figure.low)}, {written(kind, figure.high)}]"


def written(kind: Kind, value: float) -> str:
    """A main figure: NPS in points, CSAT and CES as a share, a scale's mean as it is."""
    if kind is Kind.NPS:
        return f"{value:+.1f}"
    return f"{value:.2f}" if kind is Kind.SCALE else f"{value:.1%}"
