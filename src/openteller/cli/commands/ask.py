"""`teller ask` and `teller chat`: the road from a terminal."""

import argparse
import json
import sys
from typing import Any
from uuid import uuid4

from openteller.cli import running
from openteller.cli.operator_token import SUBJECT, service_token
from openteller.core.errors import BadInput

_ASK_EXAMPLES = """\
examples:
  teller ask "一年期定期存款利率是多少"
  teller ask "I lost my card" --json
  teller ask "How much did I spend on dining last month?" --customer C000001
"""


def ask(arguments: list[str]) -> int:
    """One question, one answer."""
    parser = argparse.ArgumentParser(
        "teller ask", description=ask.__doc__, epilog=_ASK_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("question", help="the question; - reads it from standard input")
    parser.add_argument("--customer", metavar="ID", help="ask as this customer (operator of this machine only)")
    parser.add_argument("--language", choices=["zh-Hans", "zh-Hant", "en", "mixed"], help="default: detected")
    parser.add_argument("--json", action="store_true", help="the whole turn as JSON")
    given = parser.parse_args(arguments)
    question = sys.stdin.read() if given.question == "-" else given.question
    with _Road(given.customer, comes_back=False) as road:
        turn = road.ask(question, given.language)
    print(json.dumps(turn, ensure_ascii=False, indent=2) if given.json else _readable(turn))
    return 0


def chat(arguments: list[str]) -> int:
    """A conversation in the terminal; an empty line or Ctrl-D ends it."""
    parser = argparse.ArgumentParser(
        "teller chat", description=chat.__doc__, epilog="example:\n  teller chat --customer C000001",
        formatter_class=argparse.RawTextHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--customer", metavar="ID", help="talk as this customer (operator of this machine only)")
    given = parser.parse_args(arguments)
    with _Road(given.customer, comes_back=True) as road:
        print("AI 助手 / AI assistant. Rate an answer with /rate 1-5. Empty line to leave. 空行退出。")
        trace_id = ""
        while line := _line():
            try:
                if line.startswith("/rate"):
                    road.rate(trace_id, line.removeprefix("/rate").strip())
                    print("谢谢您的评价。Thank you for rating.")
                    continue
                turn = road.ask(line, None)
                trace_id = turn["trace_id"]
                print(_readable(turn) + "\n")
            except BadInput as error:
                print(error)
    return 0


def _line() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""


class _Road:
    """The running server when there is one, else the road in this process."""

    def __init__(self, customer: str | None, *, comes_back: bool) -> None:
        # A visitor who asks once need not be known again, and making a token would take half of the command's time.
        self._comes_back = comes_back
        self.customer, self.conversation = customer, str(uuid4())
        self.directory = running.data_dir()
        self.url = running.find(self.directory)
        self.application: Any = None
        self._visitor_token: str | None = None

    def __enter__(self) -> "_Road":
        if not self.url:
            from openteller.assembly import Application
            from openteller.cli.progress import console_progress
            from openteller.settings import load

            self.application = Application(load(), console_progress())
        return self

    def __exit__(self, *_: object) -> None:
        if self.application:
            self.application.close()

    def _token(self) -> str | None:
        if self.customer:
            return service_token(self.directory)  # a new one each time, since it is short-lived
        if self._comes_back and self._visitor_token is None:
            from openteller.serving.security import Tokens
            from openteller.settings import load

            self._visitor_token = Tokens(load()).issue(self._asker())
        return self._visitor_token

    def ask(self, question: str, language: str | None) -> dict[str, Any]:
        if not self.url:
            return self._ask_here(question, language)
        body = {"text": question, "conversation_id": self.conversation, "channel": "cli"}
        body |= {"customer_id": self.customer} if self.customer else {}
        body |= {"language": language} if language else {}
        return running.post(self.url, "/v1/inquiries", body, self._token())

    def _ask_here(self, question: str, language: str | None) -> dict[str, Any]:
        from uuid import UUID

        from openteller.assistant.dialogue import inquiry_of
        from openteller.core.records import Language

        spoken = Language(language) if language else None
        inquiry = inquiry_of(question, language=spoken, conversation_id=UUID(self.conversation), channel="cli")
        turn = self.application.dialogue.walk(inquiry, self._principal())
        ids = {"trace_id": str(inquiry.trace_id), "conversation_id": self.conversation}
        return ids | dict(turn.model_dump(mode="json"))

    def _principal(self) -> Any:
        asker = self._asker()
        return self.application.acting_for(asker, self.customer) if self.customer else asker

    def _asker(self) -> Any:
        from openteller.core.records import Principal, Role, visitor

        if self.customer:
            return Principal(subject=SUBJECT, role=Role.SERVICE)
        return visitor(f"cli-{self.conversation}")

    def rate(self, trace_id: str, text: str) -> None:
        if not trace_id or not text.isdecimal() or not 1 <= int(text) <= 5:
            raise BadInput("A rating is a number from 1 to 5, after an answer.", next_step="For example: /rate 5")
        if self.url:
            running.post(self.url, f"/v1/inquiries/{trace_id}/satisfaction", {"rating": int(text)}, self._token())
            return
        from uuid import UUID

        from openteller.core.records import Satisfaction

        rating = Satisfaction(trace_id=UUID(trace_id), rating=int(text), comment="")
        self.application.dialogue.rate(self._principal(), rating)


def _readable(turn: dict[str, Any]) -> str:
    lines = [turn["reply"]["text"]]
    answer = turn["answer"]
    lines += [f"  [{i}] {c['title']} ({c['document_id']})" for i, c in enumerate(answer["citations"], start=1)]
    lines += [f"  · {s}" for s in answer["suggestions"]]
    lines += [f"  ★ {o['name']}: {o['reason']}" for o in turn["offers"]]
    return "\n".join(lines)
