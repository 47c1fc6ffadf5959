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


_PARTS = re.compile(r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|\[\^?\]?|\{,\d*\}|.", re.DOTALL)
_IN_CLASS = {r"\s": r"\t-\r ", r"\S": r"\x00-\x08\x0e-\x1f!-\x{10ffff}"}
_ALONE = {r"\s": r"[\t-\r ]", r"\S": r"[^\t-\r ]", r"\Z": r"\z"}


def _for_re2(pattern: str) -> str:
    r"""Return a pattern of Python as RE2 reads it.

    RE2's ``\s`` lacks the vertical tab, and it has no ``\u0430``, ``\Z`` and ``{,3}``; a single dot
    is to ONNX Runtime a request for all characters, line ends too.
    """
    if pattern == ".":
        return "(?:.)"
    translated, in_class = "", False
    for part in _PARTS.findall(pattern):
        opens = part[0] == "[" and not in_class
        translated += _translated(part, in_class=in_class or opens)
        # A ] that stands first is a character; so is a [ within, but for the ] behind it.
        in_class = opens or (in_class and not part.endswith("]"))
    return translated


def _translated(part: str, *, in_class: bool) -> str:
    if part[:2] in {r"\u", r"\U"}:
        return rf"\x{{{part[2:]}}}"
    if part[:2] == "{," and not in_class:
        return "{0" + part[1:]
    return (_IN_CLASS if in_class else _ALONE).get(part, part)
