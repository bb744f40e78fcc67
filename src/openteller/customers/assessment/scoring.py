"""From answers to a class: checked, contradictions found, points added, caps applied. Pure; every step has its reason.

A bolder answer never lowers the class, and no points lift it over a cap: who can bear no loss is C1.
What is not covered: whether an answer is true. Income and debts are as told, not as the accounts show them.
Knows nothing about when somebody may be assessed.
"""

from collections.abc import Mapping

from openteller.core.errors import BadInput
from openteller.core.records import InvestorClass, LocalText, Record
from openteller.customers.assessment.questionnaire import Contradiction, Option, Question, Questionnaire


class Remark(Record):
    """Something said about an assessment, for a program (`code`) and for a person."""

    code: str
    text: LocalText


class Scored(Record):
    """The result: share of the points in percent, the class, and why."""

    score: int
    investor_class: InvestorClass
    reasons: tuple[Remark, ...]


def checked(asked: Questionnaire, answers: Mapping[str, str]) -> dict[str, Option]:
    """Question id → the chosen option, one for every question.

    Raises:
        BadInput: questions without an answer, or answers to what is not asked; the cause names each.
    """
    missing = [question.id for question in asked.questions if question.id not in answers]
    unknown = [name[:40] for name in answers if asked.question(name) is None]
    chosen = {question.id: question.option(answers.get(question.id, "")) for question in asked.questions}
    wrong = [name for name, option in chosen.items() if option is None and name not in missing]
    faults = [("without an answer", missing), ("not asked", unknown), ("no such answer", wrong)]
    cause = "; ".join(f"{what}: {', '.join(names)}" for what, names in faults if names)
    if cause:
        raise BadInput(
            "The questionnaire is not filled in completely.",
            cause=f"{cause}.",
            next_step="Answer each question with one of its options; GET /v1/investor/questionnaire lists them.",
        )
    return {name: option for name, option in chosen.items() if option is not None}


def contradictions(asked: Questionnaire, chosen: Mapping[str, Option]) -> tuple[Contradiction, ...]:
    """The pairs of answers that hardly go together."""
    return tuple(
        conflict
        for conflict in asked.conflicts
        if all(chosen[question].id in options for question, options in conflict.given.items())
    )


def scored(asked: Questionnaire, chosen: Mapping[str, Option], age: int) -> Scored:
    """The class that these answers lead to.

    Args:
        asked: the questionnaire.
        chosen: from `checked`.
        age: in whole years, from the profile.
    """
    of_age = [each.points for each in asked.ages if age >= each.from_age]
    points = sum(option.points for option in chosen.values()) + (of_age[-1] if of_age else 0)
    score = points * 100 // asked.most_points
    by_points = max(
        (each for each, bound in asked.classes.items() if score >= bound),
        key=lambda each: each.number,
        default=InvestorClass.C1,
    )
    reasons = [
        Remark(
            code="score",
            text=LocalText(
                zh=f"问卷得分{score}（满分100），对应{by_points}。",
                en=f"The answers score {score} of 100, which is {by_points}.",
            ),
        )
    ]
    final = by_points
    for question in asked.questions:
        cap = chosen[question.id].cap
        if cap is not None and cap.number < by_points.number:
            reasons.append(_capped(question, chosen[question.id], cap))
            final = min(final, cap, key=lambda each: each.number)
    return Scored(score=score, investor_class=final, reasons=tuple(reasons))


def changed(
    asked: Questionnaire,
    before: InvestorClass,
    after: InvestorClass,
    earlier: Mapping[str, str],
    now: Mapping[str, str],
) -> Remark:
    """What made the class another one than last time: the answers that differ; none, where the last ones are not kept."""
    differing = [q.text for q in asked.questions if q.id in earlier and earlier[q.id] != now[q.id]]
    zh = "".join(text.zh for text in differing)
    en = " ".join(text.en for text in differing)
    return Remark(
        code="class_changed",
        text=LocalText(
            zh=f"上次评估为{before}，这次为{after}。" + (f"您改变了回答的问题：{zh}" if zh else ""),
            en=f"The last assessment said {before}, this one says {after}."
            + (f" You answered differently: {en}" if en else ""),
        ),
    )


def _capped(question: Question, option: Option, cap: InvestorClass) -> Remark:
    return Remark(
        code=f"cap:{question.id}",
        text=LocalText(
            zh=f"“{question.text.zh}”您选了“{option.text.zh}”，因此最高为{cap}。",
            en=f"To “{question.text.en}” you answered “{option.text.en}”: {cap} at the most.",
        ),
    )
