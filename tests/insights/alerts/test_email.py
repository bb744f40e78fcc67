"""Alerts by e-mail, taken by a real SMTP server on loopback."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from openteller.core.errors import ConfigurationError, Unavailable
from openteller.core.records import LocalText
from openteller.insights.alerts.email import EmailSender, MailServer, mail_server
from tests.insights.alerts.test_webhook import delivery

BANK = LocalText(zh="松湾银行", en="Pinebay Bank")


class Mailbox:
    """Refuses as often as it is told to, then keeps what comes."""

    def __init__(self) -> None:
        self.refusals, self.messages = 0, list[EmailMessage]()
        self.recipients: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        return "250 kept"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, MailServer]]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, MailServer("smtp", "127.0.0.1", port)
    controller.stop()


def sender(server: MailServer, *to: str) -> EmailSender:
    recipients = to or ("risk@bank.example", "duty@bank.example")
    return EmailSender(
        server, "openteller@bank.example", recipients, BANK, "Asia/Shanghai", "https://teller.bank.example/"
    )


def test_an_alert_arrives_in_both_languages(mailbox: tuple[Mailbox, MailServer]) -> None:
    box, server = mailbox
    made = delivery()
    sender(server).send(made)
    (message,) = box.messages
    assert box.recipients == ["risk@bank.example", "duty@bank.example"]
    expected = "[松湾银行 Pinebay Bank] 警告 Warning: 银行卡：负面情绪上升 / Cards: the mood falls"
    assert message["Subject"] == expected
    assert message["Message-ID"] == f"<{made.id}@bank.example>"
    text = message.get_content()
    for part in ("警告：银行卡", "Warning: Cards", "https://teller.bank.example/console/trends?topic=card",
                 "since: 0.42", "2026-06-01 08:00", str(made.id)):  # fmt: skip
        assert part in text


def test_a_refusal_is_an_error_of_ours(mailbox: tuple[Mailbox, MailServer]) -> None:
    box, server = mailbox
    box.refusals = 1
    with pytest.raises(Unavailable, match="did not take the alert"):
        sender(server).send(delivery())
    sender(server).send(delivery())
    assert len(box.messages) == 1


def test_nobody_there_is_an_error_of_ours() -> None:
    with pytest.raises(Unavailable, match="mail server"):
        sender(MailServer("smtp", "127.0.0.1", 1)).send(delivery())


def test_a_title_cannot_add_a_header(mailbox: tuple[Mailbox, MailServer]) -> None:
    box, server = mailbox
    made = delivery()
    title = LocalText(zh="a\r\nBcc: x@y.example", en="b")
    sender(server).send(made.model_copy(update={"alert": made.alert.model_copy(update={"title": title})}))
    assert box.messages[0]["Bcc"] is None
    assert len(box.recipients) == 2


def test_urls_of_mail_servers() -> None:
    assert mail_server("smtp+starttls://risk%40bank:p%3Aw@mail.bank.example") == MailServer(
        "smtp+starttls", "mail.bank.example", 587, "risk@bank", "p:w"
    )
    assert mail_server("smtps://mail.bank.example").port == 465
    for wrong in ("mail.bank.example", "http://x", "smtp://", "smtp://x:abc", "smtp://[x"):
        with pytest.raises(ConfigurationError, match="mail server's URL"):
            mail_server(wrong)


@pytest.mark.parametrize("address", ["", "a b@c", "a@b,c@d", "<a@b>", "a@b\nBcc: c@d"])
def test_addresses_are_plain(address: str) -> None:
    with pytest.raises(ConfigurationError, match="address for alerts"):
        sender(MailServer("smtp", "x", 25), address)
    with pytest.raises(ConfigurationError, match="no recipient"):
        EmailSender(MailServer("smtp", "x", 25), "a@b", (), BANK, "Asia/Shanghai")
