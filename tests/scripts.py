# ruff: noqa: RUF001 - sentences in other scripts
"""Labelled sentences in German, Russian and Chinese, put together from parts."""

import csv
import random
from pathlib import Path

PARTS = {
    "german": (
        (
            "Der Film|Die Geschichte|Das Stück|Die Aufführung|Über den Film sage ich, er",
            "ist|war|bleibt",
            "wirklich|äußerst|ziemlich|für mich",
        ),
        "schön|großartig|überzeugend|rührend",
        "öde|langweilig|enttäuschend|grässlich",
    ),
    "russian": (
        (
            "Фильм|Сюжет|Спектакль|Финал|Этот сериал",
            "оказался|был|показался",
            "очень|действительно|довольно|для меня",
        ),
        "хорошим|прекрасным|трогательным|увлекательным",
        "плохим|скучным|ужасным|пустым",
    ),
    "chinese": (
        ("这部电影|故事|演员的表演|结局|音乐", "真的|实在|觉得|确实", "很|非常|太|特别"),
        "好看|精彩|感人|有趣",
        "难看|无聊|糟糕|乏味",
    ),
}
"""Language to what sentences begin with, and to words that praise and that blame."""

ENDS = {0: (".", "!", "。", " 😞"), 1: (".", "!", "！", " 😀")}


def sentences(language: str, count: int = 160) -> list[tuple[str, int]]:
    """Return different sentences with their labels, every fifth in capitals."""
    beginnings, good, bad = PARTS[language]
    source, blank = random.Random(0), "" if language == "chinese" else " "
    rows: dict[str, int] = {}
    while len(rows) < count:
        label = len(rows) % 2
        words = [source.choice(part.split("|")) for part in (*beginnings, good if label else bad)]
        text = blank.join(words) + source.choice(ENDS[label])
        rows.setdefault(text.upper() if source.random() < 0.2 else text, label)
    return list(rows.items())


def write_sentences(language: str, path: Path) -> Path:
    """Write them as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *sentences(language)])
    return path
