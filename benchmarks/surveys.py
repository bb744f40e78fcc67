"""How long a survey of 10,000 answers takes from file to report, and how well clauses are understood.

    python benchmarks/surveys.py [--rows 10000] [--seed 20260201]      # times of import, analysis, HTML and PDF
    python benchmarks/surveys.py --aspects                             # aspects and feelings on sentences written here

The file is put together from two parts, one in UTF-8 and one in GB 18030, has missing cells, Chinese, English and mixed
answers, stray marks and rows that cannot be used. The store is an embedded server in a directory of its own.
"""

import argparse
import csv
import io
import json
import random
import tempfile
import time
from pathlib import Path

import yaml

from openteller.assembly import Application
from openteller.core.clock import utc_now
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.reports import html, pdf
from openteller.insights.surveys import authoring
from openteller.insights.surveys.aspects import aspects_of, feeling, heard_in
from openteller.insights.surveys.reporting import report
from openteller.settings import Settings

HERE = Path(__file__).parent
SENTENCES = HERE / "surveys_sentences.yaml"
SURVEY = HERE.parent / "src/openteller/demo/bank/surveys/service.yaml"
ANALYST = Principal(subject="benchmark", role=Role.ANALYST)
SIGNS = {"+": 1, "-": -1, "0": 0}
OPENINGS = [
    "",
    "上个月去的时候，",
    "说实话，",
    "第{n}次来办业务，",
    "昨天在{n}号网点，",
    "等了{n}分钟才发现，",
    "我爸妈也说，",
]
ENGLISH_OPENINGS = [
    "",
    "Honestly, ",
    "Last month: ",
    "Visit number {n}. ",
    "After {n} years with you: ",
    "My wife agrees. ",
]
BRANCHES = ["人民路", "高新区", "Harbour", "老城", "大学城", "机场"]


def sentences() -> list[tuple[str, str, int, str]]:
    """(aspect, language, feeling, text) of every sentence."""
    found = yaml.safe_load(SENTENCES.read_text("utf-8"))
    return [
        (aspect, language, SIGNS[mood], text)
        for aspect, both in found.items()
        for language, lines in both.items()
        for mood, text in lines
    ]


def file_of(rows: int, seed: int) -> tuple[bytes, int]:
    """A CSV file in two encodings, and how many of its rows cannot be used."""
    chance, pool, bad = random.Random(seed), sentences(), 0
    header = ["编号", "提交时间", "recommend", "satisfied", "easy", "price", "reason", "words", "网点", "可回访"]
    parts = [_line(header).encode()]
    for number in range(rows):
        row, faulty = _row(number, chance, pool)
        bad += faulty
        encoding = "gb18030" if number % 3 == 0 else "utf-8"
        line = _line(row).encode(encoding)
        if number % 997 == 500:  # a stroke of a broken disk: bytes that are no character
            line, bad = line[:-2] + b"\xff\xfe" + line[-2:], bad + (not faulty)
        parts.append(line)
    return b"".join(parts), bad


def _row(number: int, chance: random.Random, pool: list[tuple[str, str, int, str]]) -> tuple[list[str], bool]:
    said = chance.sample(pool, chance.choice([0, 1, 1, 2, 2, 3]))
    mood = sum(one[2] for one in said) + chance.gauss(0.4, 1.2)
    score = min(max(round(6.5 + 2.2 * mood), 0), 10)
    faulty = number % 199 == 3

    def missing(value: object) -> str:
        return chance.choice(["", "", "N/A", "-", "未填"]) if chance.random() < 0.12 else str(value)

    text = ""
    for _, language, _, sentence in said:
        opening = chance.choice(OPENINGS if language == "zh" else ENGLISH_OPENINGS).format(n=chance.randint(1, 40))
        text += opening + sentence + chance.choice(["。", "！", ". ", "\n"] if language == "zh" else [". ", "! ", "\n"])
    satisfied = min(max(round(3 + 0.6 * mood + chance.gauss(0, 0.7)), 1), 5)
    easy = min(max(round(4 + 0.8 * mood + chance.gauss(0, 1.2)), 1), 7)
    day = f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02} {chance.randint(8, 20):02}:15"
    return [
        str(number),
        day,
        "很想推荐" if faulty else chance.choice([str(score), f"{score}分", f" {score} "]),
        missing(satisfied),
        missing(easy),
        missing(chance.randint(1, 5)),
        missing(chance.choice(["账户和存款", "cards", "loan", "理财", "其他"])),
        text if chance.random() > 0.15 else "",
        missing(chance.choice(BRANCHES)),
        chance.choice(["是", "否", ""]),
    ], faulty


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def times(rows: int, seed: int) -> dict[str, float | int]:
    """Seconds of each step, and what came of it."""
    data, bad = file_of(rows, seed)
    done: dict[str, float | int] = {"rows": rows, "megabytes": round(len(data) / 1e6, 2), "unusable rows": bad}
    with tempfile.TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as directory:
        application = Application(Settings(data_dir=Path(directory), dev=True))
        application.surveys.create(ANALYST, authoring.read(SURVEY.read_bytes(), SURVEY.name))
        started, busy = (begun := time.perf_counter()), time.process_time()
        result = application.surveys.import_file(ANALYST, "service", data, "answers.csv", skip_bad=True)
        done |= {"import s": _since(begun), "added": result.added, "left out": len(result.faults)}
        begun = time.perf_counter()
        survey, found, answers = application.surveys.analyse(ANALYST, "service")
        done |= {"analysis s": _since(begun), "themes": len(found.themes), "answers with text": found.texts}
        begun, bank = time.perf_counter(), LocalText(zh="松湾银行", en="Pinebay Bank")
        zone = application.settings.timezone
        told = report(survey, found, answers, language="zh", bank=bank, zone=zone, made_at=utc_now())
        page, paper = html.page(told), pdf.document(told)
        done |= {"report s": _since(begun), "page kB": len(page) // 1000, "paper kB": len(paper) // 1000}
        done |= {"in all s": _since(started), "processor s": round(time.process_time() - busy, 1)}
        said = {answer.id: str(answer.values.get("words", "")) for answer in answers}
        quotes = [quote for theme in found.themes for quote in theme.quotes]
        done |= {"quotes": len(quotes), "quotes found": sum(quote.text in said[quote.answer] for quote in quotes)}
        for theme in found.themes:
            print(f"{theme.answers:6,} {theme.name.zh} | {theme.name.en}")
        application.close()
    return done


def _since(begun: float) -> float:
    return round(time.perf_counter() - begun, 1)


def understanding() -> dict[str, float | int]:
    """How often the aspect is among those found, and how often the feeling is right, over the sentences."""
    found = sentences()
    named = sum(aspect in aspects_of(text) for aspect, _, _, text in found)
    felt = {
        language: [_felt(text) == mood for _, one, mood, text in found if one == language] for language in ("zh", "en")
    }
    wrong_side = sum(_felt(text) == -mood != 0 for _, _, mood, text in found)
    return {
        "sentences": len(found),
        "aspect found": round(named / len(found), 3),
        "feeling right zh": round(sum(felt["zh"]) / len(felt["zh"]), 3),
        "feeling right en": round(sum(felt["en"]) / len(felt["en"]), 3),
        "praise for blame or the reverse": round(wrong_side / len(found), 3),
    }


def _felt(text: str) -> int:
    """The feeling of a sentence: that of its clauses together."""
    felt = [one for feelings in heard_in(text).values() for one in feelings] or [feeling(text)]
    total = sum(felt)
    return (total > 0) - (total < 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20260201)
    parser.add_argument("--aspects", action="store_true")
    parser.add_argument("--write", type=Path, help="write the file, and do nothing else")
    given = parser.parse_args()
    if given.write:
        given.write.write_bytes(file_of(given.rows, given.seed)[0])
    else:
        print(
            json.dumps(
                understanding() if given.aspects else times(given.rows, given.seed), ensure_ascii=False, indent=2
            )
        )
