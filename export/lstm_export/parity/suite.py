"""All inputs of a proof with the original's answers, asked for once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from lstm_runtime.text.tokenizer import TextEncoder
from lstm_training.data.examples import Examples

from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.parity.cases import Case, random_cases, text_cases
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.lengths import trained_lengths
from lstm_export.parity.self_test_texts import reference_texts
from lstm_export.reference.outputs import ModelOutput


@dataclass(frozen=True)
class ParitySuite:
    """Cases and what the original answers to them."""

    cases: tuple[Case, ...]
    "Random batches, the reference texts, and the user's own texts last."
    expected: tuple[ModelOutput, ...]
    "The original's answer to each case."
    plain: bool = False
    "Whether the answers are plain numbers, not probabilities."
    several: bool = False
    "Whether a text may have several labels, each with a probability of its own."
    threshold: float = 0.5
    "With one probability, from which on the second label is given."

    @property
    def without_data(self) -> "ParitySuite":
        """The same without the user's texts, of which there may be many thousands."""
        return self._only([not case.labelled for case in self.cases])

    def up_to(self, batch: int) -> "ParitySuite":
        """Return the cases of ``batch`` texts at most."""
        return self._only([len(case.ids) <= batch for case in self.cases])

    def _only(self, wanted: Sequence[bool]) -> "ParitySuite":
        cases = tuple(compress(self.cases, wanted))
        expected = tuple(compress(self.expected, wanted))
        return replace(self, cases=cases, expected=expected)


def build_suite(
    source: Source, original: Original, config: ExportConfig, data: Examples | None = None
) -> ParitySuite:
    """Choose the inputs that every file has to be equal on, and ask the original.

    Args:
        source: the trained model.
        original: gives the answers.
        config: whether the file takes text or ids, and whether it has states.
        data: the user's labelled texts.

    """
    graph = source.graph_encoder(config.interface)
    states = source.network.continuable and config.state != "none"
    cases = list(
        random_cases(
            source.network,
            graph,
            states=states,
            padding=source.padding,
            trained=trained_lengths(source),
        )
    )
    if source.encoder is not None:
        cases += _texts(source, graph, reference_texts(source), reference=True)
    if data is not None:
        cases += _texts(source, graph, data.texts, reference=False)
    activation = source.network.activation
    several = activation == "sigmoid" and source.network.classes > 1
    answers = tuple(map(original.answer, cases))
    return ParitySuite(tuple(cases), answers, activation == "none", several, source.threshold)


def _texts(
    source: Source, graph: TextEncoder | None, texts: Iterable[str], *, reference: bool
) -> list[Case]:
    encoder, as_text = source.required_encoder, graph is not None
    cases = text_cases(source.network, encoder, texts, as_text=as_text, reference=reference)
    return [case for case in cases if not reference or source.is_answerable(case.ids[0])]
