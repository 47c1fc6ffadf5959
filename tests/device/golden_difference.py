"""Print how far this device's answers are from the golden ones: needs the runtime alone.

python golden_difference.py answers.json
"""

import json
import os
import sys
from pathlib import Path

os.environ["LSTM_EDGE_KERNEL"] = "none"  # the golden answers are those of ONNX Runtime alone

from lstm_runtime import SentimentModel


def main() -> None:
    """Score every golden text."""
    golden = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    model = SentimentModel.load(provider="cpu")
    label = model.metadata.labels[1]
    worst = max(
        abs(model(item["text"]).scores[label] - item["probability"]) for item in golden["texts"]
    )
    allowed = golden["tolerance"]["aarch64"]
    print(
        f"{len(golden['texts'])} golden texts, largest difference {worst:.1e} (allowed {allowed})"
    )
    sys.exit(worst > allowed)


if __name__ == "__main__":
    main()
