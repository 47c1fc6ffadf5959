"""The texts whose answers travel inside every file, so that it can be verified where it lands.

They are chosen for what breaks: nothing at all, unknown words, markup, other scripts, negation,
and a review of several hundred words.
"""

from typing import Final

from lstm_export.checkpoint.source import Source
from lstm_export.parity.lengths import trained_lengths

_LONG_REVIEW = (
    "I went in with no great hopes, and for the first half hour I was sure that I had been right: "
    "the dialogue is stiff, the lighting is flat, and the lead seems to be reading from a card. "
    "Then, slowly, the film finds its feet. The scene in the station, with the two brothers who "
    "have not spoken for ten years, is played almost without words, and it is wonderful. From "
    "there on I did not look at my watch again. The music is never loud, the camera keeps its "
    "distance, and the ending, which could so easily have been sentimental, is honest and quiet. "
)

REFERENCE_TEXTS: Final = (
    "One of the finest films I have ever seen.",
    "A dull, lifeless mess.",
    "Not bad at all. In fact I quite enjoyed it!",
    "I wanted to like it, but the plot makes no sense and the acting is terrible.",
    "It's not the worst film of the year, only the most boring one.",
    "WONDERFUL! Funny, warm and beautifully acted; I'd see it again tomorrow.",
    "Don't waste your time.<br /><br />Really, don't.",
    "Great.",
    "Awful?",
    "",
    "Qwxzv brrfl snarkwibble 9781234",
    "Ein schöner Film 😀 – très émouvant, 素晴らしい, прекрасно.",
    "The book was better. The film has its moments, though; two stars for the music.",
    _LONG_REVIEW,
    _LONG_REVIEW * 4,
    "Ten minutes of story in two hours of film. " * 12,
)


def reference_texts(source: Source) -> tuple[str, ...]:
    """Return the texts that are no longer than those that the model was trained on, where known."""
    lengths, encoder = trained_lengths(source), source.encoder
    if not lengths or encoder is None:
        return REFERENCE_TEXTS
    return tuple(text for text in REFERENCE_TEXTS if len(encoder(text)) <= lengths[-1])
