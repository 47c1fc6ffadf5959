"""Augmentation: short texts, written out from patterns, whose words decide what they say.

Two sets: films with a word turned around ("not bad at all"), of which reviews hold few and n-grams
read most wrongly, and everyday English, which film reviews do not teach. After Ribeiro et al.,
"Beyond Accuracy: Behavioral Testing of NLP Models with CheckList" (ACL 2020).
"""

import csv
import math
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lstm_runtime.text.tokenizer import Tokenizer
from torch import Tensor

from lstm_training.distillation.config import AugmentationConfig
from lstm_training.distillation.text_key import text_key

FILM_PATTERNS = Path(__file__).with_name("augmentation.toml")
EVERYDAY_PATTERNS = Path(__file__).with_name("augmentation_everyday.toml")
NEUTRAL = 0.5
_STANCES = {"positive": 1.0, "negative": 0.0, "neutral": NEUTRAL}
"""What the label of a sentence in a table says."""

_OPENED = 0.2
"""Part of the texts that get an opening though they are new."""

_POSITIVE = 0.6
"""Least probability of a sentence that praises."""

_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b(a) (?=(?!one\b|uni|use)[aeiou]|hon|hour)", re.IGNORECASE)
_VALENCE_SHIFTER = re.compile(
    r"\b(not|never|no|nothing|nobody|none|neither|nor|without|hardly|cannot|but|although|despite"
    r"|though|instead)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TemplateExample:
    """A short text and what it says."""

    text: str
    "The words, in lower case at the start of a sentence."
    stance: float
    "1 where it praises, 0 where it blames, `NEUTRAL` where it does neither."


def has_valence_shifter(sentence: str) -> bool:
    """Tell whether a sentence holds a word that may turn others around."""
    return _VALENCE_SHIFTER.search(sentence) is not None


def generate_examples(config: AugmentationConfig) -> tuple[TemplateExample, ...]:
    """Write texts out from both sets of patterns, at random and each once.

    Every pattern gets the same number of tries. In the set of everyday English it also gives as
    many texts: what comes out twice gets an opening that says nothing, so that an idiom without a
    slot counts as much as a pattern with many; of films, a pattern with few words gives fewer. The
    last part of each set, ``config.joined``, are two of the others in a row that do not contradict.
    """
    films = _generate(load_patterns(FILM_PATTERNS), config.generated, config)
    return films + _generate(load_patterns(EVERYDAY_PATTERNS), config.everyday, config)


def balanced(probabilities: Tensor, seed: int) -> Tensor:
    """Return the positions of as many positive texts as negative ones, and of all between.

    Sentences with a *not* or a *but* blame twice as often as they praise, in reviews of films: a
    student that learned from all of them would take the word itself for blame.

    Args:
        probabilities: that each text is positive: more than 0.6 praises, less than 0.4 blames.
        seed: of the choice among the side that has more.

    """
    random = torch.Generator().manual_seed(seed)
    sides = [
        said.nonzero()[:, 0] for said in (probabilities > _POSITIVE, probabilities < 1 - _POSITIVE)
    ]
    few = min(map(len, sides))
    kept = torch.ones(len(probabilities), dtype=torch.bool)
    for side in sides:
        kept[side[torch.randperm(len(side), generator=random)[few:]]] = False
    return kept.nonzero()[:, 0]


@dataclass(frozen=True)
class PatternSet:
    """The patterns of a file, with what they are filled with."""

    patterns: tuple[TemplateExample, ...]
    "Texts with slots, such as ``the {dish} was {tasty}.``, mirrored ones among them."
    words: dict[str, list[str]]
    "What each slot can stand for."
    spared: frozenset[str]
    "Words of the texts that are not to be written out."
    openings: tuple[str, ...] = ()
    "What says nothing and may stand before a text, with slots too."
    sentences: tuple[TemplateExample, ...] = ()
    "Texts without slots, each of which counts as much as a pattern."

    def vocabulary(self) -> set[str]:
        """Return every word that the patterns can write, and those of more than one sentence."""
        texts = (*self.openings, *(pattern.text for pattern in self.patterns))
        filled = [_SLOT.sub(" ", text) for text in texts]
        filled += [word for words in self.words.values() for word in words]
        tokenizer = Tokenizer()
        counts = Counter(
            token for one in self.sentences for token in set(tokenizer.tokens(one.text))
        )
        often = {token for token, count in counts.items() if count > 1}
        return often | {token for text in filled for token in tokenizer.tokens(text)}


def load_patterns(path: Path) -> PatternSet:
    """Read a file of patterns; those under ``turns`` are there twice, as they are and mirrored.

    ``sentences`` names a table beside it, of texts without slots and what they say.
    """
    content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    mirror = content["mirror"] | {bad: good for good, bad in content["mirror"].items()}
    patterns = content["patterns"]
    mirrored = [
        _SLOT.sub(lambda slot: f"{{{mirror.get(slot[1], slot[1])}}}", pattern)
        for pattern in patterns["turns"]
    ]
    texts = {
        1.0: patterns["turns"] + patterns["positive"],
        0.0: mirrored + patterns["negative"],
        NEUTRAL: patterns.get("neutral", []),
    }
    return PatternSet(
        tuple(TemplateExample(text, stance) for stance in texts for text in texts[stance]),
        content["words"],
        frozenset(text_key(text) for text in content["spared"]),
        tuple(content.get("openings", ())),
        _read_sentences(path.with_name(content["sentences"])) if "sentences" in content else (),
    )


def _read_sentences(path: Path) -> tuple[TemplateExample, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return tuple(TemplateExample(row["text"], _STANCES[row["label"]]) for row in rows)


def _generate(
    source: PatternSet, count: int, config: AugmentationConfig
) -> tuple[TemplateExample, ...]:
    random = np.random.default_rng(config.seed)
    pairs = round(count * config.joined)
    written = source.patterns + source.sentences
    tries = math.ceil((count - pairs) / len(written))
    found: dict[str, TemplateExample] = {}
    for pattern in written:
        for _ in range(tries):
            example = TemplateExample(_filled(pattern.text, source.words, random), pattern.stance)
            if source.openings and (text_key(example.text) in found or random.random() < _OPENED):
                opening = _filled(str(random.choice(source.openings)), source.words, random)
                example = replace(example, text=f"{opening} {example.text}")
            found[text_key(example.text)] = example
    single = [example for key, example in found.items() if key not in source.spared]
    return (*single, *(_pair(single, random) for _ in range(pairs if single else 0)))


def _filled(text: str, words: dict[str, list[str]], random: np.random.Generator) -> str:
    filled = _SLOT.sub(lambda slot: str(random.choice(words[slot[1]])), text)
    return _ARTICLE.sub(r"\1n ", filled)


def _pair(examples: list[TemplateExample], random: np.random.Generator) -> TemplateExample:
    """Return two examples as one text, which says what either of them says."""
    first, second = (examples[n] for n in random.integers(len(examples), size=2))
    while {first.stance, second.stance} == {0.0, 1.0}:
        second = examples[random.integers(len(examples))]
    said = [one.stance for one in (first, second) if one.stance != NEUTRAL]
    return TemplateExample(f"{first.text} {second.text}", said[0] if said else NEUTRAL)
