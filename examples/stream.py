"""Watch an opinion move while a text is typed.

python examples/stream.py "It starts well, then it turns into an awkward, ridiculous mess."
"""

import sys

from lstm_edge import LstmEdgeError, SentimentModel


def main(text: str) -> None:
    with SentimentModel.load() as model:
        positive = model.metadata.labels[1]
        stream = model.stream()
        typed = ""
        for word in text.split():
            # A piece is read once: the LSTM's states are what the stream remembers. The space
            # behind the word shows that it is complete.
            answer = stream.push(word + " ")
            typed += word + " "
            print(f"{answer.scores[positive]:.2f}  {typed}")


try:
    main(" ".join(sys.argv[1:]) or "Dull at first, but what an ending!")
except LstmEdgeError as error:
    sys.exit(f"no opinion today: {error}")
