"""What a model of each task is for, and what it is not for: the words of its card; and which tasks train the same part.

Knows nothing about a particular model.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Purpose:
    """The words about a task. `pipeline`: the Hugging Face Hub's name of the task."""

    pipeline: str
    what: str
    use: str
    limits: str


_SENT_TO_A_PERSON = (
    "deciding about a person (credit, access, employment) without a person; texts of other kinds, languages or banks than"
    " the training data, before it has been measured on them."
)
_LABELLED = (
    "texts that carry none of its labels, to which it gives one all the same unless a threshold or label says no; "
)
_PURPOSES = {
    "understanding": Purpose(
        "text-classification",
        "One multilingual encoder with several linear heads that read a customer's message: what it wants, its mood, its"
        " needs and the things it names. Its mean vector is also one half of the retrieval space.",
        "routing and answering customers' messages to a bank, in Chinese and English.",
        _SENT_TO_A_PERSON,
    ),
    "classification": Purpose(
        "text-classification",
        "An encoder with a linear head that gives a text one of its labels, with a calibrated probability.",
        "sorting texts like those it was trained on.",
        _LABELLED + _SENT_TO_A_PERSON,
    ),
    "pair-classification": Purpose(
        "text-classification",
        "An encoder with a linear head that reads two texts together and gives the pair one of its labels.",
        "telling how two texts like those it was trained on stand to each other.",
        _LABELLED + _SENT_TO_A_PERSON,
    ),
    "multi-label": Purpose(
        "text-classification",
        "An encoder with a linear head that gives a text any number of its labels, each with its own probability.",
        "tagging texts like those it was trained on.",
        _SENT_TO_A_PERSON,
    ),
    "multi-task": Purpose(
        "text-classification",
        "One encoder with several linear heads, each with a task of its own; one pass gives what all of them say.",
        "reading several things at once in texts like those each head was trained on.",
        _LABELLED + _SENT_TO_A_PERSON,
    ),
    "tokens": Purpose(
        "token-classification",
        "An encoder with a linear head that marks spans of a text by kind.",
        "finding the named kinds of spans in texts like those it was trained on.",
        "being the only guard of personal data: a span that is missed is not masked; " + _SENT_TO_A_PERSON,
    ),
    "embedding": Purpose(
        "sentence-similarity",
        "An encoder whose mean vector is near for texts that belong together.",
        "search and grouping of texts like those it was trained on, by cosine similarity.",
        "scores as probabilities: only their order means something; " + _SENT_TO_A_PERSON,
    ),
    "reranking": Purpose(
        "text-ranking",
        "A cross-encoder that reads a question with a passage and gives the chance that the passage answers it.",
        "ordering the first hits of a search again.",
        "stating that an answer is true: it tells whether a passage is about the question; " + _SENT_TO_A_PERSON,
    ),
    "mlm": Purpose(
        "fill-mask",
        "An encoder adapted to a domain's texts by guessing masked words.",
        "a base to fine-tune.",
        "answering anything by itself; " + _SENT_TO_A_PERSON,
    ),
    "clm": Purpose(
        "text-generation",
        "A language model adapted to a domain's texts by guessing the next word.",
        "a base to fine-tune.",
        "talking to customers: it continues texts and follows no instructions; " + _SENT_TO_A_PERSON,
    ),
    "sft": Purpose(
        "text-generation",
        "A language model that was shown how to answer, with the loss on the answers alone.",
        "wording answers from approved passages, behind the checks of figures and sources.",
        "stating facts, rates or fees of its own accord: what it says must be held against a source; "
        + _SENT_TO_A_PERSON,
    ),
    "opinion": Purpose(
        "text-classification",
        "A linear model on hashed n-grams that reads what a text says of an entity it names: sentiment, and kind of risk event.",
        "sorting news and posts about companies, banks and products as they come in.",
        "acting on a single item without a person who has read it; " + _SENT_TO_A_PERSON,
    ),
    "speech": Purpose(
        "automatic-speech-recognition",
        "A Whisper model that was taught how certain speakers say certain words, for CTranslate2.",
        "transcribing speech like that it was trained on.",
        "acting on an amount, an account or a consent that it heard without reading it back; other languages, and recordings"
        " of other kinds, before it has been measured on them; " + _SENT_TO_A_PERSON,
    ),
}
_ALIASES = {"relevance": "reranking", "embedding-by-label": "embedding"}
_UNKNOWN = Purpose("other", "A model trained with OpenTeller.", "what it was trained for.", _SENT_TO_A_PERSON)


def kind_of(task: str) -> str:
    """The same for tasks that train the same part in different ways."""
    return _ALIASES.get(task, task)


def purpose_of(task: str) -> Purpose:
    """The words about a task; for one that is not described here, that little is said."""
    return _PURPOSES.get(kind_of(task), _UNKNOWN)
