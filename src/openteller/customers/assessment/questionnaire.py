"""The investor questionnaire as records, read from questionnaire.yaml: questions, points, caps and contradictions.

Our own wording; the areas are those that 金融机构产品适当性管理办法 (NFRA Order [2025] No. 7) and
证券期货投资者适当性管理办法 ask about: finances, experience, knowledge, horizon, tolerance of loss, goals.
Knows nothing about who answers, or what a class may buy.
"""

from functools import cache
from importlib.resources import files

from pydantic import Field, model_validator

from openteller.core.records import InvestorClass, LocalText, Record
from openteller.core.yaml_text import read_yaml


class Option(Record):
    """One answer. `cap` is the highest class it allows, whatever the points say."""

    id: str
    points: int = Field(ge=0)
    cap: InvestorClass | None = None
    text: LocalText


class Question(Record):
    """One question, of which one option is chosen."""

    id: str
    area: str
    text: LocalText
    options: tuple[Option, ...] = Field(min_length=2)

    def option(self, option_id: str) -> Option | None:
        """The option of this id."""
        return next((option for option in self.options if option.id == option_id), None)


class AgePoints(Record):
    """Points from an age on."""

    from_age: int = Field(ge=0)
    points: int = Field(ge=0)


class Contradiction(Record):
    """Answers that hardly go together: question id → options, one of each given."""

    code: str
    given: dict[str, tuple[str, ...]] = Field(min_length=2)
    text: LocalText


class Questionnaire(Record):
    """The whole: `classes` says from how many percent of the points a class begins."""

    version: str
    classes: dict[InvestorClass, int]
    ages: tuple[AgePoints, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    conflicts: tuple[Contradiction, ...] = ()

    def question(self, question_id: str) -> Question | None:
        """The question of this id."""
        return next((question for question in self.questions if question.id == question_id), None)

    @property
    def most_points(self) -> int:
        """What the boldest answers at the best age add up to."""
        return max(age.points for age in self.ages) + sum(max(o.points for o in q.options) for q in self.questions)

    @model_validator(mode="after")
    def _consistent(self) -> "Questionnaire":
        for conflict in self.conflicts:
            for question_id, options in conflict.given.items():
                question = self.question(question_id)
                if question is None or not all(question.option(option) for option in options):
                    raise ValueError(f"the contradiction {conflict.code} names what is not asked: {question_id}")
        bounds = [self.classes[each] for each in InvestorClass if each is not InvestorClass.C1]
        if bounds != sorted(set(bounds)):
            raise ValueError("the bounds of the classes do not rise")
        return self


@cache
def questionnaire() -> Questionnaire:
    """The questionnaire that is in use."""
    text = files(__package__).joinpath("questionnaire.yaml").read_text(encoding="utf-8")
    return Questionnaire.model_validate(read_yaml(text))
