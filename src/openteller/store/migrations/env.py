"""Alembic's entry: runs the migrations on the connection that the caller put into the configuration."""

from alembic import context

from openteller.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
