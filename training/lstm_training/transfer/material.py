"""What a run learns from: its labelled texts, with a teacher's opinion where one is asked for."""

from collections.abc import Sequence

from lstm_runtime.extras import requires_extra

from lstm_training.checkpoint import Checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.cache import stored_dataset
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import Dataset, prepare
from lstm_training.data.stored_texts import StoredTexts


def learning_material(
    examples: Examples, config: TrainingConfig, start: Checkpoint | None, unlabelled: Sequence[str]
) -> Dataset:
    """Return the texts of a run in ids.

    Args:
        examples: the labelled texts.
        config: how to train.
        start: the model to start from, if there is one.
        unlabelled: texts without labels, which a teacher labels.

    Raises:
        DataError: when the examples cannot be split or hold no words, or no teacher can be fitted.
        MissingExtraError: when a teacher is asked for, and what it needs is not installed.

    """
    known = start.vocabulary if start else None
    if isinstance(examples.texts, StoredTexts) and not config.distil:
        return stored_dataset(examples, examples.texts, config, known)
    if not config.distil:
        return prepare(examples, config, known)
    with requires_extra("distill"):
        from lstm_training.transfer.soft_labels import new_texts, with_soft_labels
    pool = new_texts(unlabelled, examples) if unlabelled else ()
    return with_soft_labels(prepare(examples, config, known, pool), pool, config.max_tokens)
