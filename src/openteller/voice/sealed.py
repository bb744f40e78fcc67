"""A file of pieces, each encrypted by itself: what a killed process had written stays readable, and nothing lies on the disk
in clear.

    magic (6 bytes) · id of the key (8 hexadecimal digits) · then for each piece: length (4 bytes, big-endian), nonce (12),
    ciphertext with tag

AES-256-GCM (NIST SP 800-38D) with a random nonce for each piece, good for 2^32 pieces a key. The associated data is the file's
name and the piece's number, so that no piece can be moved within a file or to another. A writer holds the file locked until it
is closed; the system lets go of the lock when the writer dies.

What is not covered: how many pieces there are and how long each is can be seen; pieces cut off at the end are not missed here
(the audit log's hash of the whole file misses them); removal unlinks, so a medium may hold the ciphertext until it is written
over. Knows nothing about what the pieces hold.
"""

import fcntl
import hashlib
import itertools
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openteller.core.errors import ConfigurationError, Conflict, NotFound, UnreadableFile
from openteller.registry.durable import settle

_MAGIC = b"OTREC\x01"
_LENGTH = struct.Struct(">I")
_NONCE = 12
_LONGEST = 64 << 20  # bytes; a longer piece is none of ours


def key_id(key: bytes) -> str:
    """The first 8 hexadecimal digits of the key's SHA-256: tells keys apart, and gives none away."""
    return hashlib.sha256(key).hexdigest()[:8]


class SealedFile:
    """A new file to add pieces to, readable by its owner only.

    Args:
        path: where; its folders are made.
        name: what the pieces are bound to.
        key: 32 bytes.

    Raises:
        FileExistsError: there is such a file.
        OSError: the disk refuses.
    """

    def __init__(self, path: Path, name: str, key: bytes) -> None:
        self.path, self._name, self._cipher, self._number = path, name, AESGCM(key), 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._write(_MAGIC + key_id(key).encode())
        settle(path.parent)

    def add(self, piece: bytes) -> None:
        """Append a piece; it is on the disk when this returns. Raises OSError, and then leaves the file as it was."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, piece, _bound(self._name, self._number))
        self._write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1

    def _write(self, data: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, before)
            raise

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def pieces(path: Path, name: str, keys: Sequence[bytes]) -> Iterator[bytes]:
    """The pieces of a file in order; one that a dying writer left unfinished at the end is passed over.

    Raises:
        ConfigurationError: the key that it was written with is none of `keys`.
        UnreadableFile: it is no such file, was changed, or belongs to another name.
    """
    with path.open("rb") as file:
        cipher = AESGCM(_key_of(file, path, keys))
        for number in itertools.count():
            sealed = _next(file, path)
            if sealed is None:
                return
            try:
                piece = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(name, number))
            except (InvalidTag, ValueError) as error:
                raise _damaged(path, f"Piece {number} is not what was written.") from error
            yield piece


def _key_of(file: BinaryIO, path: Path, keys: Sequence[bytes]) -> bytes:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise _damaged(path, "It does not begin as a recording does.")
    wanted = file.read(8).decode("ascii", "replace")
    for key in keys:
        if key_id(key) == wanted:
            return key
    raise ConfigurationError(
        f"{path.name} is encrypted with another key.",
        cause=f"Its key has the id {wanted}; known are {', '.join(map(key_id, keys)) or 'none'}.",
        next_step="Add the former key to OPENTELLER_RECORDING_KEYS_OLD, a JSON list of keys.",
    )


def _next(file: BinaryIO, path: Path) -> bytes | None:
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if not _NONCE < length <= _LONGEST:
        raise _damaged(path, "A piece has a length that none was written with.")
    sealed = file.read(length)
    return sealed if len(sealed) == length else None


def _bound(name: str, number: int) -> bytes:
    return f"{name}/{number}".encode()


def _damaged(path: Path, cause: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name} cannot be read.", cause=cause, next_step="Restore it from a backup.")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a file that nobody writes to.

    Raises:
        NotFound: it is gone.
        Conflict: it is being written, or held by somebody else.
    """
    try:
        held = os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise NotFound(f"{path.name} is gone.") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_nlink == 0:
            raise NotFound(f"{path.name} is gone.")
        yield
    except BlockingIOError as error:
        raise Conflict(
            f"{path.name} is in use.",
            cause="Its call goes on, or another command has it.",
            next_step="Try again later.",
        ) from error
    finally:
        os.close(held)
