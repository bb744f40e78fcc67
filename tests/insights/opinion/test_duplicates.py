"""Near-duplicates on a planted set, and a window that stays bounded. benchmarks/opinion.py counts on a larger set."""

from datetime import timedelta

from openteller.insights.opinion.duplicates import DuplicateWindow
from tests.insights.opinion.given import NOON

NEWS = (
    "央行今日开展千亿元逆回购操作,利率维持不变,市场流动性合理充裕,机构预计月末资金面平稳",
    "The central bank kept its key rate unchanged on Thursday and said growth was in line with its forecast",
    "某市地铁六号线延长线将于年底通车,沿线设站十二座,居民出行更加方便",
)


def test_small_changes_are_the_same_and_other_news_is_not() -> None:
    window = DuplicateWindow()
    for number, words in enumerate(NEWS):
        assert window.find(words) is None
        window.add(number, words, NOON)
    assert window.find("快讯|" + NEWS[0] + "(记者 李明)") == 0
    assert window.find(NEWS[1].upper().replace(" on Thursday", "")) == 1
    assert window.find(NEWS[2].replace(",", ",").replace("更加", "更")) == 2
    assert window.find("地铁六号线年底通车,房价会涨吗?中介这样说") is None


def test_the_same_words_with_other_figures_are_other_news() -> None:
    window = DuplicateWindow()
    window.add(1, "平台每日数据报告:今日成交额为712.00万元,较上一个工作日减少117.26万元", NOON)
    assert window.find("平台每日数据报告:今日成交额为829.26万元,较上一个工作日减少12.01万元") is None


def test_what_is_too_old_or_too_much_is_forgotten() -> None:
    window = DuplicateWindow(size=2, hours=1)
    for number, words in enumerate(NEWS):
        window.add(number, words, NOON)
    assert len(window) == 2
    assert window.find(NEWS[0]) is None
    window.add(9, "别的新闻", NOON + timedelta(hours=2))
    assert len(window) == 1
