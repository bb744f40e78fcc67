"""The audit log's table. Written through store/audit.py alone: a trigger numbers each row and chains its hash."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from openteller.store.tables.base import Base


class AuditRow(Base):
    """One entry. `seq` runs without gaps from 1; `hash` = SHA-256(`previous_hash` ‖ canonical text of the row)."""

    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default=text("0"))
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text(r"'\x'::bytea"))
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text(r"'\x'::bytea"))
