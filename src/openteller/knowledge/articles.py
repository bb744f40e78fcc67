"""Question-answer articles in YAML: a list of entries, each in Chinese and English, to documents.

    - id: card-lost
      category: cards
      title: {zh: …, en: …}
      questions: {zh: […], en: […]}
      answer: {zh: …, en: …}
      # optional: intent, audience, products, valid_from, valid_to, supersedes (the id of the older version)

Document ids are ``<id>:zh`` and ``<id>:en``; the id itself is the group. Knows nothing about the store.
"""

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from openteller.core.errors import BadInput, NotFound, UnreadableFile
from openteller.core.records import Audience, Record
from openteller.core.yaml_text import read_yaml
from openteller.knowledge.readers.plain_text import decode
from openteller.knowledge.records import Document, DocumentLanguage

MEDIA_TYPE = "application/yaml"
_LANGUAGES: tuple[DocumentLanguage, ...] = ("zh", "en")


class _Twin(Record):
    zh: str
    en: str

    def __getitem__(self, language: DocumentLanguage) -> str:
        return self.zh if language == "zh" else self.en


class _Questions(Record):
    zh: tuple[str, ...] = Field(min_length=1)
    en: tuple[str, ...] = Field(min_length=1)

    def __getitem__(self, language: DocumentLanguage) -> tuple[str, ...]:
        return self.zh if language == "zh" else self.en


class _Article(Record):
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    category: str
    intent: str | None = None
    audience: Audience = Audience.PUBLIC
    valid_from: date | None = None
    valid_to: date | None = None
    supersedes: str | None = None
    products: tuple[str, ...] = ()
    title: _Twin
    questions: _Questions
    answer: _Twin

    def documents(self, source: str) -> tuple[Document, ...]:
        return tuple(self._document(language, source) for language in _LANGUAGES)

    def _document(self, language: DocumentLanguage, source: str) -> Document:
        return Document(
            document_id=f"{self.id}:{language}",
            title=self.title[language],
            language=language,
            group_id=self.id,
            audience=self.audience,
            category=self.category,
            intent=self.intent,
            products=self.products,
            source_uri=f"{source}#{self.id}",
            media_type=MEDIA_TYPE,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            supersedes=f"{self.supersedes}:{language}" if self.supersedes else None,
            answer=self.answer[language],
            questions=self.questions[language],
        )


def read_articles(path: Path) -> tuple[Document, ...]:
    """The documents of one YAML file, or of every ``*.yaml`` in a directory, superseded versions included.

    Raises:
        NotFound: there is no such file, or no YAML file in the directory.
        UnreadableFile: a file is not YAML.
        BadInput: an article is incomplete, two have one id, or one supersedes an article that is not there.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise NotFound(f"There are no articles at {path.name!r}.", next_step="Give a YAML file or a directory of them.")
    articles: dict[str, tuple[_Article, str]] = {}
    for file in files:
        for article in _read(file):
            if article.id in articles:
                raise BadInput(
                    f"Two articles are named {article.id!r}, in {articles[article.id][1]} and {file.name}.",
                    next_step="Rename one of them.",
                )
            articles[article.id] = article, file.name
    for article, name in articles.values():
        if article.supersedes and article.supersedes not in articles:
            raise BadInput(
                f"The article {article.id!r} in {name} supersedes {article.supersedes!r}, which is not there.",
                next_step="Correct `supersedes`, or leave it out.",
            )
    return tuple(document for article, name in articles.values() for document in article.documents(name))


def _read(file: Path) -> list[_Article]:
    try:
        content = read_yaml(decode(file.read_bytes(), file.name))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFile(
            f"The file {file.name!r} is not YAML.", cause=f"{error}.", next_step="Mend it at the place named."
        ) from error
    if not isinstance(content, list):
        raise BadInput(
            f"The file {file.name!r} is not a list of articles.", next_step="Begin each article with “- id:”."
        )
    return [_article(entry, file.name) for entry in content]


def _article(entry: Any, name: str) -> _Article:
    try:
        return _Article.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        label = entry.get("id", "without an id") if isinstance(entry, dict) else "that is no mapping"
        raise BadInput(
            f"The article {label!r} in {name} cannot be used.",
            cause=f"{place}: {first['msg']}.",
            next_step="Correct it and load the file again.",
        ) from error
