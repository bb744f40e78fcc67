"""Asking with a recording: the form of `POST /v1/inquiries`. Knows nothing about how sound is read or words are recognised."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from openteller.assistant.dialogue import inquiry_of
from openteller.core.errors import BadInput
from openteller.core.records import Language, Transcript
from openteller.serving.deps import Caller, Served, hand_token, on_behalf, serve_visitor
from openteller.serving.limits import INQUIRY_PATH, MAX_AUDIO_BYTES, is_form
from openteller.serving.wire import CustomerId, DeclaredLanguage, SpokenTurnAnswer
from openteller.understanding.personal_data import drop_secrets
from openteller.voice.audio_files import read_audio
from openteller.voice.hearing import Heard

MAX_SECONDS = 120.0

FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "required": ["audio"],
        "properties": {
            "audio": {
                "type": "string",
                "format": "binary",
                "description": f"WAV, MP3, FLAC, Ogg, WebM, M4A …; at most {MAX_AUDIO_BYTES // 1_000_000} MB and "
                f"{MAX_SECONDS:g} s. The answer then bears `transcript`.",
            },
            "language": {"type": "string", "description": "zh or en; none: follows the speaker"},
            "customer_id": {"type": "string"},
            "conversation_id": {"type": "string", "format": "uuid"},
        },
    }
}
"""The form for OpenAPI, where it stands beside the JSON body."""

_WHY = {
    "silent": "Nobody speaks in it.",
    "too_short": "It is too short.",
    "too_quiet": "It is very quiet.",
    "clipped": "It is distorted by overload.",
}


class _FormRoute(APIRoute):
    """A route for forms only, so that another may take the same path's JSON."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        matched, child = super().matches(scope)
        return (matched, child) if matched is Match.NONE or is_form(scope) else (Match.NONE, {})


router = APIRouter(route_class=_FormRoute)


@router.post(INQUIRY_PATH, include_in_schema=False)
def ask_aloud(
    audio: Annotated[UploadFile, File()],
    caller: Caller,
    serving: Served,
    request: Request,
    response: Response,
    language: Annotated[DeclaredLanguage | None, Form()] = None,
    customer_id: Annotated[CustomerId | None, Form()] = None,
    conversation_id: Annotated[UUID | None, Form()] = None,
) -> SpokenTurnAnswer:
    """Ask with a recording and receive the whole turn."""
    principal, token = serve_visitor(request, serving, on_behalf(serving, caller, customer_id))
    heard = _hear(audio, language, serving)
    spoken = Language.EN if heard.language == "en" else Language.ZH_HANS
    inquiry = inquiry_of(heard.text, language=language or spoken, conversation_id=conversation_id, channel="voice")
    request.state.trace_id = str(inquiry.trace_id)
    with serving.metrics.stage("turn"):
        turn = serving.application.dialogue.walk(inquiry, principal)
    serving.metrics.turn(turn)
    hand_token(request, response, token)
    transcript = Transcript(
        text=drop_secrets(heard.text), probability=heard.probability, seconds=heard.seconds, language=heard.language
    )
    return SpokenTurnAnswer.heard(turn, transcript)


def _hear(audio: UploadFile, language: Language | None, serving: Served) -> Heard:
    """What was said. Raises BadInput when that was nothing, or nothing that could be made out."""
    content = audio.file.read(MAX_AUDIO_BYTES + 1)
    sound = read_audio(content, max_seconds=MAX_SECONDS, max_bytes=MAX_AUDIO_BYTES)
    declared = None if language in (None, Language.MIXED) else language.spoken
    with serving.metrics.stage("hear"):
        heard = serving.application.hearing.hear(sound, declared)
    problems = heard.condition.problems if heard.condition else ()
    cause = " ".join(_WHY[problem] for problem in problems)
    if heard.verdict == "nothing":
        raise BadInput(
            "No words were heard in the recording.",
            cause=cause or "There is only noise in it, or the language is neither Chinese nor English.",
            next_step="Speak closer to the microphone and record again, or send the question as text.",
        )
    if heard.verdict == "unsure":
        raise BadInput(
            "The recording could not be understood with certainty.",
            cause=f"{cause} What was heard: {drop_secrets(heard.text)}".strip(),
            next_step="Say it again, slower or in a quieter place, or send the question as text.",
        )
    return heard
