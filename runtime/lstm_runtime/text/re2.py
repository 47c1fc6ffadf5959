"""What the tokenisers in a graph take or cut at, in the syntax of RE2."""

import re

from lstm_runtime.text.tokenizer import Tokenizer


def graph_patterns(tokenizer: Tokenizer) -> tuple[str, ...]:
    """Return the patterns of a graph's tokenisers in their order.

    One for each blank, which parts a text; one for the tokens; and where characters are deleted,
    one for the pieces of a token between them.
    """
    blanks = tuple(map(re.escape, tokenizer.blanks))
    deleted = "".join(f"\\{c}" if c in r"\]^-[" else c for c in tokenizer.delete)
    return (*blanks, _for_re2(tokenizer.pattern), *([f"[^{deleted}]+"] if deleted else []))


def _for_re2(pattern: str) -> str:
    r"""Return a pattern of Python as RE2 reads it: its ``\s`` lacks the vertical tab."""
    translated, in_class = "", False
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        in_class = part == "[" or (in_class and part != "]")
        if part == r"\s":
            translated += r"\t-\r " if in_class else r"[\t-\r ]"
        elif part == r"\S" and not in_class:
            translated += r"[^\t-\r ]"
        else:
            translated += part
    return translated
