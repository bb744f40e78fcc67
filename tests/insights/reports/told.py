"""A report with every kind of block, in both languages."""

from datetime import UTC, date, datetime

from openteller.insights.reports.drawing import Tone
from openteller.insights.reports.plots import Bar, Part, Point, Spot, bars, field, shares, trend
from openteller.insights.reports.records import (
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

QUOTE = {"zh": '等了四十分钟才轮到我 <b>太久了</b>,"急"。', "en": "I waited <b>forty</b> minutes & nobody came."}


def a_report(language: ReportLanguage = "en") -> Report:
    def say(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    drawings = [
        bars([Bar(say("排队等候", "queueing in the branch"), -12.5, "-12.5", -18, -7, Tone.BAD), Bar("app", 8, "8.0", 2, 14)], say("影响", "effect")),
        shares([("NPS", [Part(say("推荐者", "promoters"), 0.5, Tone.GOOD), Part(say("被动者", "passives"), 0.2, Tone.MIDDLE), Part(say("贬损者", "detractors"), 0.3, Tone.BAD)])], "NPS"),
        trend([Point(f"2026-{m:02}", v, v - 9, v + 9) for m, v in enumerate((12.0, 20.5, 8.0, -4.0, 15.0, 30.0, 28.0, 26.0, 31.0, 40.0), 1)], say("趋势", "trend")),
        field([Spot(say("手续费", "fees"), 0.4, 2.8, Tone.BAD), Spot(say("客服", "service"), 0.25, 4.2), Spot("app", 0.1, 3.9)], say("驱动", "drivers"), (say("重要性", "importance"), say("满意度", "satisfaction"))),
    ]  # fmt: skip
    rows = tuple((say(f"主题{n}", f"theme number {n}"), f"{n * 7}", f"{n}.0 %") for n in range(1, 40))
    sections = (
        Section(
            title=say("结果", "Results"),
            blocks=(
                KeyFigures(figures=(KeyFigure(label="NPS", value="+20", note="[+12, +28]"), KeyFigure(label="CSAT", value="71.0 %", note="n = 1,204"))),
                Paragraph(text=say("净推荐值比上月高八个点,主要因为排队时间缩短。" * 4, "The score rose by eight points, mostly because queues became shorter. " * 4), sources=(Source(text="C. Wilson, 1927", url="https://example.org/wilson"),)),
                Paragraph(text=say("区间为95%。", "Intervals are of 95 %."), note=True),
                *(Plot(drawing=d, note=say("说明", "a note")) for d in drawings),
            ),
        ),
        Section(
            title=say("主题", "Themes"),
            blocks=(
                Quote(text=QUOTE[language], sources=(Source(text=say("2026-05-03 · 答卷 17", "2026-05-03 · answer 17"), url="/console/surveys/service?answer=17"),)),
                Table(caption=say("全部主题", "all themes"), head=(say("主题", "theme"), say("人数", "people"), say("占比", "share")), rows=rows),
            ),
        ),
    )  # fmt: skip
    return Report(
        title=say("网点服务满意度调查", "How satisfied customers are with the branch"),
        language=language,
        bank=say("云杉银行", "Spruce Bank"),
        period=Period(first=date(2026, 1, 1), last=date(2026, 10, 31)),
        made_at=datetime(2026, 11, 1, 1, 2, tzinfo=UTC),
        timezone="Asia/Shanghai",
        lead=say("一千二百人作答;净推荐值 +20。", "1,204 people answered; the net promoter score is +20."),
        sections=sections,
    )
