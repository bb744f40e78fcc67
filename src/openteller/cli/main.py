"""`teller`: the entry point. Errors become a clear message and exit code 1; no traceback reaches a user."""

import os
import sys
from collections.abc import Callable

USAGE = """\
teller: an on-premise assistant for a bank's customers and staff, in Chinese and English

  teller ask "…" [--customer ID] [--json]     one question, one answer
  teller chat [--customer ID]                 a conversation in the terminal
  teller talk FILE|--mic [--save reply.wav]   a call: ask aloud, and be answered in speech (extra: voice)
  teller transcribe FILE… [--json]            what is said in sound files (extra: voice)
  teller serve [--port N] [--demo]            the HTTP API, the widget and the demo page
  teller knowledge import|list|search         the bank's documents
  teller products grade|regrade-report|check  risk grades, whom a new grade touches, what suits a customer
  teller customers features|book|recompute|…  what customers' movements say
  teller demo load [--customers N] [--reset]  the demo bank; also offers, conversations, speak
  teller db upgrade|downgrade|status          the schema of the store
  teller doctor [--json]                      checks everything and says what to do
  teller pretrain RECIPE [--output DIR]       adapt a language model to the bank's texts (extra: train)
  teller finetune RECIPE [--output DIR]       train a model from a recipe (extra: train)
  teller evaluate MODEL DATA [--against …]    how good a trained model is (extra: train)
  teller search RECIPE [--trials N]           look for better settings of a recipe (extra: train)
  teller export MODEL [--output DIR]          write a trained model as ONNX, proved equal (extra: train)
  teller explain MODEL "…" [--label L]        which words made a trained model decide so (extra: train)
  teller models list|show|register|promote|…  which trained models there are, and which of them serves
  teller feedback queue|correct|accept|list|… what the assistant got wrong, and what staff say it should have been
  teller retrain TASK [--at-least N] […]      train again with the accepted corrections (extra: train)
  teller recommend CUSTOMER|train|batch|…     what suits a customer and why; learning, batches, experiments
  teller trends [--topic T] [--days N]        mood and need over time, from the bank to one customer
  teller jobs run|list|status                 scheduled work: what is done when, and a worker for it
  teller opinion watch|report|replay|…        what is said in public: sources, topics, bursts, alerts (extra: opinion)
  teller recordings list|export|verify|…      recorded calls: encrypted, retained by rule
  teller survey create|import|report|link|…   what customers answer: figures, themes, drivers, whom to call back
  teller complaints list|open|extend|due|…    complaints with the clock of the rules
  teller speak "…" [--output FILE] […]        a sound file of a text, with the mark of AI-made speech

Each command has --help with examples. Settings are environment variables: OPENTELLER_DATA_DIR, OPENTELLER_DEV, …
"""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    # NumPy's linear algebra reads this when it loads; its threads and the model engines' would fight for the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Command modules load late, so that a small command starts fast."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from openteller import __version__

        print(__version__)
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        print(f"There is no command {arguments[0]!r}. The commands are:\n\n{USAGE}", file=sys.stderr, end="")
        return 2
    from openteller.core.errors import OpenTellerError

    try:
        return command(arguments[1:])
    except OpenTellerError as error:
        lines = [f"Error: {error.message}", error.cause and f"Cause: {error.cause}", error.next_step]
        print("\n".join(line for line in lines if line), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141


def _ask(arguments: list[str]) -> int:
    from openteller.cli.commands.ask import ask

    return ask(arguments)


def _chat(arguments: list[str]) -> int:
    from openteller.cli.commands.ask import chat

    return chat(arguments)


def _talk(arguments: list[str]) -> int:
    from openteller.cli.commands.talk import talk

    return talk(arguments)


def _transcribe(arguments: list[str]) -> int:
    from openteller.cli.commands.transcribe import transcribe

    return transcribe(arguments)


def _serve(arguments: list[str]) -> int:
    from openteller.cli.commands.serve import serve

    return serve(arguments)


def _knowledge(arguments: list[str]) -> int:
    from openteller.cli.commands.knowledge import knowledge

    return knowledge(arguments)


def _products(arguments: list[str]) -> int:
    from openteller.cli.commands.products import products

    return products(arguments)


def _customers(arguments: list[str]) -> int:
    from openteller.cli.commands.customers import customers

    return customers(arguments)


def _demo(arguments: list[str]) -> int:
    from openteller.cli.commands.demo import demo

    return demo(arguments)


def _db(arguments: list[str]) -> int:
    from openteller.cli.commands.db import db

    return db(arguments)


def _doctor(arguments: list[str]) -> int:
    from openteller.cli.commands.doctor import doctor

    return doctor(arguments)


def _pretrain(arguments: list[str]) -> int:
    from openteller.cli.commands.pretrain import pretrain

    return pretrain(arguments)


def _finetune(arguments: list[str]) -> int:
    from openteller.cli.commands.finetune import finetune

    return finetune(arguments)


def _evaluate(arguments: list[str]) -> int:
    from openteller.cli.commands.evaluate import evaluate

    return evaluate(arguments)


def _models(arguments: list[str]) -> int:
    from openteller.cli.commands.models import models

    return models(arguments)


def _search(arguments: list[str]) -> int:
    from openteller.cli.commands.search import search

    return search(arguments)


def _export(arguments: list[str]) -> int:
    from openteller.cli.commands.export import export

    return export(arguments)


def _explain(arguments: list[str]) -> int:
    from openteller.cli.commands.explain import explain

    return explain(arguments)


def _feedback(arguments: list[str]) -> int:
    from openteller.cli.commands.feedback import feedback

    return feedback(arguments)


def _retrain(arguments: list[str]) -> int:
    from openteller.cli.commands.retrain import retrain

    return retrain(arguments)


def _recommend(arguments: list[str]) -> int:
    from openteller.cli.commands.recommend import recommend

    return recommend(arguments)


def _opinion(arguments: list[str]) -> int:
    from openteller.cli.commands.opinion import opinion

    return opinion(arguments)


def _recordings(arguments: list[str]) -> int:
    from openteller.cli.commands.recordings import recordings

    return recordings(arguments)


def _trends(arguments: list[str]) -> int:
    from openteller.cli.commands.trends import trends

    return trends(arguments)


def _jobs(arguments: list[str]) -> int:
    from openteller.cli.commands.jobs import jobs

    return jobs(arguments)


def _speak(arguments: list[str]) -> int:
    from openteller.cli.commands.speak import speak

    return speak(arguments)


def _survey(arguments: list[str]) -> int:
    from openteller.cli.commands.survey import survey

    return survey(arguments)


def _complaints(arguments: list[str]) -> int:
    from openteller.cli.commands.complaints import complaints

    return complaints(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "ask": _ask,
    "chat": _chat,
    "talk": _talk,
    "transcribe": _transcribe,
    "serve": _serve,
    "knowledge": _knowledge,
    "products": _products,
    "customers": _customers,
    "demo": _demo,
    "db": _db,
    "doctor": _doctor,
    "pretrain": _pretrain,
    "finetune": _finetune,
    "evaluate": _evaluate,
    "search": _search,
    "export": _export,
    "explain": _explain,
    "models": _models,
    "feedback": _feedback,
    "retrain": _retrain,
    "recommend": _recommend,
    "trends": _trends,
    "jobs": _jobs,
    "opinion": _opinion,
    "recordings": _recordings,
    "speak": _speak,
    "survey": _survey,
    "complaints": _complaints,
}


if __name__ == "__main__":
    main()
