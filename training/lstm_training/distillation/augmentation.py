"""Augmentation: short texts that turn a word around ("not bad at all"), written out from patterns.

Reviews hold few of them, and n-grams read most of them wrongly. Patterns whose words decide the
label follow Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList"
(ACL 2020).
"""

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_training.distillation.config import AugmentationConfig
from lstm_training.distillation.corpus import text_key

PATTERNS = Path(__file__).with_name("augmentation.toml")
_SLOT = re.compile(r"\{(\w+)\}")
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
    positive: bool
    "Whether it praises."


def has_valence_shifter(sentence: str) -> bool:
    """Tell whether a sentence holds a word that may turn others around."""
    return _VALENCE_SHIFTER.search(sentence) is not None


def generate_examples(config: AugmentationConfig) -> tuple[TemplateExample, ...]:
    """Write texts out from the patterns, at random and each once.

    Every pattern gets the same number of tries, so one with few words gives fewer texts. The last
    part of them, ``config.joined``, are two of the others with one label, one after the other.
    """
    content = tomllib.loads(PATTERNS.read_text(encoding="utf-8"))
    patterns = _patterns(content)
    random = np.random.default_rng(config.seed)
    pairs = round(config.generated * config.joined)
    tries = math.ceil((config.generated - pairs) / len(patterns))
    spared = {text_key(text) for text in content["spared"]}
    found = {
        text_key(example.text): example
        for pattern in patterns
        for example in (_filled(pattern, content["words"], random) for _ in range(tries))
    }
    single = [example for key, example in found.items() if key not in spared]
    return (*single, *(_pair(single, random) for _ in range(pairs if single else 0)))


def _patterns(content: dict[str, Any]) -> list[TemplateExample]:
    """Return every pattern with its label, those under ``turns`` also mirrored."""
    mirror = content["mirror"] | {bad: good for good, bad in content["mirror"].items()}
    patterns = content["patterns"]
    mirrored = [
        _SLOT.sub(lambda slot: f"{{{mirror.get(slot[1], slot[1])}}}", pattern)
        for pattern in patterns["turns"]
    ]
    return [
        *(
            TemplateExample(pattern, positive=True)
            for pattern in patterns["turns"] + patterns["positive"]
        ),
        *(TemplateExample(pattern, positive=False) for pattern in mirrored + patterns["negative"]),
    ]


def _filled(
    pattern: TemplateExample, words: dict[str, list[str]], random: np.random.Generator
) -> TemplateExample:
    text = _SLOT.sub(lambda slot: str(random.choice(words[slot[1]])), pattern.text)
    return TemplateExample(text, pattern.positive)


def _pair(examples: list[TemplateExample], random: np.random.Generator) -> TemplateExample:
    """Return two examples that say the same as one text."""
    first, second = (examples[n] for n in random.integers(len(examples), size=2))
    while second.positive != first.positive:
        second = examples[random.integers(len(examples))]
    return TemplateExample(f"{first.text} {second.text}", first.positive)
