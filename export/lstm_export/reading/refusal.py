"""Why a way to call a module was given up, so that the most telling reason can be told."""

from lstm_export.errors import UnsupportedModelError


class OutsideFamilyError(UnsupportedModelError):
    """A module that no `lstm_export.network.Network` is equal to, as far as could be found out."""


class RefusalError(UnsupportedModelError):
    """One way to call a module led nowhere.

    Args:
        message: why.
        rank: how much it tells: `CALL`, `BATCH`, `UNSTEADY` or `READING`; of two that tell as much,
            the more usual call's counts.

    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


CALL, BATCH, UNSTEADY, READING = range(4)
"""It cannot be called so; it ran over the batch or answers for every word; it answers differently
twice; it does more than is known here."""


def most_telling(refusals: list[RefusalError], name: str) -> UnsupportedModelError:
    """Return the error for a module that no way to call it has led anywhere with."""
    best = max(refusals, key=lambda refusal: refusal.rank)
    if best.rank > CALL:
        kind = OutsideFamilyError if best.rank == READING else UnsupportedModelError
        return kind(str(best))
    reasons = "; ".join(dict.fromkeys(map(str, refusals)))
    return OutsideFamilyError(f"{name}.forward cannot be called on one text ({reasons})")
