"""Rows to question-answer pairs: what a column is called, and what its values may look like.

The names are those of QnABot sheets and exports and what people write over such columns in Chinese and English.
Knows nothing about file formats.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from openteller.core.errors import BadInput
from openteller.core.records import Audience
from openteller.core.text import fold
from openteller.knowledge.readers.reading import Pair
from openteller.knowledge.records import MAX_QUESTION_CHARACTERS, DocumentLanguage, Problem, clean

_SEPARATOR = re.compile(r"[\n|｜]+")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ].*)?$")


class Field(StrEnum):
    """What a column holds."""

    KEY = "key"
    QUESTIONS = "questions"
    ANSWER = "answer"
    TITLE = "title"
    CATEGORY = "category"
    INTENT = "intent"
    AUDIENCE = "audience"
    LANGUAGE = "language"
    PRODUCTS = "products"
    VALID_FROM = "valid_from"
    VALID_TO = "valid_to"


# Compared folded, without spaces, marks and a number at the end (question1, question2, …).
_NAMES: dict[Field, str] = {
    Field.KEY: "id qid key no number 编号 序号 标识",
    Field.QUESTIONS: "question questions q similarquestions variants utterances phrasings 问题 问句 提问 问 标准问 "
    "标准问题 相似问 相似问题 相似问法 问法 扩展问 常见问题 客户问题 用户问题",
    Field.ANSWER: "answer answers a reply response 答案 回答 答复 答 回复 标准答案 解答",
    Field.TITLE: "title cardtitle subject heading 标题 题目 主题",
    Field.CATEGORY: "category topic type tag section 类别 分类 类目 类型 栏目 业务分类",
    Field.INTENT: "intent 意图",
    Field.AUDIENCE: "audience access visibility 受众 可见范围 权限 读者",
    Field.LANGUAGE: "language lang locale 语言 语种",
    Field.PRODUCTS: "product products productid productids 产品 关联产品 产品编号",
    Field.VALID_FROM: "validfrom startdate effectivefrom effectivedate 生效日期 生效日 起始日期 开始日期",
    Field.VALID_TO: "validto validuntil enddate expirydate effectiveto 失效日期 到期日 有效期至 截止日期 结束日期",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}

_AUDIENCES = {
    **{audience.value: audience for audience in Audience},
    "公开": Audience.PUBLIC,
    "所有人": Audience.PUBLIC,
    "客户": Audience.CUSTOMER,
    "员工": Audience.STAFF,
    "内部": Audience.STAFF,
    "internal": Audience.STAFF,
}
_LANGUAGES: dict[str, DocumentLanguage] = {"zh": "zh", "中": "zh", "chi": "zh", "en": "en", "英": "en"}


def field_of(header: object) -> Field | None:
    """What a column with this header holds; None when the name is not known."""
    name = re.sub(r"[\s_\-.:：/()（）\[\]#*?]+", "", fold(str(header or "")))
    return _FIELDS.get(name) or _FIELDS.get(re.sub(r"\d+$", "", name))


def fields_of(headers: Iterable[object]) -> dict[int, Field]:
    """Column number (from 0) → what it holds, for the columns that are known."""
    known = ((number, field_of(header)) for number, header in enumerate(headers))
    return {number: field for number, field in known if field}


def is_header(fields: Mapping[int, Field]) -> bool:
    """Whether a row of headers names both questions and answers."""
    return {Field.QUESTIONS, Field.ANSWER} <= set(fields.values())


def pair_of(values: Mapping[Field, list[Any]], key: str = "") -> Pair:
    """One row as a pair.

    Args:
        values: the row's cells by what they hold; empty ones may be missing.
        key: its key when the row has none; empty: made from the first question.

    Raises:
        BadInput: the question or the answer is missing, or a value cannot be read.
    """
    questions = _questions(values.get(Field.QUESTIONS, []))
    answer = "\n".join(filter(None, map(_text, values.get(Field.ANSWER, []))))
    if not questions:
        raise BadInput("The question is missing.")
    if not answer:
        raise BadInput("The answer is missing.")
    own = _one(values, Field.KEY)
    products = _one(values, Field.PRODUCTS)
    return Pair(
        key=own or key or hashlib.sha256(fold(questions[0]).encode()).hexdigest()[:12],
        questions=questions,
        answer=answer,
        title=_one(values, Field.TITLE),
        category=_one(values, Field.CATEGORY),
        intent=_one(values, Field.INTENT),
        audience=_audience(_one(values, Field.AUDIENCE)),
        language=_language(_one(values, Field.LANGUAGE)),
        products=tuple(re.split(r"[\s,;|、，；]+", products)) if products else None,
        valid_from=_date(values.get(Field.VALID_FROM, [])),
        valid_to=_date(values.get(Field.VALID_TO, [])),
    )


class Collector:
    """Gathers pairs and what was wrong with the rows that gave none.

    Attributes:
        rows_seen: for the reader to count, over all sheets of a file.
    """

    def __init__(self) -> None:
        self.rows_seen = 0
        self.pairs: list[Pair] = []
        self.problems: list[Problem] = []
        self._rows: dict[str, int] = {}

    def add(self, row: int, values: Mapping[Field, list[Any]], key: str = "") -> None:
        """Take the row numbered `row`; an unusable one becomes a problem, a repeated key gets the row number."""
        try:
            pair = pair_of(values, key)
        except BadInput as error:
            self.problems.append(Problem(row=row, message=str(error)))
            return
        if pair.key in self._rows:
            message = f"The id or first question is that of row {self._rows[pair.key]}; both are kept."
            self.problems.append(Problem(row=row, message=message))
            pair = pair.model_copy(update={"key": f"{pair.key}-row{row}"})
        self._rows[pair.key] = row
        self.pairs.append(pair)


def _questions(cells: Iterable[Any]) -> tuple[str, ...]:
    texts = (clean(part) for cell in cells if cell is not None for part in _SEPARATOR.split(clean(str(cell))))
    found = tuple(dict.fromkeys(text for text in texts if text))
    if any(len(text) > MAX_QUESTION_CHARACTERS for text in found):
        raise BadInput(f"A question is longer than {MAX_QUESTION_CHARACTERS:,} characters.")
    return found


def _text(value: Any) -> str:
    # A whole number in a spreadsheet is a float: an id 12 is not "12.0".
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else clean(str(value))


def _one(values: Mapping[Field, list[Any]], field: Field) -> str | None:
    return next(filter(None, map(_text, values.get(field, []))), None)


def _audience(value: str | None) -> Audience | None:
    if value is None:
        return None
    audience = _AUDIENCES.get(fold(value))
    if audience is None:
        # An unknown label must not open a document to everybody.
        raise BadInput(f"The audience {value!r} is not known.", next_step="Write public, customer or staff.")
    return audience


def _language(value: str | None) -> DocumentLanguage | None:
    if value is None:
        return None
    folded = fold(value)
    language = _LANGUAGES.get(folded[:2]) or _LANGUAGES.get(folded[:1]) or _LANGUAGES.get(folded[:3])
    if language is None:
        raise BadInput(f"The language {value!r} is not known.", next_step="Write zh or en.")
    return language


def _date(cells: Iterable[Any]) -> date | None:
    value = next((cell for cell in cells if cell not in (None, "")), None)
    if value is None:
        return None
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    match = _DATE.match(clean(str(value)))
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass  # a 30 February: said below
    raise BadInput(f"{value!r} is not a date.", next_step="Write it like 2026-01-31.")
