from datetime import date
from pathlib import Path

import pytest

from openteller.core.errors import BadInput, NotFound, UnreadableFile
from openteller.core.records import Audience
from openteller.knowledge.articles import read_articles

ARTICLE = """
- id: card-lost
  category: cards
  intent: card_lost_stolen
  audience: staff
  valid_from: 2026-01-01
  valid_to: 2026-12-31
  supersedes: card-lost-2025
  products: [CARD-DEBIT]
  title: {zh: 卡丢了怎么办, en: What to do when a card is lost}
  questions: {zh: [挂失, 卡被偷了], en: [lost card]}
  answer:
    zh: |
      请马上挂失，补卡{{CARD-DEBIT.fee.replacement}}。
    en: Report it at once.
"""
OLDER = ARTICLE.replace("id: card-lost", "id: card-lost-2025").replace("  supersedes: card-lost-2025\n", "")


def test_an_article_becomes_two_documents_of_one_group(tmp_path: Path) -> None:
    (tmp_path / "cards.yaml").write_text(ARTICLE + OLDER, encoding="utf-8")
    documents = read_articles(tmp_path)
    assert [d.document_id for d in documents] == [
        "card-lost:zh",
        "card-lost:en",
        "card-lost-2025:zh",
        "card-lost-2025:en",
    ]
    chinese, english = documents[:2]
    assert chinese.group_id == english.group_id == "card-lost"
    assert chinese.answer == "请马上挂失，补卡{{CARD-DEBIT.fee.replacement}}。"
    assert english.questions == ("lost card",)
    assert (chinese.supersedes, english.supersedes) == ("card-lost-2025:zh", "card-lost-2025:en")
    assert chinese.audience is Audience.STAFF
    assert (chinese.valid_from, chinese.valid_to) == (date(2026, 1, 1), date(2026, 12, 31))
    assert chinese.products == ("CARD-DEBIT",)
    assert chinese.source_uri == "cards.yaml#card-lost"


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (ARTICLE, BadInput, "supersedes 'card-lost-2025', which is not there"),
        (OLDER + OLDER, BadInput, "Two articles are named 'card-lost-2025'"),
        (OLDER.replace("  category: cards\n", ""), BadInput, "'card-lost-2025' in cards.yaml cannot be used. category"),
        (OLDER.replace("audience: staff", "audience: everyone"), BadInput, "audience"),
        (OLDER.replace("en: What to", "en: What, then, to"), BadInput, "title"),
        ("id: card-lost", BadInput, "not a list"),
        ("- id: [", UnreadableFile, "not YAML"),
        ("- !!python/object/apply:os.system ['true']", UnreadableFile, "not YAML"),
    ],
)
def test_a_faulty_article_is_named(tmp_path: Path, content: str, error: type[Exception], words: str) -> None:
    file = tmp_path / "cards.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(error) as caught:
        read_articles(file)
    assert words in str(caught.value)


def test_no_articles(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_articles(tmp_path)
