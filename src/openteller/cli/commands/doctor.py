"""`teller doctor`: checks every part and says what to do."""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass

from openteller.assembly import Application
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import ConfigurationError, OpenTellerError
from openteller.core.records import Principal, Role
from openteller.registry.manifest import read_manifest
from openteller.runtime.loader import SERVED, UNDERSTANDING, shipped_artefact
from openteller.settings import Settings, load
from openteller.store import audit

_EXAMPLES = "examples:\n  teller doctor\n  teller doctor --json"
_OPERATOR = Principal(subject="doctor", role=Role.ADMIN, customer_id=None)
_LEAST_DISK = 1 << 30


@dataclass(frozen=True)
class Finding:
    """What one check found; `advice` is empty when all is well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def doctor(arguments: list[str]) -> int:
    """Check settings, secret, disk, store, audit chain, weights, model, knowledge, products and LLM; exit code 1 when one needs care."""
    parser = argparse.ArgumentParser(
        "teller doctor", description=doctor.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    findings = examine()
    if given.json:
        print(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=2))
    for finding in findings if not given.json else ():
        print(f"{'ok  ' if finding.ok else 'CARE'} {finding.check:10} {finding.found}")
        if finding.advice:
            print(f"     → {finding.advice}")
    return 0 if all(f.ok for f in findings) else 1


def examine() -> list[Finding]:
    """Every finding, in the order in which things depend on each other."""
    try:
        settings = load()
    except OpenTellerError as error:
        return [Finding("settings", False, error.message, f"{error.cause} {error.next_step}")]
    mode = "dev mode" if settings.dev else "production mode"
    findings = [Finding("settings", True, mode), _secret(settings), _disk(settings)]
    with closing(Application(settings)) as application:
        checks: dict[str, Callable[[Application], Finding]] = {
            "store": _store,
            "audit": _audit,
            "weights": _weights,
            "model": _model,
            "knowledge": _knowledge,
            "products": _products,
            "llm": _llm,
        }
        for name, check in checks.items():
            try:
                findings.append(check(application))
            except OpenTellerError as error:
                findings.append(Finding(name, False, error.message, f"{error.cause} {error.next_step}".strip()))
    return findings


def _secret(settings: Settings) -> Finding:
    if settings.dev and not settings.secret_key:
        return Finding("secret", True, "generated for dev mode")
    try:
        settings.signing_key()
    except ConfigurationError as error:
        return Finding("secret", False, error.cause, f"teller serve refuses to start. {error.next_step}")
    return Finding("secret", True, f"{len(settings.secret_key)} characters")


def _disk(settings: Settings) -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    writable = os.access(settings.data_dir, os.W_OK)
    ok = free > _LEAST_DISK and writable
    advice = "" if ok else "Free at least 1 GB, or point OPENTELLER_DATA_DIR at a folder that can be written."
    return Finding("disk", ok, f"{settings.data_dir}: {free / 2**30:.1f} GB free", advice)


def _store(application: Application) -> Finding:
    version = application.database.ping()
    revision = application.database.revision()
    return Finding("store", True, f"PostgreSQL {version}, schema {revision}")


def _audit(application: Application) -> Finding:
    with application.database.session(_OPERATOR) as session:
        check = audit.verify(session)
    advice = "" if check.intact else "Somebody changed the log. Compare with a backup, and tell compliance."
    found = f"{check.rows} rows, chain {'intact' if check.intact else f'broken at {check.broken_at}'}"
    return Finding("audit", check.intact, found, advice)


def _weights(application: Application) -> Finding:
    found = []
    for slot in SERVED:
        folder = application.artefact(slot)
        trained = f"trained {read_manifest(folder, verify=False).created_at:%Y-%m-%d}"
        kind = "shipped" if folder == shipped_artefact(SERVED[slot]) else f"champion {folder.name}"
        named = slot == UNDERSTANDING and application.settings.encoder
        found.append(f"{slot}: {f'OPENTELLER_ENCODER {folder}' if named else kind}, {trained}")
    return Finding("weights", True, "; ".join(found))


def _model(application: Application) -> Finding:
    today = local_date(utc_now(), application.settings.timezone)
    reading = application.reader.read("我的卡丢了", today, application.shelf().names)
    intent = reading.understanding.intent
    return Finding("model", True, f"understands 我的卡丢了 as {intent.label} ({intent.probability:.2f})")


def _knowledge(application: Application) -> Finding:
    count = application.library.count(_OPERATOR)
    advice = "" if count else "Import documents: teller knowledge import FILE, or teller demo load."
    return Finding("knowledge", count > 0, f"{count} documents", advice)


def _products(application: Application) -> Finding:
    count = len(application.shelf().products)
    return Finding("products", count > 0, f"{count} on sale", "" if count else "teller demo load")


def _llm(application: Application) -> Finding:
    url = application.settings.llm_url
    if not url:
        return Finding("llm", True, "none configured: approved texts are given as they stand")
    _ = application.dialogue
    return Finding("llm", True, f"{application.settings.llm_model or url}")
