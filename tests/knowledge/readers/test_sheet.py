from datetime import date, datetime

import pytest

from openteller.core.errors import BadInput, TooLarge, UnreadableFile
from openteller.core.records import Audience
from openteller.knowledge.readers import sheet
from openteller.knowledge.readers.pairs import Field, field_of

from .. import files


def test_a_qnabot_workbook() -> None:
    data = files.workbook(
        faq=[
            ["QnABot import", None],
            ["qid", "question1", "question2", "answer", "topic", "cardtitle"],
            [7.0, "怎么挂失？\n卡丢了", "lost card|stolen", "请致电客服。", "cards", "挂失"],
            ["q2", "限额", None, None, "cards", None],
            [None, None, None, None, None, None],
        ],
        notes=[["nothing", "here"]],
    )
    reading = sheet.read_xlsx(data, "a.xlsx")
    (pair,) = reading.pairs
    assert pair.key == "7"
    assert pair.questions == ("怎么挂失？", "卡丢了", "lost card", "stolen")
    assert (pair.answer, pair.title, pair.category) == ("请致电客服。", "挂失", "cards")
    assert [(p.row, p.message) for p in reading.problems] == [(4, "The answer is missing.")]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("问题", Field.QUESTIONS),
        (" Question(s) ", Field.QUESTIONS),
        ("問題 1", Field.QUESTIONS),
        ("相似问法", Field.QUESTIONS),
        ("标准答案", Field.ANSWER),
        ("ANSWER:", Field.ANSWER),
        ("Valid_From", Field.VALID_FROM),
        ("备注", None),
        (None, None),
    ],
)
def test_header_names_are_forgiving(header: object, field: Field | None) -> None:
    assert field_of(header) is field


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_in_every_encoding(encoding: str, mark: str) -> None:
    text = f'問題{mark}答案{mark}類別\r\n"什麼是網路銀行？|網銀"{mark}"透過網路辦理, 免費;\n全天候"{mark}數位\r\n'
    (pair,) = sheet.read_csv(text.encode(encoding), "a.csv").pairs
    assert pair.questions == ("什麼是網路銀行？", "網銀")
    assert pair.answer == "透過網路辦理, 免費;\n全天候"
    assert pair.category == "數位"


def test_labels_and_dates_of_a_row() -> None:
    rows = [
        ["question", "answer", "audience", "language", "products", "valid from", "valid to"],
        ["a", "1", "内部", "English", "TD-CNY, CARD", datetime(2026, 1, 31), "2026年12月1日"],
        ["b", "2", "Public", "中文", None, date(2026, 2, 1), None],
        ["c", "3", "everyone", None, None, None, None],
        ["d", "4", None, None, None, "2026-02-30", None],
    ]
    reading = sheet.read_xlsx(files.workbook(a=rows), "a.xlsx")
    one, two = reading.pairs
    assert (one.audience, one.language, one.products) == (Audience.STAFF, "en", ("TD-CNY", "CARD"))
    assert (one.valid_from, one.valid_to) == (date(2026, 1, 31), date(2026, 12, 1))
    assert (two.audience, two.language, two.valid_from) == (Audience.PUBLIC, "zh", date(2026, 2, 1))
    assert [p.row for p in reading.problems] == [4, 5]


def test_a_key_made_from_the_question_is_stable_and_repeats_are_kept() -> None:
    one = sheet.read_csv(b"question,answer\nLost card,a\nlimits,b\n", "a.csv")
    two = sheet.read_csv(b"question,answer\nlimits,c\nLOST CARD,d\nlost card,e\n", "a.csv")
    assert one.pairs[0].key == two.pairs[1].key
    assert two.pairs[2].key == f"{one.pairs[0].key}-row4"
    assert "row 3" in two.problems[0].message


def test_a_sheet_without_questions_and_answers_is_refused() -> None:
    with pytest.raises(UnreadableFile) as caught:
        sheet.read_csv(b"name,age\nx,1\n", "a.csv")
    assert "问题 and 答案" in caught.value.next_step
    with pytest.raises(BadInput) as none:
        sheet.read_csv(b"question,answer\nx,\n,y\n", "a.csv")
    assert "The answer is missing." in str(none.value)


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_ROWS", 5)
    rows = [["question", "answer"], ["a", "b"], ["c", "d"]]
    with pytest.raises(TooLarge):
        sheet.read_xlsx(files.workbook(one=rows, two=rows), "a.xlsx")


def test_a_cell_too_large_for_csv_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        sheet.read_csv(b"question,answer\nx," + b"y" * 200_000, "a.csv")
