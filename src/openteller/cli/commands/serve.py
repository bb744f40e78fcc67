"""`teller serve`: the HTTP API, the widget and the demo page."""

import argparse
import logging
import threading

from openteller.assembly import Application, open_senders
from openteller.cli import running
from openteller.cli.commands.demo import load_demo, load_past, take_in_speech
from openteller.cli.progress import console_progress
from openteller.core.errors import ConfigurationError
from openteller.core.records import Principal, Role
from openteller.jobs.schedule import schedule
from openteller.jobs.worker import Worker
from openteller.settings import load

_EXAMPLES = """\
examples:
  teller serve                      settings from the environment
  teller serve --demo --port 8080   dev mode, with the demo bank loaded first if the store is empty
"""
_OPERATOR = Principal(subject="cli", role=Role.ADMIN, customer_id=None)


def serve(arguments: list[str]) -> int:
    """Serve on http://HOST:PORT until stopped."""
    parser = argparse.ArgumentParser(
        "teller serve", description=serve.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--host", help="default: OPENTELLER_HOST or 127.0.0.1")
    parser.add_argument("--port", type=int, help="default: OPENTELLER_PORT or 8000")
    parser.add_argument("--demo", action="store_true", help="dev mode with the demo bank")
    parser.add_argument("--customers", type=int, default=2000, help="demo customers, with --demo (default 2000)")
    given = parser.parse_args(arguments)
    settings = load(host=given.host, port=given.port, dev=True if given.demo else None)
    settings.signing_key()  # refused here, not after minutes of loading
    _refuse_taken(settings.host, settings.port)
    open_senders(settings)
    application = Application(settings, console_progress())
    worker: Worker | None = None
    try:
        if given.demo:
            load_demo(application, given.customers)
            load_past(application)
        application.warm()
        if given.demo:  # who types need not wait for it
            threading.Thread(target=take_in_speech, args=(application,), daemon=True).start()
        if settings.jobs:
            worker = Worker(application.database, schedule(application))
            worker.start()
        _run(application)
    finally:
        if worker:
            worker.stop()
        running.withdraw(settings.data_dir)
        application.close()
    return 0


def _refuse_taken(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"{host}:{port} cannot be used.",
                cause=str(error),
                next_step="Choose another port: teller serve --port 8001",
            ) from error


def _run(application: Application) -> None:
    import uvicorn

    from openteller.serving.app import create_app

    settings = application.settings
    shown = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::1", "::") else settings.host
    url = f"http://{shown}:{settings.port}"
    running.announce(settings.data_dir, f"http://{'127.0.0.1' if shown == 'localhost' else shown}:{settings.port}")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    documents = application.library.count(_OPERATOR)
    print(f"\n  OpenTeller · {settings.bank_name_en} {settings.bank_name_zh} · {documents} documents")
    print(f"  open     {url}          the demo page with the assistant")
    known = f", in dev mode as admin with {settings.demo_password}" if settings.dev else ""
    print(f"  console  {url}/console  for staff{known}")
    print(f"  API      {url}/docs     health: {url}/health")
    print('  terminal teller ask "一年期定期存款利率是多少"\n', flush=True)
    uvicorn.run(create_app(application), host=settings.host, port=settings.port, access_log=False, log_level="warning")
