"""Why a text is understood so. Nothing of it is stored. Knows nothing about models."""

from fastapi import APIRouter

from openteller.serving import errors
from openteller.serving.deps import Served, Staff
from openteller.serving.wire import ExplanationBody
from openteller.understanding.explaining import Explanation
from openteller.understanding.personal_data import drop_secrets

router = APIRouter(prefix="/v1/explanations", tags=["explanations"])


@router.post("", summary="Explain", responses=errors.responses(400, 401, 403, 413, 422, 429, 503))
def explain(body: ExplanationBody, staff: Staff, serving: Served) -> Explanation:
    """Which words of a text made the understanding give it an intent or a sentiment, and which spoke against it.

    Each word is left out in turn; its score is what the label's log-odds lose. The spans are places in the `text` of the
    answer, in code points.
    """
    return serving.application.explainer.explain(drop_secrets(body.text), body.head, body.label)
