"""Cross-validation: every text is judged by a model that has not learned from it.

With few texts a held-out tenth says little: of 1,000 texts it is 100, whose accuracy has an
interval of some 14 points. Five models, each of which leaves another fifth out, are measured on all
of them.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lstm_runtime.text.tokenizer import Tokenizer

from lstm_training.api import MODEL_FILE, train
from lstm_training.checkpoint import Checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import drop_duplicates, same_words
from lstm_training.data.word_pattern import WORD_PATTERN
from lstm_training.evaluation.baselines import Baseline, fit_baselines
from lstm_training.evaluation.torch_predictor import TorchPredictor
from lstm_training.trainer.report import write_json

logger = logging.getLogger(__name__)

FOLDS_FILE = "folds.json"
_OWN = "this model"


@dataclass(frozen=True)
class CrossValidation:
    """What the models of all folds come to together."""

    models: Baseline
    "How they read the texts that each left out."
    by_fold: tuple[float, ...]
    "The accuracy of each."
    baselines: tuple[Baseline, ...]
    "How other methods read the same texts, fitted on what the models learned from."
    file: Path
    "Where this is written."

    def accuracies(self) -> dict[str, dict[str, Any]]:
        """Return accuracy, interval and counts of each method, the models last, as plain values."""
        return {
            one.name: {**asdict(one), "accuracy": one.accuracy, "interval": list(one.interval)}
            for one in (*self.baselines, self.models)
        }


def cross_validate(  # noqa: PLR0913 - what `train` takes, and how often
    config: TrainingConfig,
    examples: Examples,
    output: str | Path,
    folds: int,
    *,
    start: Checkpoint | None = None,
    unlabelled: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    baselines: bool = True,
) -> CrossValidation:
    """Train a model for each fold, and measure it on the fold that it has not learned from.

    The epoch that each keeps is chosen on a part of what it may learn from, so that no text has a
    say in the model that judges it. Copies count once.

    Args:
        config: how to train each model.
        examples: the texts.
        output: folder with a folder for each fold, as `train` writes it.
        folds: number of parts, 2 or more.
        start: as `train` takes it, like the arguments that follow.
        unlabelled: see there.
        resume: take up the fold that was stopped, and leave finished ones as they are.
        overwrite: start over where an earlier run was stopped.
        baselines: measure other methods on the same folds.

    Raises:
        DataError: when a label has too few texts.
        LstmEdgeError: as `train` does.

    """
    tokenizer = Tokenizer(start.pattern if start else config.pattern or WORD_PATTERN)
    distinct = drop_duplicates(examples, partial(same_words, tokenizer=tokenizer)).examples
    right: list[int] = []
    sizes: list[int] = []
    others: list[list[Baseline]] = []
    for n, (learned, judged) in enumerate(split_folds(distinct, folds, config.seed), start=1):
        logger.info("fold %d of %d", n, folds)
        folder = Path(output) / f"fold{n}"
        train(
            config, learned, folder, start=start, unlabelled=unlabelled, resume=resume,
            overwrite=overwrite, baselines=False,
        )  # fmt: skip
        found = TorchPredictor(folder / MODEL_FILE).predict(judged.texts)
        pairs = zip(found.guesses.tolist(), judged.labels, strict=True)
        right.append(sum(int(guess) == label for guess, label in pairs))
        sizes.append(len(judged))
        others.append(fit_baselines(learned, judged, tokenizer) if baselines else [])
    result = CrossValidation(
        Baseline(_OWN, sum(right), sum(sizes)),
        tuple(hits / size for hits, size in zip(right, sizes, strict=True)),
        tuple(_together(others, sum(sizes))),
        Path(output) / FOLDS_FILE,
    )
    write_json(result.file, {**result.accuracies(), "by_fold": list(result.by_fold)})
    return result


def split_folds(examples: Examples, folds: int, seed: int) -> Iterator[tuple[Examples, Examples]]:
    """Yield what to learn from and what to judge by, each text once in the second.

    Each label is in every fold, in its proportion.

    Raises:
        DataError: when a label has fewer texts than there are folds.

    """
    examples.require_for_each(folds)
    labels = np.array(examples.labels)
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    for n in range(folds):
        judged = set(by_label[n::folds].tolist())
        yield (
            examples.select(row for row in range(len(labels)) if row not in judged),
            examples.select(sorted(judged)),
        )


def _together(folds: list[list[Baseline]], texts: int) -> list[Baseline]:
    """Return each method with its answers to all folds, the best one last."""
    right = Counter[str]()
    for found in folds:
        right.update({one.name: one.right for one in found})
    return [Baseline(name, hits, texts) for name, hits in reversed(right.most_common())]
