"""Reading out: what a bank writes is said as its staff would say it, and no figure is ever left as a sign."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.core.errors import BadInput
from openteller.voice.aloud import aloud, sentences_aloud
from openteller.voice.aloud.pieces import MAX_HAN

CHINESE = [
    ("余额¥12,345.67", "余额一万两千三百四十五元六角七分"),
    ("￥0.05、¥2、200元、¥12.05、¥100.00", "五分、两元、两百元、十二元零五分、一百元"),
    ("利率3.25%，-0.5%，1.5‰", "利率百分之三点二五，负百分之零点五，千分之一点五"),
    ("3%-5%、60%～70%", "百分之三到百分之五、百分之六十到百分之七十"),
    ("2026-11-23 14:30", "二零二六年十一月二十三日十四点三十分"),
    ("2026年11月23日9:00-17:00", "二零二六年十一月二十三日九点到十七点"),
    ("3–5个工作日，1,000-5,000元", "三到五个工作日，一千到五千元"),
    ("拨打95588或400-800-1234", "拨打九五五八八或四零零，八零零，幺二三四"),
    ("手机13800138000", "手机幺三八，零零幺三，八零零零"),
    ("尾号6688的卡，尾号****1234", "尾号六六八八的卡，尾号一二三四"),
    ("卡号6222 **** **** 1234", "卡号六二二二，尾号一二三四"),
    ("HKD 100，USD 1,234.50，€2，2.5万元", "一百港元，一千两百三十四点五美元，两欧元，二点五万元"),
    ("R3级产品适合C3以上", "R三级产品适合C三以上"),
    ("第2条，2年期，2月2日，2个月，22笔", "第二条，两年期，二月二日，两个月，二十二笔"),
    ("7x24小时，2/3，100m²，25bp", "七乘二十四小时，三分之二，一百平方米，二十五个基点"),
    ("2.5元/笔，LPR-20BP", "两元五角每笔，LPR减二十个基点"),
    ("发邮件到service@pinebay.com", "发邮件到 service 艾特 pinebay 点 com"),
    ("**重要**：请勿泄露密码！😀", "重要：请勿泄露密码！"),
    ("- 打开APP\n- 点击“转账”（限额5万元）", "打开APP。点击转账，限额五万元"),
    ("1. 登录\n2. 转账", "一，登录。二，转账"),
    ("12345678901234567", "一二三四，五六七八，九零一二，三四五六，七"),
    ("1亿2千万，007，净值1.0235", "一亿两千万，零零七，净值一点零二三五"),
]
ENGLISH = [
    ("¥12,345.67", "twelve thousand three hundred and forty-five point six seven yuan"),
    ("$1,234.50, $1 and £0.01", "one thousand two hundred and thirty-four dollars and fifty cents, one dollar and one penny"),
    ("$1.5 million, €2k, 500 CNY", "one point five million dollars, two thousand euros, five hundred yuan"),
    ("3.25% p.a., 3-5%", "three point two five percent per annum, three to five percent"),
    ("on 2026-11-23", "on November twenty-third, twenty twenty-six"),
    ("Nov 5, 11/23/2026, 23 November 2026", "November fifth, November twenty-third, twenty twenty-six, November twenty-third, twenty twenty-six"),
    ("in 1999, since 2005", "in nineteen ninety-nine, since two thousand and five"),
    ("Open 9:00-17:00, 2:30 PM", "Open nine o'clock to five PM, two thirty PM"),
    ("Call 95588 or 13800138000.", "Call nine five five eight eight or one three eight, zero zero one three, eight zero zero zero."),
    ("card ending in 6688", "card ending in six six eight eight"),
    ("card 6222 **** **** 1234", "card six two two two, ending in one two three four"),
    ("3–5 business days, 21st, 100th", "three to five business days, twenty-first, one hundredth"),
    ("25 bps, R3, 24/7, 24-hour, 1990s", "twenty-five basis points, R three, twenty-four seven, twenty-four-hour, nineteen nineties"),
    ("e.g. No. 5 vs. approx. 3 km", "for example number five versus approximately three kilometres"),
    ("Our 3年期定期存款 pays 2.6%", "Our 三年期定期存款 pays two point six percent"),
    ("1. Open the app\n2. Tap \"Transfer\" (limit $50,000)", "one, Open the app. two, Tap Transfer, limit fifty thousand dollars"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "spoken"), CHINESE)
def test_chinese(written: str, spoken: str) -> None:
    assert aloud(written, "zh") == spoken


@pytest.mark.parametrize(("written", "spoken"), ENGLISH)
def test_english(written: str, spoken: str) -> None:
    assert aloud(written, "en") == spoken


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("nothing", ["", "  \n", "😀", "---", "**", "。。。"])
def test_what_says_nothing_is_silent(nothing: str, language: str) -> None:
    assert aloud(nothing, language) == ""
    assert sentences_aloud(nothing, language) == []


def test_another_language_is_refused() -> None:
    with pytest.raises(BadInput):
        aloud("hallo", "de")


_BANKISH = st.text(
    "0123456789.,-–:/%¥$€ ()*#+年月日元万个第尾号卡ABRxyzkm@。，：\n|~^²①½٣'’\"‰°&<>=_[]一二三点百分之", max_size=50
)
_LANGUAGES = st.sampled_from(["zh", "en"])


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=60), _BANKISH), _LANGUAGES)
def test_no_sign_is_left_and_what_is_spoken_stays(text: str, language: str) -> None:
    spoken = aloud(text, language)
    left = [c for c in spoken if unicodedata.category(c) in ("Nd", "Nl", "No", "Sc") or c in "%‰"]
    assert not left, spoken
    assert aloud(spoken, language) == spoken


_PARTS = [
    "余额为￥1,234.56元，", "请您", "办理", "the card ", "is fine. ", "2026-11-23", "1. ", "\n", "🙂", "手机银行", "——",
    "Mr. ", "AAAAAAAAAA", "12345678901234567890", "，", "。",
]  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.one_of(_BANKISH, st.lists(st.sampled_from(_PARTS), max_size=80).map("".join)), _LANGUAGES)
def test_pieces_are_short_and_their_writing_joins_to_the_text(text: str, language: str) -> None:
    pairs = sentences_aloud(text, language)
    assert "".join(written for written, _ in pairs) == (text if aloud(text, language) else "")
    for _, spoken in pairs:
        han = sum("一" <= c <= "鿿" for c in spoken)
        assert spoken
        assert han <= MAX_HAN
        assert len(spoken.split()) <= MAX_HAN


def test_sentences_and_list_lines_are_read_one_by_one() -> None:
    text = "办理步骤：\n1. 登录手机银行\n2. 选择转账，限额5万元。😀\n\n如有疑问请拨打95588。"
    assert sentences_aloud(text, "zh") == [
        ("办理步骤：\n", "办理步骤"),
        ("1. 登录手机银行\n", "一，登录手机银行"),
        ("2. 选择转账，限额5万元。😀\n\n", "二，选择转账，限额五万元。"),
        ("如有疑问请拨打95588。", "如有疑问请拨打九五五八八。"),
    ]


def test_a_title_does_not_end_a_sentence() -> None:
    assert [written for written, _ in sentences_aloud("Ask Mr. Wang. He knows.", "en")] == [
        "Ask Mr. Wang. ",
        "He knows.",
    ]


def test_a_long_sentence_is_cut_at_its_commas() -> None:
    text = "您可以在手机银行、网上银行或任一网点办理这项业务，办理时请带好本人有效身份证件和银行卡，若由他人代办还需要代办人的身份证件，工作人员会当面核对。"
    pairs = sentences_aloud(text, "zh")
    assert len(pairs) == 2
    assert all(written.endswith(("，", "。")) for written, _ in pairs)
