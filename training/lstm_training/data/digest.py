"""A digest of texts: whether others have the same ones, in the same order."""

import hashlib
from collections.abc import Iterable
from typing import Protocol


class Digest(Protocol):
    """What ``hashlib`` makes."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""


def add_texts(digest: Digest, texts: Iterable[str]) -> None:
    """Add each of ``texts`` to a digest.

    The length keeps neighbours apart; JSON may smuggle in lone surrogates.
    """
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d " % len(content) + content)


def texts_digest(texts: Iterable[str]) -> str:
    """Return the SHA-256 of texts in their order."""
    digest = hashlib.sha256()
    add_texts(digest, texts)
    return digest.hexdigest()
