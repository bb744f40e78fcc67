"""Answers from a CSV or XLSX file: columns by name, cells as people leave them, rows that cannot be used named by number.

    bytes ─▶ rows with their line numbers ─▶ columns ─▶ answers and faults

A column is found by its question's id or text in either language, or by a mapping. An answer's key is the row's own id, or
its contents and how often they have occurred: the same file imported again adds nothing. Knows nothing about the store.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile
from zoneinfo import ZoneInfo

from openteller.core.clock import utc_now
from openteller.core.encodings import decoded_by_line
from openteller.core.errors import BadInput, OpenTellerError, TooLarge, UnreadableFile
from openteller.core.records import Record
from openteller.core.text import fold, normalise
from openteller.insights.surveys.answering import checked, is_missing
from openteller.insights.surveys.records import Given, Kind, Survey
from openteller.insights.surveys.texts import language_of

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
_MAX_UNPACKED = 512 * 1024 * 1024
_MAX_COLUMNS = 300
_KEY, _AT, _CUSTOMER, _CONTACT = "key", "answered_at", "customer_id", "contact"
# Compared folded and without spaces and marks.
_RESERVED: dict[str, str] = {
    _KEY: "key id responseid answerid 编号 序号 答卷编号",
    _AT: "answeredat date time datetime timestamp submittedat createdat 时间 日期 提交时间 作答时间 答题时间 填写时间",
    _CUSTOMER: "customerid customer 客户号 客户编号",
    _CONTACT: "contact contactok maycontact callback 可回访 是否同意回访 同意回访 愿意回访",
}
_NAMES = {name: field for field, names in _RESERVED.items() for name in names.split()}
_YES = frozenset(("yes", "y", "true", "1", "是", "同意", "愿意", "可以", "√", "✓"))
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?.*)?"
)


class Fault(Record):
    """A row that cannot be used, or a cell that had to be read with a repair."""

    line: int
    message: str


class Imported(Record):
    """What a file held."""

    answers: tuple[Given, ...]
    faults: tuple[Fault, ...]
    columns: dict[str, str]
    ignored: tuple[str, ...]


class Progress(NamedTuple):
    """What an import came to. `known`: answers that were there before."""

    added: int
    known: int
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]


def read(
    data: bytes,
    name: str,
    survey: Survey,
    *,
    zone: str,
    redact: Callable[[str], str],
    columns: Mapping[str, str] | None = None,
) -> Imported:
    """The answers in a file.

    Args:
        data: CSV in UTF-8, UTF-16, GB 18030 or Big5, or parts of UTF-8 and GB 18030 in one; or XLSX.
        name: the file's name, whose ending tells which.
        survey: what was asked.
        zone: IANA zone of moments that name none.
        redact: drops secrets from a text and masks personal data in it.
        columns: header → question, group or reserved name (key, answered_at, customer_id, contact), for headers that are
            not found by themselves.

    Raises:
        TooLarge: over 64 MiB or 200,000 rows.
        UnreadableFile: neither CSV nor XLSX.
        BadInput: no column belongs to a question, two belong to one, or the mapping names what there is not.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{name} has {len(data) // 1024**2} MiB.", cause="At most 64 are read.", next_step="Split it.")
    rows, unreadable = _xlsx(data, name) if name.lower().endswith(".xlsx") else _csv(data, name)
    header = next(rows, None)
    if header is None:
        raise BadInput(f"{name} is empty.", next_step="Its first row names the columns.")
    found, ignored = _columns(header[1], survey, columns or {})
    answers, faults, seen = list[Given](), list[Fault](), Counter[str]()
    now = utc_now()
    for line, cells in rows:
        if all(is_missing(_plain(cell)) for cell in cells):
            continue
        if len(answers) + len(faults) >= MAX_ROWS:
            raise TooLarge(f"{name} has more than {MAX_ROWS:,} rows.", next_step="Split it.")
        try:
            if unreadable & set(range(line[0], line[1] + 1)):
                raise BadInput("Its bytes are neither UTF-8 nor GB 18030.", next_step="Save the file as UTF-8.")
            row = {target: cells[place] for place, target in found.items() if place < len(cells)}
            answers.append(_given(row, survey, zone, redact, seen, now))
        except BadInput as error:
            faults.append(Fault(line=line[0], message=str(error)))
    taken = {str(header[1][place]): target for place, target in found.items()}
    return Imported(answers=tuple(answers), faults=tuple(faults), columns=taken, ignored=ignored)


_Rows = Iterator[tuple[tuple[int, int], Sequence[Any]]]


def _csv(data: bytes, name: str) -> tuple[_Rows, set[int]]:
    """Rows with the first and the last line that they stand on, and the lines that are not text."""
    read_text = decoded_by_line(data)
    if read_text is None:
        raise UnreadableFile(f"{name} is not text.", cause="It is binary.", next_step="Save it as CSV (UTF-8) or XLSX.")
    text, faulty = read_text
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)

    def rows() -> _Rows:
        reader = csv.reader(io.StringIO(text), delimiter=mark)
        begin = 1
        try:
            for cells in reader:
                yield (begin, reader.line_num), cells
                begin = reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFile(
                f"{name} cannot be read as CSV from line {begin} on.", cause=f"{error}.", next_step="Save it as XLSX."
            ) from error

    return rows(), set(faulty)


def _xlsx(data: bytes, name: str) -> tuple[_Rows, set[int]]:
    """The rows of a workbook's first sheet, formulas by their last value."""
    import openpyxl

    step = "Open it in Excel and save it again as XLSX, or as CSV."
    try:
        with ZipFile(io.BytesIO(data)) as packed:
            if sum(member.file_size for member in packed.infolist()) > _MAX_UNPACKED:
                raise TooLarge(f"{name} unpacks to more than 512 MiB.", next_step="Split it.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        cells = list(sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS, max_row=MAX_ROWS + 2))
        book.close()
    except OpenTellerError:
        raise
    except BadZipFile as error:
        raise UnreadableFile(f"{name} is no Excel workbook.", cause=f"{error}.", next_step=step) from error
    # The package raises whatever its parts raise on a malformed workbook.
    except Exception as error:
        raise UnreadableFile(f"{name} cannot be read.", cause=f"It is damaged ({error}).", next_step=step) from error
    return (((number, number), row) for number, row in enumerate(cells, 1)), set()


def _columns(
    header: Sequence[Any], survey: Survey, mapping: Mapping[str, str]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Place of a column → what it holds, and the headers that hold nothing we know."""
    names = _known_names(survey)
    targets = set(names.values())
    mapped = {_bare(column): target for column, target in mapping.items()}
    headers = [_bare(_plain(cell)) for cell in header[:_MAX_COLUMNS]]
    for column, target in mapping.items():
        if target not in targets or _bare(column) not in headers:
            what = f"The file has no column {column!r}" if target in targets else f"The survey has no {target!r}"
            raise BadInput(f"{what}.", next_step=f"Columns go to: {', '.join(sorted(targets))}.")
    found: dict[int, str] = {}
    for place, bare in enumerate(headers):
        holds = mapped.get(bare) or names.get(bare)
        if holds is None:
            continue
        if holds in found.values():
            raise BadInput(f"Two columns hold {holds}.", next_step="Rename one of them.")
        found[place] = holds
    if not any(survey.question(target) for target in found.values()):
        asked = ", ".join(question.id for question in survey.questions)
        raise BadInput(
            "No column belongs to a question.", next_step=f"Name columns {asked}, or map them: --map COLUMN=QUESTION."
        )
    ignored = tuple(str(header[place]) for place, bare in enumerate(headers) if place not in found and bare)
    return found, ignored


def _known_names(survey: Survey) -> dict[str, str]:
    names = dict(_NAMES)
    asked = [(thing.id, thing.text) for thing in survey.groups] + [(thing.id, thing.text) for thing in survey.questions]
    for name, text in asked:
        names |= {_bare(written): name for written in (name, text.zh, text.en)}
    return names


def _given(
    row: Mapping[str, Any],
    survey: Survey,
    zone: str,
    redact: Callable[[str], str],
    seen: Counter[str],
    now: datetime,
) -> Given:
    raw = {question.id: _plain(row.get(question.id)) for question in survey.questions}
    values = checked(survey, raw, redact)
    groups = {
        group.id: normalise(str(_plain(row[group.id])))[:100]
        for group in survey.groups
        if not is_missing(_plain(row.get(group.id)))
    }
    texts = [str(values[q.id]) for q in survey.questions if q.kind is Kind.TEXT and q.id in values]
    customer = _plain(row.get(_CUSTOMER))
    return Given(
        values=values,
        groups=groups,
        key=_key(row, seen),
        channel="import",
        language=language_of(" ".join(texts)),
        answered_at=_moment(row.get(_AT), zone) or now,
        customer_id=None if is_missing(customer) else normalise(str(customer))[:64],
        contact=fold(str(_plain(row.get(_CONTACT)) or "")) in _YES,
    )


def _key(row: Mapping[str, Any], seen: Counter[str]) -> str:
    """The row's own id; else a digest of what it says and how many such rows came before it in the file."""
    own = _plain(row.get(_KEY))
    if not is_missing(own):
        key = f"id:{normalise(str(own))[:100]}"
        seen[key] += 1
        if seen[key] > 1:
            raise BadInput(f"The id {key[3:]!r} stands in a row before.", next_step="Give each row an id of its own.")
        return key
    said = hashlib.sha256(repr(sorted((name, str(_plain(cell))) for name, cell in row.items())).encode()).hexdigest()
    seen[said] += 1
    return f"row:{said[:40]}:{seen[said]}"


def _moment(cell: Any, zone: str) -> datetime | None:
    """The moment that a cell names; None for an empty one."""
    if is_missing(_plain(cell)):
        return None
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=ZoneInfo(zone))
    if isinstance(cell, date):
        return datetime.combine(cell, time(12), ZoneInfo(zone))
    text = normalise(str(cell))
    try:
        found = _DATE.fullmatch(text)
        if found:
            year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
            clock = time(hour or 0, minute or 0, second or 0) if hour is not None else time(12)
            return datetime.combine(date(year or 0, month or 0, day or 0), clock, ZoneInfo(zone))
    except ValueError:
        pass  # a 30 February: said below
    raise BadInput(f"{text[:40]!r} is no date.", next_step="Write it like 2026-01-31 09:30.")


def _plain(cell: Any) -> Any:
    """A cell without the marks of its format: 9.0 in a spreadsheet is 9, text is normalised."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return normalise(cell) if isinstance(cell, str) else cell


def _bare(name: object) -> str:
    return re.sub(r"[\s_\-.:：/()（）\[\]#*?？。!！,，]+", "", fold(str(name if name is not None else "")))


def batches(answers: Sequence[Given], size: int = 500) -> Iterable[Sequence[Given]]:
    """The answers in pieces that are stored whole: what was stored stays when an import is stopped."""
    return (answers[first : first + size] for first in range(0, len(answers), size))
