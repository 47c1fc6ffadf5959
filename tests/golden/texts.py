"""The texts of the golden answers: chosen for what goes wrong between languages."""

from collections.abc import Iterator
from typing import Final

_REVIEW = (
    "I went in with no great hopes, and for the first half hour I was sure that I had been right: "
    "the dialogue is stiff and the lead seems to read from a card. Then, slowly, the film finds "
    "its feet; the ending, which could so easily have been sentimental, is honest and quiet. "
)

# What is lost, split or misread shows in the answer: the words around it change the label.
UNPORTABLE: Final = (
    "A good start.\0 Then awful, terrible, the worst film ever.",
    "\0wonderful",
    "wonder\0ful, aw\0ful",
    "İmagine a great film. İt is awful.",
    "\u212aids love it, \u212aeep away!",
    "aw\u0130ful wonder\u212aful",
    "A lone \ud800 high one, wonderful.",
    "A lone \udc00 low one, terrible.",
    "good\ud83d",
    "\ude00bad",
    "The wrong way round \ude00\ud83d is dull.",
    "\0\u0130\u212a\ud800",
)

ODD: Final = (
    "",
    " ",
    "\n\t\r\n",
    ".",
    "!",
    "?!?!",
    "'",
    "''''",
    "a",
    "Z",
    "0",
    "😀",
    "👍🏽👨‍👩‍👧‍👦 lovely",
    "I 😀 loved 😀 it",
    "素晴らしい映画でした。",
    "прекрасный фильм",
    "فيلم رائع",
    "Ein schöner Film – très émouvant!",
    "GREAT",
    "gReAt FiLm",
    "İstanbul'da harika",
    "ﬁne ﬁlm",  # ligatures
    "ｇｏｏｄ ｆｉｌｍ",  # full width
    "straße STRASSE",
    "caf\u00e9 and cafe\u0301",
    "\ufeffA good film with a byte-order mark.",
    "A\u00a0good\u2003film\u3000with\u200bspaces\u2028of\u2029many\x85kinds",
    "A\x0bgood\x0cfilm\x1fwith\x7fcontrol\x9fcharacters",
    "It's, it’s and it‘s",
    "don't don’t dont",
    "'quoted' ''twice'' o'clock'",
    "10/10, 1.5 of 5 stars; 3rd time",
    "e-mail: a_b@c.d, x=y&z #1 $5 50%",
    "<br /><br />Don't.<br/>Go!",
    "<script>alert('bad')</script>",
    '{"text": "good", "label": null}',
    "back\\slash \\n \\u0041 \\0",
    "two\nlines\r\nand\rmore",
    "word" * 100,
    "a " * 50,
    "!" * 60,
    "x" * 3000,
    "nonsense qwxzv brrfl snarkwibble 9781234",
    "\U0010ffff end of all planes \U00010000",
)

PLAIN: Final = (
    "One of the finest films I have ever seen.",
    "A dull, lifeless mess.",
    "Not bad at all. In fact I quite enjoyed it!",
    "It's not the worst film of the year, only the most boring one.",
    "I wanted to like it, but the plot makes no sense and the acting is terrible.",
    "Great.",
    "Awful?",
    _REVIEW,
    _REVIEW * 8,
    "Ten minutes of story in two hours of film. " * 40,
)

STREAMED: Final = (
    ("A dull, lifel", "ess mess. ", "I saw it on a Tues", "day with my aunt and her dog."),
    ("", "good", "", "", " film", ""),
    ("wonder", "fully acted", " and aw", "fully cut"),
    tuple("Not a bad film at all!"),
    ("\ud83d", "\ude00 one emoji in two ", "halves, go\0od"),
    (_REVIEW[:100], _REVIEW[100:101], _REVIEW[101:]),
    ("İ", "\u212a", ".", " "),
    ("A dull, ", "lifeless ", "mess. ", "... ", "I saw it on a Tuesday. "),
    ("Great ", "\0 ", "\u212aacting ", "and ", "wonderful music! "),
)
"""Texts in pieces, cut where it hurts."""

PATTERNS: Final = (
    "[a-z0-9']+|[!?]",
    r"\w+|[^\w\s]",
    r"\S+",
    r"[^ ]+",
    r"[a-z]+(?:\'[a-z]+)?",
    r"[a-z\-\']+",
    r"\b\w\w+\b",
    r"[\s]+|.",
    r"[0-9]{1,3}",
)
"""Token patterns that RE2, Python and JavaScript have to read alike."""


def golden_texts() -> Iterator[str]:
    """Yield every text, the plain ones first."""
    yield from PLAIN
    yield from ODD
    yield from UNPORTABLE
