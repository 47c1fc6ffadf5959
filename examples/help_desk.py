"""A help desk that sorts its messages by mood: the runtime inside someone else's app."""

import asyncio
import sys

from lstm_edge import LstmEdgeError, SentimentModel


async def sort(model: SentimentModel, message: str) -> str:
    answer = await model.ascore(message)
    desk = "thanks" if answer.label == "positive" else "trouble"
    return f"{desk}\t{answer.score:.2f}\t{message}\n"


async def main(messages: list[str]) -> None:
    with SentimentModel.load(threads=1) as model:
        sys.stdout.writelines(await asyncio.gather(*(sort(model, m) for m in messages)))


try:
    asyncio.run(main(sys.argv[1:]))
except LstmEdgeError as error:
    sys.exit(f"no sorting today: {error}")
