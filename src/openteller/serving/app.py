"""The HTTP application: routes, middleware, pages. Builds nothing of the road; `Application` brings that.

Run it with ``uvicorn`` and ``access_log=False``: what it has to say goes out as JSON lines without anybody's words.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio.to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from openteller import __version__
from openteller.core.clock import utc_now
from openteller.serving import errors, pages, profile_pages, survey_pages
from openteller.serving.api import (
    alerts,
    auth,
    complaints,
    conversations,
    customers,
    documents,
    explanations,
    feedback,
    health,
    inquiries,
    investors,
    me,
    offers,
    opinion,
    products,
    spoken,
    surveys,
    telephony,
    trends,
    voice,
)
from openteller.serving.calls import CallDesk
from openteller.serving.console import door
from openteller.serving.contract import Application
from openteller.serving.deps import FAILURES_PER_MINUTE, LOGINS_PER_MINUTE, VISITOR_HEADER, Serving
from openteller.serving.limits import SizeLimit, TokenBuckets
from openteller.serving.observation import Metrics, Observation, Pseudonyms, configure_logging, log_fault
from openteller.serving.rehearsal import Rehearsal
from openteller.serving.security import Tokens
from openteller.voice.recordings import Recordings

# As many as the pool of database connections holds (10 kept, 10 more in a rush): no request waits for one.
_THREADS = 20
_DAY = 24 * 60 * 60.0

_DESCRIPTION = """
Ask a bank in Chinese or English and receive a cited answer, with an offer that suits.

Without a login you are a visitor: you may ask about what is public. The answer's header `X-OpenTeller-Visitor` holds a
token; send it back to keep the conversation and to rate. Customers and staff log in with `POST /v1/auth/login`.

Every error has one shape: `{"error": {"code", "message", "cause", "next_step", "trace_id"?}}`.
"""
_TAGS = [
    {"name": "inquiries", "description": "The road: ask, stream, rate, open or dismiss an offer."},
    {"name": "voice", "description": "Calls: over WebRTC; over a WebSocket at `/v1/voice` (docs/guide/voice.md)."},
    {
        "name": "conversations",
        "description": "A person of the bank takes a conversation over, writes in it, and gives it back.",
    },
    {"name": "explanations", "description": "Why a text is understood so, for staff."},
    {
        "name": "feedback",
        "description": "Turns that went wrong, what staff say they meant, and a second person's review.",
    },
    {
        "name": "trends",
        "description": "Mood and need over time, with intervals; groups of fewer than five people are left out.",
    },
    {"name": "alerts", "description": "What somebody of the bank should look at."},
    {"name": "profile", "description": "What a customer's movements say, and the customer's own word about it."},
    {"name": "documents", "description": "What the answers come from. Changed by analysts, administrators, services."},
    {
        "name": "offers",
        "description": "What suits a customer, why a product is not offered, and what became of offers.",
    },
    {"name": "products", "description": "The catalogue with rates, fees and risk grades; grading, and who holds what."},
    {"name": "suitability", "description": "The investor questionnaire, a customer's class, and what suits them."},
    {"name": "surveys", "description": "What customers are asked, what they answer, and what that says."},
    {"name": "complaints", "description": "Complaints with the clock of the rules, for staff."},
    {"name": "opinion", "description": "What is said in public of the bank and those around it, for staff."},
    {"name": "auth", "description": "Bearer tokens."},
    {"name": "operations", "description": "Health and metrics."},
]


def create_app(application: Application) -> FastAPI:
    """The ASGI application over a built `Application`, which whoever made it also closes.

    Raises:
        ConfigurationError: the secret is unsafe, the OpenID provider is described in part only, or calls are to be recorded
            without a key.
    """
    settings = application.settings
    application.recordings.check()
    metrics = Metrics()
    app = FastAPI(
        title="OpenTeller",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        # A redirect would be built from the caller's own Host header.
        redirect_slashes=False,
        # FastAPI's own spans and logs hold query strings and exception messages: what customers wrote.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.serving = Serving(
        application=application,
        tokens=Tokens(settings),
        metrics=metrics,
        callers=TokenBuckets(settings.rate_per_minute),
        logins=TokenBuckets(LOGINS_PER_MINUTE),
        failures=TokenBuckets(FAILURES_PER_MINUTE),
        calls=CallDesk(settings.voice_calls),
    )
    errors.install(app)
    answering = (spoken, inquiries, conversations, voice, telephony, explanations)
    people = (me, customers, investors, offers)
    listening = (opinion, feedback, trends, alerts, surveys, complaints)
    face = (pages, profile_pages, survey_pages)
    for part in (*answering, *people, *listening, documents, products, auth, health, *face):
        app.include_router(part.router)
    if settings.console:
        app.state.console = door.Door(app.state.serving)
        app.include_router(door.router)
        app.mount("/console", app.state.console)
    app.mount("/widget", pages.widget)
    docs = pages.docs_files()
    if docs:
        app.mount("/docs", docs)
    _add_layers(app, settings.cors_origins, metrics, Pseudonyms(settings.signing_key()))
    return app


def _add_layers(app: FastAPI, origins: tuple[str, ...], metrics: Metrics, pseudonyms: Pseudonyms) -> None:
    """Innermost first: sizes, then CORS, so that refusals too can be read across origins, then observation."""
    app.add_middleware(SizeLimit)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", VISITOR_HEADER],
            expose_headers=[VISITOR_HEADER, "X-Request-ID", "Retry-After"],
            max_age=600,
        )
    app.add_middleware(Observation, metrics=metrics, pseudonyms=pseudonyms)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_logging()
    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    tending = asyncio.create_task(_tend(app.state.serving.application.recordings))
    rehearsal = _rehearsal(app.state.serving)
    yield
    if app.state.serving.application.settings.console:
        await app.state.console.close()
    if rehearsal:
        await asyncio.to_thread(rehearsal.stop)
    tending.cancel()
    with suppress(asyncio.CancelledError):
        await tending
    app.state.serving.calls.close()


def _rehearsal(serving: Serving) -> Rehearsal | None:
    """What loads the voice and makes speech ahead, begun; None where nobody can call."""
    settings = serving.application.settings
    if not settings.voice_calls:
        return None
    warm = partial(serving.calls.warm, serving.application)
    rehearsal = Rehearsal(serving.application, lambda: serving.calls.open > 0, warm, makes=settings.voice_ahead)
    rehearsal.start()
    return rehearsal


async def _tend(recordings: Recordings) -> None:
    """Once a day delete the recordings whose time is over, and account for those that a killed process left."""
    while True:
        try:
            await asyncio.to_thread(recordings.tend, utc_now())
        except Exception as error:  # such as a store that does not answer: the next day does both
            log_fault(error, "recordings")
        await asyncio.sleep(_DAY)
