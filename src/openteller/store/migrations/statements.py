"""Sends a migration's SQL as it is written. Knows nothing about any one migration."""

from alembic import op


def run(statements: str) -> None:
    """Send several statements as they are; without parameters the driver reads neither % nor colons."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statements)
