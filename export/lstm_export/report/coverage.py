"""How much of the texts at hand the vocabulary knows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lstm_runtime.text.tokenizer import TextEncoder

_EXAMPLES = 5


@dataclass(frozen=True)
class Coverage:
    """Tokens of some texts, and those that have no id."""

    tokens: int
    "Tokens of all texts."
    without_id: int
    "Those that are no words of the vocabulary."
    examples: tuple[str, ...]
    "The commonest of these."
    dropped: bool
    "Whether they are left out; else they are read as the unknown word."

    def sentence(self) -> str:
        """Return it in words."""
        share = self.without_id / max(self.tokens, 1)
        fate = "left out" if self.dropped else "read as the unknown word"
        some = f" (such as {', '.join(map(repr, self.examples))})" if self.examples else ""
        return (
            f"{self.without_id:,} of {self.tokens:,} tokens of the texts at hand have no id "
            f"({share:.1%}) and are {fate}{some}"
        )


def measure_coverage(encoder: TextEncoder, texts: Iterable[str]) -> Coverage:
    """Count the tokens of ``texts`` and those without an id."""
    known, total, missing = encoder.vocabulary.plain, 0, Counter[str]()
    for text in texts:
        tokens = encoder.tokenizer.tokens(text)
        total += len(tokens)
        missing.update(token for token in tokens if token not in known)
    examples = tuple(token for token, _ in missing.most_common(_EXAMPLES))
    dropped = encoder.vocabulary.unknown is None
    return Coverage(total, missing.total(), examples, dropped)
