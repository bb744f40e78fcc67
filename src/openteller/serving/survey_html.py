"""The page on which a survey is answered, as HTML: one form that needs no script, in Chinese or English.

Every text is escaped; every scale is a group of radio buttons with its question as its name. What is wrong is said in the
page's own words, and where it is. Knows nothing about requests.
"""

from collections.abc import Mapping, Sequence
from html import escape

from openteller.core.errors import Conflict, NotFound, OpenTellerError
from openteller.core.records import LocalText
from openteller.insights.surveys.records import MAX_TEXT_CHARACTERS, Kind, Question, Survey

Given = Mapping[str, Sequence[str]]
_IN_ONE_ROW = 7
_FAILURES = {
    NotFound: LocalText(
        zh="没有这份问卷。请完整打开收到的链接，或向发送链接的人核实。",
        en="There is no such survey. Open the link as you received it, whole, or ask whoever sent it.",
    ),
    Conflict: LocalText(
        zh="这份问卷已经答过、链接已过期，或者问卷已经结束。还想告诉我们什么，请联系发送链接的人。",
        en="This survey has been answered, its link has expired, or it has ended. If there is more to say, ask whoever sent it.",
    ),
    OpenTellerError: LocalText(
        zh="现在打不开，请过一会儿再试。", en="It cannot be opened just now. Please try again in a while."
    ),
}


class SurveyPage:
    """Writes the page in one language.

    Args:
        language: zh or en.
        bank: the bank's name in that language.
    """

    def __init__(self, language: str, bank: str) -> None:
        self.language, self._bank = language, bank

    def form(self, survey: Survey, path: str, given: Given | None = None, error: OpenTellerError | None = None) -> str:
        """The questions; with what was answered before and what was wrong with it, after an attempt."""
        say, filled = self._say, given or {}
        missing = [
            question
            for question in survey.questions
            if error and question.required and not _is_answered(question, filled)
        ]
        fault = self._fault(survey, filled, error, missing) if error else ""
        intro = f"<p>{escape(survey.intro.of(self.language))}</p>" if survey.intro else ""
        asked = "".join(
            self._question(question, filled.get(question.id, ()), question in missing) for question in survey.questions
        )
        ticked = " checked" if filled.get("contact") else ""
        contact = say("银行可以就此联系我", "The bank may contact me about this")
        body = f"""{intro}{fault}<form method="post" action="{escape(path, quote=True)}?lang={self.language}">
{asked}
<p><label class="tick"><input type="checkbox" name="contact" value="yes"{ticked}> {contact}</label></p>
<p class="note">{say("请不要填写密码、验证码或完整卡号。", "Please write no passwords, codes or whole card numbers.")}</p>
<button class="main">{say("提交", "Send")}</button></form>"""
        return self._page(survey.title.of(self.language), body, path)

    def thanks(self, survey: Survey, path: str) -> str:
        """What is said when it is answered."""
        said = (
            survey.thanks.of(self.language)
            if survey.thanks
            else self._say("谢谢您的作答！", "Thank you for answering!")
        )
        return self._page(survey.title.of(self.language), f'<p role="status">{escape(said)}</p>', path)

    def failure(self, error: OpenTellerError, path: str) -> str:
        """Why there is nothing to answer."""
        text = next(_FAILURES[kind] for kind in type(error).__mro__ if kind in _FAILURES)
        said = f'<p class="error" role="alert">{escape(text.of(self.language))}</p>'
        return self._page(self._say("问卷", "Survey"), said, path)

    def _fault(self, survey: Survey, filled: Given, error: OpenTellerError, missing: Sequence[Question]) -> str:
        """What was wrong, with a way to each question that needs an answer."""
        if missing:
            said = self._say("还有必答的问题没有回答：", "These questions need an answer:")
            ways = "".join(
                f'<li><a href="#{question.id}">{escape(question.text.of(self.language))}</a></li>'
                for question in missing
            )
            return f'<div class="error" role="alert"><p>{said}</p><ul>{ways}</ul></div>'
        if not any(_is_answered(question, filled) for question in survey.questions):
            said = self._say("请至少回答一个问题。", "Please answer one question at least.")
        else:
            detail = f'<span lang="en">{escape(error.message)} {escape(error.next_step)}</span>'
            said = self._say("没有收下：", "It was not taken: ") + detail
        return f'<p class="error" role="alert">{said}</p>'

    def _question(self, question: Question, given: Sequence[str], is_missing: bool) -> str:
        name = escape(question.text.of(self.language))
        must = f' <span class="note">{self._say("（必答）", "(required)")}</span>' if question.required else ""
        look = "asked missing" if is_missing else "asked"
        if question.kind is Kind.TEXT:
            written, required = escape(given[0]) if given else "", " required" if question.required else ""
            area = f'<textarea name="{question.id}" id="{question.id}" rows="4" maxlength="{MAX_TEXT_CHARACTERS}"{required}>'
            return f'<p class="{look}"><label for="{question.id}">{name}{must}</label>{area}{written}</textarea></p>'
        # Not the first button: a way to a button that is pressed would press it in some browsers.
        held = f'<fieldset class="{look}" id="{question.id}" tabindex="-1"><legend>{name}{must}</legend>'
        return f"{held}{self._answers(question, given)}</fieldset>"

    def _answers(self, question: Question, given: Sequence[str]) -> str:
        kind = "checkbox" if question.kind is Kind.CHOICES else "radio"
        required = " required" if question.required and kind == "radio" else ""
        if question.options:
            offered = [(option.id, option.text.of(self.language)) for option in question.options]
        else:
            low, high = question.ends
            offered = [(str(number), str(number)) for number in range(low, high + 1)]
        inputs = "".join(
            f'<label><input type="{kind}" name="{question.id}" value="{value}"{" checked" if value in given else ""}{required}>'
            f"<span>{escape(text)}</span></label>"
            for value, text in offered
        )
        if question.options:
            return f'<div class="options">{inputs}</div>'
        look = "scale few" if len(offered) <= _IN_ONE_ROW else "scale"
        return f'<div class="rated"><div class="{look}">{inputs}</div>{self._ends(question)}</div>'

    def _ends(self, question: Question) -> str:
        """The names of the lowest and the highest number, each with its number."""
        (low, high), between = question.ends, self._say("：", ": ")
        named = [(low, question.low_text), (high, question.high_text)]
        ends = "".join(
            f"<span>{number}{between}{escape(text.of(self.language))}</span>" for number, text in named if text
        )
        return f'<p class="ends">{ends}</p>' if ends else ""

    def _page(self, title: str, body: str, path: str) -> str:
        other, name = ("en", "English") if self.language == "zh" else ("zh", "中文")
        lang = "zh-Hans" if self.language == "zh" else "en"
        switch = f'<a href="{escape(path, quote=True)}?lang={other}" lang="{other}">{name}</a>'
        return f"""<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)} · {escape(self._bank)}</title>
<link rel="icon" href="/widget/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/widget/profile.css">
<link rel="stylesheet" href="/widget/survey.css">
</head>
<body>
<div class="top"><span class="brand">{escape(self._bank)}</span>{switch}</div>
<main><section class="survey"><h1>{escape(title)}</h1>{body}</section></main>
</body>
</html>
"""

    def _say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en


def _is_answered(question: Question, filled: Given) -> bool:
    return any(value.strip() for value in filled.get(question.id, ()))
