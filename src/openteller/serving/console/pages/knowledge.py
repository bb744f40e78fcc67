"""The knowledge editor: find an article, change it with a preview, ask the regression set, publish.

Knows nothing about how articles are cut, indexed or searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from openteller.core.errors import BadInput
from openteller.core.records import Audience, LocalText
from openteller.core.text import normalise
from openteller.knowledge.records import Document
from openteller.knowledge.regression import Rehearsed
from openteller.products.figures import readable
from openteller.products.repository import ProductRepository
from openteller.serving.console.page import STAFF, ConsolePage, Visit, go, link
from openteller.serving.console.parts import section, table
from openteller.serving.deps import may_edit

_ROWS = 200
_AUDIENCES = {
    Audience.PUBLIC: LocalText(zh="公开", en="public"),
    Audience.CUSTOMER: LocalText(zh="客户", en="customers"),
    Audience.STAFF: LocalText(zh="员工", en="staff"),
}


async def draw(visit: Visit) -> None:
    """The list, or the article that the address names."""
    if "id" in visit.query or "new" in visit.query:
        await _article(visit)
    else:
        await _list(visit)


PAGE = ConsolePage("knowledge", LocalText(zh="知识库", en="Knowledge"), "menu_book", STAFF, draw)


async def _list(visit: Visit) -> None:
    say, library = visit.say, visit.serving.application.library
    wanted = {"title": ""}

    @ui.refreshable
    async def rows() -> None:
        title = normalise(wanted["title"]) or None
        found = await visit.read(lambda: library.list(visit.principal, title=title, limit=_ROWS))
        total = await visit.read(lambda: library.count(visit.principal, title=title))
        if total > len(found):
            text = say(
                f"共 {total:,} 篇，显示前 {len(found)} 篇。", f"{total:,} articles; the first {len(found)} are shown."
            )
            ui.label(text).classes("note")
        columns = [("title", say("标题", "Title")), ("language", say("语言", "Language")), ("audience", say("读者", "Readers")),
                   ("category", say("类别", "Category")), ("status", say("状态", "Status")), ("document_id", "ID")]  # fmt: skip
        table(visit, columns, [_row(visit, one) for one in found], file="documents",
              on_row=lambda row: go(visit.link("knowledge", id=row["document_id"])))  # fmt: skip

    with section(""):
        with ui.element("div").classes("line"):
            field = ui.input(say("按标题查找", "Find by title")).props("dense outlined clearable").classes("grow")
            field.on_value_change(lambda event: wanted.update(title=event.value or ""))
            field.on("keydown.enter", rows.refresh)
            ui.button(say("查找", "Find"), icon="search", on_click=rows.refresh).props("outline no-caps")
            if may_edit(visit.principal):
                new = ui.button(say("新文章", "New article"), icon="add").props("unelevated no-caps")
                new.on_click(lambda: go(visit.link("knowledge", new="1")))
        await rows()


def _row(visit: Visit, one: Document) -> dict[str, Any]:
    current = one.is_current(visit.serving.today)
    status = visit.say("有效", "valid") if current else visit.say("已下架或过期", "withdrawn or expired")
    return {
        "id": one.document_id, "document_id": one.document_id, "title": one.title, "language": one.language,
        "audience": visit.of(_AUDIENCES[one.audience]), "category": one.category, "status": status,
    }  # fmt: skip


@dataclass
class _Draft:
    """What stands in the editor's fields."""

    document_id: str = ""
    title: str = ""
    language: str = "zh"
    audience: str = Audience.PUBLIC.value
    category: str = "general"
    valid_from: str = ""
    valid_to: str = ""
    questions: str = ""
    answer: str = ""
    body: str = ""

    @classmethod
    def of(cls, one: Document) -> "_Draft":
        days = {"valid_from": str(one.valid_from or ""), "valid_to": str(one.valid_to or "")}
        same = {name: getattr(one, name) for name in ("document_id", "title", "language", "category", "body")}
        return cls(
            **same, **days, audience=one.audience.value, answer=one.answer or "", questions="\n".join(one.questions)
        )

    def document(self, visit: Visit, base: Document | None) -> Document:
        """The draft as a document; what the editor does not show stays as it was. Raises BadInput."""
        say = visit.say
        try:
            days = {name: date.fromisoformat(text) if text else None for name, text in
                    (("valid_from", normalise(self.valid_from)), ("valid_to", normalise(self.valid_to)))}  # fmt: skip
            kept = base.model_dump() if base else {"group_id": normalise(self.document_id)}
            return Document.model_validate(
                kept | days | {
                    "document_id": base.document_id if base else normalise(self.document_id), "title": self.title,
                    "language": self.language, "audience": self.audience, "category": normalise(self.category),
                    "questions": tuple(line for line in self.questions.splitlines() if line.strip()),
                    "answer": self.answer or None, "body": self.body, "status": "active",
                }
            )  # fmt: skip
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()[:4])
            raise BadInput(say("这篇文章还不能用。", "The article cannot be used as it is."), cause=faults) from error
        except ValueError as error:
            raise BadInput(
                say("日期不能用。", "A day cannot be used."), next_step=say("写作 2026-12-31。", "Write 2026-12-31.")
            ) from error


async def _article(visit: Visit) -> None:
    say, application = visit.say, visit.serving.application
    base = (
        await visit.read(lambda: application.library.get(visit.principal, visit.query["id"]))
        if "id" in visit.query
        else None
    )
    link(say("← 全部文章", "← All articles"), visit.link("knowledge"))
    if not may_edit(visit.principal):
        if base:
            with section(base.title):
                await _preview(visit, base)
        return
    draft = _Draft.of(base) if base else _Draft()
    with ui.element("div").classes("pair"):
        with section(say("编辑", "Edit")):
            _fields(visit, draft, is_new=base is None)
        with ui.column().classes("gap"):
            await _beside(visit, draft, base)


def _fields(visit: Visit, draft: _Draft, *, is_new: bool) -> None:
    say = visit.say
    if is_new:
        ui.input("ID").bind_value(draft, "document_id").props("dense outlined maxlength=300")
    ui.input(say("标题", "Title")).bind_value(draft, "title").props("dense outlined maxlength=500")
    with ui.element("div").classes("line"):
        ui.select({"zh": "中文", "en": "English"}, label=say("语言", "Language")).bind_value(draft, "language").props(
            "dense outlined"
        ).classes("grow")
        readers = {a.value: visit.of(text) for a, text in _AUDIENCES.items()}
        ui.select(readers, label=say("读者", "Readers")).bind_value(draft, "audience").props("dense outlined").classes(
            "grow"
        )
        ui.input(say("类别", "Category")).bind_value(draft, "category").props("dense outlined maxlength=100").classes(
            "grow"
        )
    with ui.element("div").classes("line"):
        for name, label in (("valid_from", say("生效日", "Valid from")), ("valid_to", say("失效日", "Valid to"))):
            ui.input(label, placeholder="2026-12-31").bind_value(draft, name).props("dense outlined").classes("grow")
    ui.textarea(say("问法（每行一个）", "Ways to ask (one a line)")).bind_value(draft, "questions").props(
        "outlined autogrow dense"
    )
    ui.textarea(say("标准答案", "Approved answer")).bind_value(draft, "answer").props("outlined autogrow dense")
    ui.textarea(say("正文（Markdown）", "Body (Markdown)")).bind_value(draft, "body").props("outlined autogrow dense")


async def _beside(visit: Visit, draft: _Draft, base: Document | None) -> None:
    """Preview, regression set, and what publishes."""
    say, application = visit.say, visit.serving.application
    state: dict[str, Document | None] = {"shown": base}

    @ui.refreshable
    async def preview() -> None:
        shown = state["shown"]
        if shown:
            await _preview(visit, shown)
        else:
            ui.label(say("填写后点“预览”。", "Fill it in and press Preview.")).classes("note")

    async def look() -> None:
        state["shown"] = await visit.act(lambda: draft.document(visit, base)) or state["shown"]
        await preview.refresh()

    async def publish() -> None:
        def work() -> str:
            document = draft.document(visit, base)
            application.library.add([document], actor=visit.principal.subject)
            return document.document_id

        stored = await visit.act(work, say("已发布。", "Published."))
        if stored:
            ui.timer(1.0, lambda: go(visit.link("knowledge", id=stored)), once=True)

    async def withdraw() -> None:
        def work() -> bool:
            application.library.withdraw(visit.query["id"], actor=visit.principal.subject)
            return True

        if await visit.act(work, say("已下架。", "Withdrawn.")):
            ui.timer(1.0, lambda: go(visit.link("knowledge")), once=True)

    with section(say("预览", "Preview"), say("数字取自今天的产品表。", "Figures are today's, from the product table.")):
        await preview()
        with ui.element("div").classes("line"):
            ui.button(say("预览", "Preview"), icon="visibility", on_click=look).props("outline no-caps")
            ui.button(say("发布", "Publish"), icon="publish", on_click=publish).props("unelevated no-caps")
            if base and base.status == "active":
                ui.button(say("下架", "Withdraw"), on_click=withdraw).props("flat no-caps color=accent")
    await _regression(visit, draft, base)


async def _preview(visit: Visit, document: Document) -> None:
    def filled() -> tuple[str, str]:
        with visit.serving.application.database.session(visit.principal) as session:
            products = {p.id: p for p in ProductRepository().all(session, visit.serving.today)}
        return tuple(readable(text or "", products, document.language) for text in (document.answer, document.body))  # type: ignore[return-value]

    answer, body = await visit.read(filled)
    ui.label(document.title).classes("strong")
    if answer:
        ui.label(answer).classes("said assistant text")
    if body:
        ui.markdown(body).classes("card")
    if document.questions:
        ui.label(" · ".join(document.questions[:12])).classes("note")


async def _regression(visit: Visit, draft: _Draft, base: Document | None) -> None:
    say, desk = visit.say, visit.serving.application.regression

    @ui.refreshable
    async def listed() -> None:
        if base is None:
            ui.label(say("发布后可添加。", "Add some once it is published.")).classes("note")
            return
        questions = await visit.read(lambda: desk.questions(visit.principal, base.document_id))
        for one in questions:
            with ui.element("div").classes("line item"):
                ui.label(one.question).classes("grow")

                async def remove(question_id: Any = one.id) -> None:
                    def work() -> bool:
                        desk.remove(visit.principal, question_id)
                        return True

                    if await visit.act(work):
                        await listed.refresh()

                name = say("移除", "Remove")
                ui.button(icon="close", on_click=remove).props(f'flat dense round aria-label="{name}"')
        field = ui.input(say("必须找到本文的问题", "A question that must find it")).props(
            "dense outlined maxlength=1000"
        )

        async def add() -> None:
            question = field.value or ""

            def work() -> bool:
                desk.add(visit.principal, base.document_id, question)
                return True

            if await visit.act(work, say("已加入。", "Added.")):
                await listed.refresh()

        field.on("keydown.enter", add)
        ui.button(say("加入", "Add"), on_click=add).props("outline dense no-caps")

    @ui.refreshable
    def results(found: Sequence[Rehearsed] | None = None) -> None:
        if found is not None:
            _rehearsed(visit, found)

    async def run() -> None:
        def work() -> tuple[Rehearsed, ...]:
            return desk.rehearse(visit.principal, draft.document(visit, base), visit.serving.today)

        found = await visit.act(work)
        if found is not None:
            results.refresh(found)

    note = say(
        "发布前用全部回归问题检索一遍草稿，看哪些会变。",
        "Before publishing, every question of the set is searched with the draft in place.",
    )
    with section(say("回归集", "Regression set"), note):
        await listed()
        ui.button(say("用草稿运行回归集", "Run the set on the draft"), icon="play_arrow", on_click=run).props(
            "outline no-caps"
        )
        results()


def _rehearsed(visit: Visit, found: Sequence[Rehearsed]) -> None:
    say = visit.say
    lost = sum(not one.holds for one in found)
    changed = sum(one.changed for one in found)
    text = say(f"{len(found)} 个问题：{changed} 个会变，{lost} 个找不到应有的文章。",
               f"{len(found)} questions: {changed} would change, {lost} would miss their article.")  # fmt: skip
    ui.label(text).classes("fault" if lost else "note")
    columns = [("question", say("问题", "Question")), ("before", say("现在", "Now")), ("after", say("发布后", "After")),
               ("holds", say("结论", "Holds"))]  # fmt: skip
    rows = [
        {"question": one.question.question, "before": one.before or "–", "after": one.after or "–",
         "holds": say("保持", "yes") if one.holds else say("丢失", "no")}
        for one in found
    ]  # fmt: skip
    table(visit, columns, rows, file="regression", page=10)
