"""Labelled texts in folds that are alike in their labels."""

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from lstm_training.data.examples import Examples


def fold_of(examples: Examples, folds: int) -> NDArray[np.int64]:
    """Return the fold of each text, from 0 on, int64 ``[texts]``; the same in every run.

    Raises:
        DataError: when a label has fewer texts than there are folds.

    """
    examples.require_for_each(folds)
    found = np.zeros(len(examples), np.int64)
    splits = StratifiedKFold(folds, shuffle=True, random_state=0)
    for fold, (_, apart) in enumerate(splits.split(found, examples.labels)):
        found[apart] = fold
    return found
