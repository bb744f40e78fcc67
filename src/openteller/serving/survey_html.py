"""The page on which a survey is answered, as HTML: one form that needs no script, in Chinese or English.

Every text is escaped; every scale is a group of radio buttons with its question as its name. Knows nothing about requests.
"""

from collections.abc import Mapping, Sequence
from html import escape

from openteller.core.errors import OpenTellerError
from openteller.insights.surveys.records import MAX_TEXT_CHARACTERS, Kind, Question, Survey

Given = Mapping[str, Sequence[str]]


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
        fault = f'<p class="error" role="alert">{escape(error.message)} {escape(error.next_step)}</p>' if error else ""
        intro = f"<p>{escape(survey.intro.of(self.language))}</p>" if survey.intro else ""
        asked = "".join(self._question(question, filled.get(question.id, ())) for question in survey.questions)
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
        said = f'<p class="error" role="alert">{escape(error.message)} {escape(error.next_step)}</p>'
        return self._page(self._say("问卷", "Survey"), said, path)

    def _question(self, question: Question, given: Sequence[str]) -> str:
        name = escape(question.text.of(self.language))
        must = f' <span class="note">{self._say("（必答）", "(required)")}</span>' if question.required else ""
        if question.kind is Kind.TEXT:
            written = escape(given[0]) if given else ""
            area = f'<textarea name="{question.id}" id="{question.id}" rows="4" maxlength="{MAX_TEXT_CHARACTERS}">'
            return f'<p class="asked"><label for="{question.id}">{name}{must}</label>{area}{written}</textarea></p>'
        return f'<fieldset class="asked"><legend>{name}{must}</legend>{self._answers(question, given)}</fieldset>'

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
        ends = [text.of(self.language) for text in (question.low_text, question.high_text) if text]
        between = f'<p class="ends">{"".join(f"<span>{escape(end)}</span>" for end in ends)}</p>' if ends else ""
        return f'<div class="{"options" if question.options else "scale"}">{inputs}</div>{between}'

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
