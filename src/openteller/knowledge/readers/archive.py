"""The gate before a file that is a zip archive (DOCX, XLSX): what it would unpack to, and what its XML declares.

Everything is counted while it is unpacked piece by piece, not believed from the archive's own table.
"""

import io
import zipfile
import zlib

from openteller.knowledge.readers.reading import MAX_UNPACKED_BYTES, too_large, unreadable

_MAX_MEMBERS = 10_000
_MAX_RATIO = 150
_RATIO_FLOOR = 10 * 1024 * 1024
_BLOCK = 1 << 20
_XML = (".xml", ".rels", ".vml")
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def check(data: bytes, name: str, *, member: str, kind: str) -> None:
    """Let an Office file pass.

    Args:
        data: the file.
        name: its name, for messages.
        member: the member that every file of this kind has, e.g. ``word/document.xml``.
        kind: what the file should be, e.g. ``a Word document``.

    Raises:
        UnreadableFile: it is damaged, encrypted, of another kind, or its XML declares entities.
        TooLarge: it would unpack to too much.
    """
    next_step = f"Open it in its program, save it again as {kind} without a password, and import that."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if member not in archive.namelist():
                raise unreadable(name, f"is not {kind}", "Check the file's extension.", f"It has no {member}.")
            _check_table(archive, len(data), name)
            _unpack(archive, name)
    except _BROKEN as error:
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            cause = "It is encrypted, or in the format of Office before 2007."
        else:
            cause = f"It is damaged or of another type ({error})."
        raise unreadable(name, f"cannot be read as {kind}", next_step, cause) from error


def _check_table(archive: zipfile.ZipFile, packed: int, name: str) -> None:
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > _MAX_MEMBERS or total > MAX_UNPACKED_BYTES:
        raise too_large(name, f"unpacks to {len(members)} parts of {total >> 20} MB in all", "200 MB unpacked")
    if total > _RATIO_FLOOR and total > _MAX_RATIO * packed:
        raise too_large(name, f"unpacks to {total // max(packed, 1)} times its size", f"{_MAX_RATIO} times")


def _unpack(archive: zipfile.ZipFile, name: str) -> None:
    total = 0
    for member in archive.infolist():
        is_xml = member.filename.lower().endswith(_XML)
        with archive.open(member) as stream:
            tail = b""
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > MAX_UNPACKED_BYTES:
                    raise too_large(name, "unpacks to more than it declares", "200 MB unpacked")
                if is_xml and _declares(tail + block):
                    raise unreadable(
                        name, "declares XML entities", "Save it again from an office program and import that."
                    )
                tail = block[-16:]


def _declares(block: bytes) -> bool:
    # Without its zero bytes UTF-16 reads like ASCII, so that no encoding hides a declaration.
    plain = block.replace(b"\0", b"") if b"\0" in block else block
    return any(declaration in plain for declaration in _DECLARATIONS)
