"""How Alembic runs a revision: on the connection that `migrations.run` hands over."""

from alembic import context

from migrations.metadata import metadata


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata(),
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
