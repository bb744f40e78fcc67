"""Alerts by e-mail, in Chinese and English in one message, over SMTP.

The same delivery has the same Message-ID at every attempt, so a mailbox can tell a repetition. Knows nothing about attempts.
"""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from openteller.core.clock import local_text
from openteller.core.errors import ConfigurationError, Unavailable
from openteller.core.records import LocalText
from openteller.insights.alerts.records import Delivery, Severity

_TIMEOUT = 30.0
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_SEVERITIES = {
    Severity.INFO: LocalText(zh="通知", en="Notice"),
    Severity.WARNING: LocalText(zh="警告", en="Warning"),
    Severity.CRITICAL: LocalText(zh="严重", en="Critical"),
}


@dataclass(frozen=True)
class MailServer:
    """Where mail goes out."""

    scheme: Literal["smtp", "smtp+starttls", "smtps"]
    host: str
    port: int
    user: str = ""
    password: str = ""


def mail_server(url: str) -> MailServer:
    """Read ``smtp+starttls://user:password@host:587``; also ``smtps://`` and, within a trusted network, ``smtp://``.

    Raises:
        ConfigurationError: it cannot be read; the URL itself is not repeated, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _PORTS or not host:
        raise ConfigurationError(
            "The mail server's URL cannot be read.",
            next_step="Set OPENTELLER_ALERT_SMTP_URL like smtp+starttls://user:password@mail.bank.example:587.",
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(scheme, host, port or _PORTS[scheme], user, password)  # type: ignore[arg-type]


class EmailSender:
    """Sends each alert to all recipients in one message.

    Args:
        server: where mail goes out.
        sender: the address it comes from.
        recipients: at least one address.
        bank: the bank's name, for the subject.
        zone: IANA name of the bank's time zone, for what is read.
        console_url: where the console is, before an alert's link; empty: the link's path alone.

    Raises:
        ConfigurationError: an address cannot be used.
    """

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: Sequence[str],
        bank: LocalText,
        zone: str,
        console_url: str = "",
    ) -> None:
        for address in (sender, *recipients):
            if address.count("@") != 1 or any(c.isspace() or c in ",;<>" for c in address):
                raise ConfigurationError(
                    "An address for alerts cannot be used.",
                    cause=f"{address!r} is no plain address.",
                    next_step="Set OPENTELLER_ALERT_EMAIL_FROM and _ALERT_EMAIL_TO to addresses like risk@bank.example.",
                )
        if not recipients:
            raise ConfigurationError(
                "Alerts by e-mail have no recipient.", next_step='Set OPENTELLER_ALERT_EMAIL_TO=["risk@bank.example"].'
            )
        self._server, self._sender, self._recipients = server, sender, tuple(recipients)
        self._bank, self._zone, self._console_url = bank, zone, console_url.rstrip("/")

    def send(self, delivery: Delivery) -> None:
        """Send one alert. Raises Unavailable when the mail server does not take it."""
        message = self.message(delivery)
        try:
            with self._connected() as connection:
                connection.send_message(message)
        except (OSError, smtplib.SMTPException, MessageError) as error:
            code = getattr(error, "smtp_code", "")
            raise Unavailable(
                "The mail server did not take the alert.", cause=f"{type(error).__name__} {code}".strip()
            ) from error

    def message(self, delivery: Delivery) -> EmailMessage:
        """The message: figures and a link, in both languages."""
        alert, message = delivery.alert, EmailMessage()
        title = LocalText(zh=_line(alert.title.zh), en=_line(alert.title.en))
        level = _SEVERITIES[alert.severity]
        message["Subject"] = f"[{self._bank.zh} {self._bank.en}] {level.zh} {level.en}: {title.zh} / {title.en}"
        message["From"], message["To"] = self._sender, ", ".join(self._recipients)
        message["Date"] = alert.raised_at
        message["Message-ID"] = f"<{delivery.id}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        at, link = local_text(alert.raised_at, self._zone), f"{self._console_url}{alert.link}" if alert.link else ""
        figures = "\n".join(f"  {name}: {value}" for name, value in alert.detail.items())
        parts = (
            f"{level.zh}：{title.zh}\n时间：{at}\n对象：{alert.subject}\n{link}".rstrip(),
            f"{level.en}: {title.en}\nRaised: {at}\nAbout: {alert.subject}\n{link}".rstrip(),
            f"数据 / Figures:\n{figures}" if figures else "",
            f"OpenTeller · {delivery.id}",
        )
        message.set_content("\n\n".join(part for part in parts if part) + "\n")
        return message

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)
        try:
            if server.scheme == "smtp+starttls":
                connection.starttls(context=context)
            if server.user:
                connection.login(server.user, server.password)
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
        return connection


def _line(text: str) -> str:
    """In one line: a header holds no other."""
    return " ".join(text.split())
