"""The only place where settings become objects: the store, the models, the parts, the road.

    settings ─▶ database ─▶ encoder ─▶ reader, library, retriever, gate ─▶ dialogue

`Application` is what the faces (serving, cli) hold. Knows nothing about HTTP or the command line.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path

from openteller import __version__
from openteller.assistant.answering import Answerer, Shelf
from openteller.assistant.composition import Composer
from openteller.assistant.dialogue import Dialogue
from openteller.assistant.gate import load_gate
from openteller.assistant.hand_offs.desk import HandOffDesk
from openteller.assistant.offer_desk import BankingOfferDesk
from openteller.assistant.spoken import said_ahead
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import ConfigurationError, OpenTellerError
from openteller.core.records import LocalText, Principal, Role, visitor
from openteller.customers.assessment.desk import AssessmentDesk
from openteller.customers.assessment.records import Rules
from openteller.customers.core_banking import CoreBanking
from openteller.customers.profile.desk import ProfileDesk
from openteller.customers.rest_banking import RestCoreBanking
from openteller.customers.store_banking import StoreCoreBanking
from openteller.feedback.desk import LabelDesk
from openteller.identity.accounts import Accounts
from openteller.insights.alerts.delivering import Courier, Sender
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.alerts.email import EmailSender, mail_server
from openteller.insights.alerts.records import Channel, Severity
from openteller.insights.alerts.webhook import WebhookSender
from openteller.insights.complaints.desk import ComplaintDesk
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.opinion.linking import EntityLinker
from openteller.insights.opinion.model import OpinionModel, shipped_model
from openteller.insights.opinion.reading import OpinionReader
from openteller.insights.opinion.repository import OpinionRepository
from openteller.insights.surveys.desk import SurveyDesk
from openteller.insights.trends.desk import TrendDesk
from openteller.insights.trends.watch import TrendWatch
from openteller.knowledge.library import Library
from openteller.knowledge.regression import RegressionDesk
from openteller.knowledge.retrieval import Retriever
from openteller.products.grade_desk import GradeDesk
from openteller.products.names import ProductNames
from openteller.products.repository import ProductRepository
from openteller.recommendation.notices.desk import NoticeDesk
from openteller.recommendation.product_vectors import KeptVectors
from openteller.recommendation.recommender import OfferModel, Recommender
from openteller.recommendation.suitability_desk import SuitabilityDesk
from openteller.registry.durable import replace_file
from openteller.registry.evidence import figures_of
from openteller.registry.gates import read_gates
from openteller.registry.manifest import MANIFEST, Manifest, read_manifest
from openteller.registry.registry import ModelRegistry, Witness
from openteller.registry.stages import Change
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import (
    BUILD_FORMAT,
    RELEVANCE,
    SERVED,
    UNDERSTANDING,
    Progress,
    load_encoder,
    load_reranker,
    serving_artefact,
    shipped_artefact,
    try_out,
)
from openteller.runtime.onnx_backend import EncoderEmbedder, OnnxEncoder
from openteller.runtime.protocols import Floats, Synthesizer, TextGenerator, Transcriber
from openteller.runtime.use_backend import JointEmbedder, SentenceEncoder
from openteller.settings import Settings
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.embedded import EmbeddedPostgres
from openteller.understanding.explaining import Explainer
from openteller.understanding.personal_data import redacted
from openteller.understanding.reader import Reader
from openteller.voice.bank_words import BANK_WORDS, WrittenWords
from openteller.voice.hearing import Hearing
from openteller.voice.recordings import Recordings
from openteller.voice.speech import Sentence, Speech
from openteller.voice.speech_cache import SpeechCache

_SHELF_SECONDS = 5.0
_ALL = 1_000_000
_STAFF = Principal(subject="assembly", role=Role.SERVICE, customer_id=None)


class ProductShelf:
    """The products on sale, read anew from the store at most every few seconds."""

    def __init__(self, database: Database, timezone: str) -> None:
        self._database, self._timezone = database, timezone
        self._repository = ProductRepository()
        self._lock = threading.Lock()
        self._shelf: Shelf | None = None
        self._names: tuple[object, ProductNames] | None = None
        self._read_at = 0.0

    def __call__(self) -> Shelf:
        """The shelf as of now."""
        with self._lock:
            if self._shelf is None or time.monotonic() - self._read_at > _SHELF_SECONDS:
                self._shelf = self._read()
                self._read_at = time.monotonic()
            return self._shelf

    def _read(self) -> Shelf:
        today = local_date(utc_now(), self._timezone)
        with self._database.session(_STAFF) as session:
            products = {p.id: p for p in self._repository.all(session, today)}
        if self._names is None or self._names[0] != products:
            self._names = (products, ProductNames(products.values()))
        return Shelf(products, self._names[1])


class Application:
    """One installation, ready to answer. Start-up work happens when a part is first asked for, or in `warm`.

    Args:
        settings: as loaded.
        progress: told about long start-up steps as (done, total, text).
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.settings = settings
        self._progress = progress

    @cached_property
    def database(self) -> Database:
        """The store, started if embedded, with its schema up to date."""
        database, self._close_database = open_database(self.settings)
        if not database.is_current():
            database.upgrade()
        return database

    @cached_property
    def catalogue(self) -> Catalogue:
        """The weights that can be had."""
        return open_catalogue(self.settings)

    def artefact(self, slot: str) -> Path:
        """The folder of the model that serves as `slot`: the one that the settings name, the champion, or what ships."""
        named = self.settings.encoder if slot == UNDERSTANDING else None
        return named or serving_artefact(slot, self.settings.data_dir)

    @cached_property
    def _encoder_and_manifest(self) -> tuple[OnnxEncoder, Manifest]:
        artefact = self.artefact(UNDERSTANDING)
        return load_encoder(artefact, self.catalogue, self.settings.data_dir, self.settings.threads, self._progress)

    @cached_property
    def embedder(self) -> JointEmbedder:
        """The retrieval space: the trained encoder beside a general sentence encoder (docs/decisions/0003)."""
        return JointEmbedder(EncoderEmbedder(self._encoder_and_manifest[0]), self._sentences)

    @cached_property
    def _sentences(self) -> SentenceEncoder:
        """The general sentence encoder; alone it is what groups the answers to surveys."""
        weights, vocabulary = map(self.catalogue.locate, ("use-multilingual", "use-multilingual-vocabulary"))
        return SentenceEncoder(weights, vocabulary)

    @cached_property
    def reader(self) -> Reader:
        """Understanding."""
        encoder, manifest = self._encoder_and_manifest
        return Reader(encoder, manifest.temperatures, self.settings.timezone, self.embedder)

    @cached_property
    def explainer(self) -> Explainer:
        """Why a text is understood so."""
        encoder, manifest = self._encoder_and_manifest
        return Explainer(encoder, manifest.temperatures)

    @cached_property
    def library(self) -> Library:
        """The bank's documents."""
        return Library(self.database, self.embedder, index_version=self._index_version)

    @cached_property
    def _index_version(self) -> str:
        files = self._encoder_and_manifest[1].files
        return hashlib.sha256("-".join([BUILD_FORMAT, *sorted(files.values())]).encode()).hexdigest()

    @cached_property
    def retriever(self) -> Retriever:
        """Search in the bank's documents."""
        settings = self.settings
        reranker = load_reranker(
            self.artefact(RELEVANCE), self.catalogue, settings.data_dir, settings.threads, self._progress
        )
        self._index_anew()
        return Retriever(self.database, self.embedder, reranker)

    def _index_anew(self) -> None:
        """Embed the documents again that another encoder than this one embedded; a note says when there are none."""
        note = self.settings.data_dir / "models" / "index-version"
        where = hashlib.sha256((self.settings.database_url or "").encode()).hexdigest()
        version = f"{self._index_version} {where}"
        if note.exists() and note.read_text("utf-8") == version:
            return
        self.library.reindex(progress=self._indexing)
        with suppress(OSError):  # then the next start looks again
            replace_file(note, version)

    def _indexing(self, done: int, total: int) -> None:
        if self._progress and total:
            self._progress(done, total, "indexing the documents for another encoder")

    @cached_property
    def shelf(self) -> ProductShelf:
        """The products on sale."""
        return ProductShelf(self.database, self.settings.timezone)

    @cached_property
    def banking(self) -> CoreBanking:
        """The customer's own data: the bank's REST service, or the demo store."""
        settings = self.settings
        if settings.core_banking_url:
            return RestCoreBanking(settings.core_banking_url, settings.core_banking_token, zone=settings.timezone)
        return StoreCoreBanking(self.database, settings.timezone)

    @cached_property
    def profiles(self) -> ProfileDesk:
        """What customers' movements say, and what customers say of it."""
        return ProfileDesk(self.database, self.banking, self.settings.timezone)

    @cached_property
    def embedded(self) -> KeptVectors:
        """Vectors of what is written about products; the encoder is opened for texts that it has not read yet."""
        return KeptVectors(
            self.settings.data_dir / "product-vectors.safetensors",
            (self.artefact(UNDERSTANDING) / MANIFEST).read_text(encoding="utf-8"),
            lambda texts: self.embedder.embed(texts, "passage"),
        )

    @cached_property
    def recommender(self) -> Recommender:
        """What decides on offers: with the champion of the registry's slot for offers, if there is one."""
        return Recommender(self.settings.timezone, open_offer_model(self.settings, self.embedded))

    @cached_property
    def offers(self) -> BankingOfferDesk:
        """Where offers are made."""
        return BankingOfferDesk(
            self.database,
            self.shelf,
            self.recommender,
            self.banking,
            Recommender(self.settings.timezone),
            self.settings.exploration,
        )

    @cached_property
    def accounts(self) -> Accounts:
        """Logins."""
        return Accounts(self.database)

    @cached_property
    def hand_offs(self) -> HandOffDesk:
        """Where staff take conversations over."""
        return HandOffDesk(self.database)

    @cached_property
    def regression(self) -> RegressionDesk:
        """The questions that articles must keep."""
        return RegressionDesk(self.database, self.library, self.retriever)

    @cached_property
    def registry(self) -> ModelRegistry:
        """The trained models; each change is a row of the audit log, or is not made."""
        return ModelRegistry(self.settings.data_dir, auditor(self.database))

    def promote(self, name: str, version: str, *, actor: str, reason: str) -> None:
        """Make a candidate of the registry the champion, if it loads as it would serve and passes the bank's gates.

        What serves in this process stays until it is started again. Raises what `ModelRegistry.promote` and `try_out` do.
        """
        folder, _ = self.registry.artefact(name, version)
        incumbent = None
        if name in SERVED:
            try_out(name, folder, self.catalogue, self.settings.data_dir, self.settings.threads)
            incumbent = figures_of(shipped_artefact(SERVED[name]))
        gates = read_gates(self.settings.data_dir / "gates.yaml", name)
        self.registry.promote(name, version, gates, actor=actor, reason=reason, incumbent=incumbent)

    @cached_property
    def feedback(self) -> LabelDesk:
        """Where staff correct what was understood. The labels are those of the model that serves, read once."""
        labels = cache(lambda: read_manifest(self.artefact(UNDERSTANDING), verify=False).labels)
        return LabelDesk(self.database, labels, redacted)

    @cached_property
    def alerts(self) -> AlertDesk:
        """Where alerts are raised; what is grave enough leaves by the channels that the settings name."""
        settings = self.settings
        least = {Channel.EMAIL: settings.alert_email_least, Channel.WEBHOOK: settings.alert_webhook_least}
        on = {Channel.EMAIL: settings.alert_smtp_url, Channel.WEBHOOK: settings.alert_webhook_url}
        return AlertDesk(self.database, {channel: Severity(least[channel]) for channel in Channel if on[channel]})

    @cached_property
    def courier(self) -> Courier:
        """What sends alerts."""
        return Courier(self.database, open_senders(self.settings))

    @cached_property
    def trends(self) -> TrendDesk:
        """Where trends of mood and need are read."""
        return TrendDesk(self.database, self.settings.timezone)

    @cached_property
    def trend_watch(self) -> TrendWatch:
        """What raises an alert when a trend changes."""
        return TrendWatch(self.database, self.alerts, self.settings.timezone)

    @cached_property
    def surveys(self) -> SurveyDesk:
        """Where surveys are authored, answered and analysed."""
        return SurveyDesk(
            self.database,
            self.alerts,
            redact=redacted,
            key=self.settings.signing_key,
            embed=lambda words: self._sentences.embed(words, "query"),
            zone=self.settings.timezone,
        )

    @cached_property
    def complaints(self) -> ComplaintDesk:
        """Where complaints are kept to their clock."""
        return ComplaintDesk(self.database, self.alerts, redact=redacted, zone=self.settings.timezone)

    @cached_property
    def assessments(self) -> AssessmentDesk:
        """Where investors are assessed."""
        settings = self.settings
        rules = Rules(
            months=settings.assessment_months,
            a_day=settings.assessments_a_day,
            a_year=settings.assessments_a_year,
        )
        return AssessmentDesk(self.database, rules, settings.timezone)

    @cached_property
    def grades(self) -> GradeDesk:
        """Where compliance grades products."""
        return GradeDesk(self.database)

    @cached_property
    def suitability(self) -> SuitabilityDesk:
        """The suitability wall for a customer and a product, and for everybody who holds one."""
        return SuitabilityDesk(self.database, self.banking, self.settings.timezone)

    @cached_property
    def notices(self) -> NoticeDesk:
        """Where holders of a product that was graded anew are told."""
        elsewhere = bool(self.settings.core_banking_url)
        return NoticeDesk(self.database, self.suitability, self.grades, elsewhere=elsewhere)

    @cached_property
    def hearing(self) -> Hearing:
        """What hears what was said. It expects the products on sale, and the words that people say to a bank."""
        written = WrittenWords(lambda: self.library.version(visitor("")), self._public_texts)
        engine = open_transcriber(self.settings, self.catalogue, in_haste=True)
        return Hearing(engine, self._spoken_words, written, script=self.settings.asr_script)

    def _public_texts(self) -> Iterator[str]:
        """What everybody may read, in Chinese: nobody's words are put right to what they may not know."""
        for document in self.library.list(visitor(""), language="zh", limit=_ALL):
            yield "\n".join((document.title, document.answer or "", document.body, *document.questions))

    def _spoken_words(self) -> Sequence[str]:
        settings, products = self.settings, self.shelf().products.values()
        names = (name for product in products for name in (product.name.zh, product.name.en))
        return (*BANK_WORDS, settings.bank_name_zh, settings.bank_name_en, *names)

    @cached_property
    def speech(self) -> Speech:
        """What says sentences."""
        settings = self.settings
        synthesizer, engine = open_synthesizer(settings, self.catalogue)
        cache = SpeechCache(settings.data_dir / "voice" / "cache", producer=settings.bank_name_zh)
        named = {"zh": settings.tts_voice_zh, "en": settings.tts_voice_en}
        return Speech(synthesizer, engine, cache, {language: voice for language, voice in named.items() if voice})

    def said_ahead(self) -> tuple[list[Sentence], int]:
        """What may be said to anybody, worth making first first; and how many begin a reply."""
        settings, everybody = self.settings, visitor("")
        documents = self.library.list(everybody, on=local_date(utc_now(), settings.timezone), limit=_ALL)
        return said_ahead(documents, self.shelf(), {"zh": settings.bank_name_zh, "en": settings.bank_name_en})

    @cached_property
    def recordings(self) -> Recordings:
        """The recordings of calls."""
        settings = self.settings
        folder = settings.data_dir / "voice" / "recordings"
        days, keys = settings.recording_days, settings.recording_keys
        return Recordings(folder, self.database, is_on=settings.recording, days=days, keys=keys)

    @cached_property
    def dialogue(self) -> Dialogue:
        """The road."""
        settings = self.settings
        bank = {"zh": settings.bank_name_zh, "en": settings.bank_name_en}
        generator = self._generator()
        return Dialogue(
            database=self.database,
            reader=self.reader,
            answerer=Answerer(self.retriever, load_gate()),
            offers=self.offers,
            banking=self.banking,
            shelf=self.shelf,
            bank=bank,
            timezone=settings.timezone,
            composer=Composer(generator, self.embedder, bank) if generator else None,
        )

    @cached_property
    def opinion(self) -> OpinionDesk:
        """What is said in public."""
        return OpinionDesk(self.database, self.settings.timezone)

    def opinion_reader(self) -> OpinionReader:
        """What reads it, with the list of entities as it stands now."""
        with self.database.session(_STAFF) as session:
            entities = OpinionRepository().entities(session)
        return OpinionReader(open_opinion_model(self.settings), EntityLinker(entities))

    def _generator(self) -> TextGenerator | None:
        url = self.settings.llm_url
        if not url:
            return None
        if url.startswith("llama:"):
            from openteller.runtime.decoder_files import open_generator

            return open_generator(url.removeprefix("llama:"), self.catalogue, self.settings.threads)
        if not self.settings.llm_model:
            raise ConfigurationError(
                "OPENTELLER_LLM_URL is set without a model.", next_step="Set OPENTELLER_LLM_MODEL to the model's name."
            )
        from openteller.runtime.openai_backend import OpenAIGenerator

        return OpenAIGenerator(url, self.settings.llm_model, self.settings.llm_api_key or None)

    def acting_for(self, principal: Principal, customer_id: str) -> Principal:
        """`principal` looking at a customer's data. Raises NotFound for a customer the bank does not know."""
        acting = principal.model_copy(update={"customer_id": customer_id})
        self.banking.profile(acting)
        return acting

    def warm(self) -> None:
        """Load everything that the first answer would otherwise wait for."""
        self.retriever.warm()
        shelf = self.shelf()
        self.reader.read("你好, hello", local_date(utc_now(), self.settings.timezone), shelf.names)
        _ = self.dialogue

    def health(self) -> dict[str, str]:
        """Status (ok or degraded), database, model and version."""
        checks: dict[str, Callable[[], str]] = {
            "database": self.database.ping,
            "model": lambda: (
                f"{self._encoder_and_manifest[1].name} {self._encoder_and_manifest[1].created_at:%Y-%m-%d}"
            ),
        }
        found = {}
        for name, check in checks.items():
            try:
                found[name] = check()
            except OpenTellerError as error:
                found[name] = f"unavailable: {error.message}"
        degraded = any(text.startswith("unavailable") for text in found.values())
        return {"status": "degraded" if degraded else "ok", **found, "version": __version__}

    def close(self) -> None:
        """Let go of the store; the embedded server stops when nobody else uses it."""
        if "recordings" in self.__dict__:
            self.recordings.close()
        if "database" in self.__dict__:
            self._close_database()


def auditor(database: Database) -> Witness:
    """A witness of the registry that writes each change of a slot as a row of the audit log."""

    @contextmanager
    def witness(name: str, changes: Sequence[Change]) -> Iterator[None]:
        with database.session(Principal(subject="registry", role=Role.ADMIN)) as session:
            for change in changes:
                detail = change.model_dump(mode="json", exclude={"actor", "version", "action"})
                audit.record(session, change.actor, f"model.{change.action}", f"{name}@{change.version}", detail)
            yield

    return witness


def open_catalogue(settings: Settings) -> Catalogue:
    """The weights that the settings give access to."""
    return Catalogue(settings.data_dir, hub_url=settings.hub_url)


def open_senders(settings: Settings) -> dict[Channel, Sender]:
    """What alerts leave by. Raises ConfigurationError for a channel that is described in part, or wrongly."""
    senders: dict[Channel, Sender] = {}
    if settings.alert_webhook_url:
        senders[Channel.WEBHOOK] = WebhookSender(settings.alert_webhook_url, settings.alert_webhook_secret)
    if settings.alert_smtp_url:
        bank = LocalText(zh=settings.bank_name_zh, en=settings.bank_name_en)
        server = mail_server(settings.alert_smtp_url)
        sender, recipients = settings.alert_email_from, settings.alert_email_to
        senders[Channel.EMAIL] = EmailSender(server, sender, recipients, bank, settings.timezone, settings.console_url)
    return senders


def open_offer_model(settings: Settings, embed: Callable[[Sequence[str]], Floats] | None = None) -> OfferModel | None:
    """What ranks offers; `embed` is for products that are newer than it.

    None as long as nothing was trained and promoted. Raises ModelUnavailable when it is damaged.
    """
    champion = ModelRegistry(settings.data_dir).champion("offers")
    if champion is None:
        return None
    from openteller.recommendation.offer_model import load  # SciPy and LightGBM take a second

    return load(champion, embed)


def open_opinion_model(settings: Settings) -> OpinionModel:
    """What reads public opinion: the champion, else what ships. Raises ModelUnavailable when the champion is damaged."""
    from openteller.insights.opinion import model

    champion = ModelRegistry(settings.data_dir).champion(model.SLOT)
    return shipped_model() if champion is None else model.load(champion / model.FILE)


def open_transcriber(settings: Settings, catalogue: Catalogue, *, in_haste: bool = False) -> Transcriber:
    """The engine for recognition that the settings name. in_haste: somebody waits for every word."""
    named, threads = settings.asr_url, settings.threads
    if named.startswith(("http://", "https://")):
        if not settings.asr_model:
            raise ConfigurationError(
                "OPENTELLER_ASR_URL is set without a model.",
                next_step="Set OPENTELLER_ASR_MODEL to the model's name.",
            )
        from openteller.runtime.openai_hearing_backend import OpenAITranscriber

        return OpenAITranscriber(named, settings.asr_model, settings.asr_api_key or None)
    if named.startswith("sherpa:"):
        from openteller.runtime.sherpa_hearing_backend import SherpaTranscriber

        return SherpaTranscriber(Path(named.removeprefix("sherpa:")), threads=threads)
    from openteller.runtime.whisper_backend import WhisperTranscriber
    from openteller.runtime.whisper_layout import WHISPER_BASE, whisper_folder

    model = settings.asr_model or WHISPER_BASE if named == "whisper" else named
    folder = whisper_folder(model, catalogue, settings.data_dir)
    cores = os.cpu_count() or 1
    # Somebody waits in a call: a tenth of the time for 3 % more errors, and two threads take a quarter less than one (lab/LOG.md).
    threads = min(max(threads, 2), cores) if in_haste else threads
    workers = max(1, cores // threads)
    return WhisperTranscriber(folder, threads=threads, workers=workers, beam_of_sentences=3 if in_haste else 5)


def open_synthesizer(settings: Settings, catalogue: Catalogue) -> tuple[Synthesizer, str]:
    """The engine for speech that the settings name, and its own name: what it says is kept under that."""
    named = settings.tts_url
    if named == "kokoro":
        from openteller.runtime.kokoro_backend import MODEL, open_kokoro

        print_of = catalogue.entry(MODEL).sha256[:8]
        return open_kokoro(catalogue, settings.data_dir, settings.threads), f"{MODEL} {print_of}"
    if named.startswith("sherpa:"):
        from openteller.runtime.sherpa_speech_backend import SherpaSynthesizer

        folder = Path(named.removeprefix("sherpa:"))
        return SherpaSynthesizer(folder, settings.threads), f"sherpa {folder.resolve()}"
    voices = {"zh": settings.tts_voice_zh, "en": settings.tts_voice_en}
    if not named.startswith(("http://", "https://")) or not settings.tts_model or not any(voices.values()):
        raise ConfigurationError(
            f"The engine for speech {named!r} cannot be used.",
            cause="It is neither kokoro, nor sherpa:<folder>, nor a server's URL with a model and voices.",
            next_step="Correct OPENTELLER_TTS_URL, and for a server OPENTELLER_TTS_MODEL, _TTS_VOICE_ZH and _TTS_VOICE_EN.",
        )
    from openteller.runtime.openai_speech_backend import OpenAISynthesizer

    named_voices = {language: (voice,) for language, voice in voices.items() if voice}
    return OpenAISynthesizer(named, settings.tts_model, named_voices, settings.tts_api_key or None), (
        f"{settings.tts_model} at {named}"
    )


def open_database(settings: Settings) -> tuple[Database, Callable[[], None]]:
    """The store alone, not migrated, and what closes it: for the commands that look after the schema."""
    if settings.database_url:
        database = Database(settings.database_url, settings.database_owner_url)
        return database, database.dispose
    embedded = EmbeddedPostgres(settings.data_dir)
    database = Database(*embedded.start())

    def close() -> None:
        database.dispose()
        embedded.stop()

    return database, close
