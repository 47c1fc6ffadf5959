"""What the machine could do at most: int8 matrix products, as large and as small as the LSTM's."""

import numpy as np
from lstm_runtime.inference.session import import_onnxruntime
from onnx import TensorProto, helper
from timing import take_turns

onnxruntime = import_onnxruntime()


def products_per_second(rows: int, inner: int, columns: int, rounds: int = 30) -> float:
    """Return multiply-adds a second of ONNX Runtime's int8 product, on one thread.

    One run holds enough products for the overhead of a run not to count.
    """
    repeats = max(1, int(2e8 / (rows * inner * columns)))
    random = np.random.default_rng(0)
    weight = random.integers(-64, 64, (inner, columns)).astype(np.int8)
    nodes = [
        helper.make_node("MatMulInteger", [f"a{n}", "w"], [f"y{n}"])
        for n in range(min(repeats, 64))
    ]
    count = len(nodes)
    inputs = [
        helper.make_tensor_value_info(f"a{n}", TensorProto.UINT8, [rows, inner])
        for n in range(count)
    ]
    outputs = [
        helper.make_tensor_value_info(f"y{n}", TensorProto.INT32, [rows, columns])
        for n in range(count)
    ]
    graph = helper.make_graph(
        nodes,
        "products",
        inputs,
        outputs,
        [helper.make_tensor("w", TensorProto.INT8, weight.shape, weight.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feed = {f"a{n}": random.integers(0, 255, (rows, inner)).astype(np.uint8) for n in range(count)}
    seconds = take_turns({"run": lambda: session.run(None, feed)}, rounds)["run"]
    return count * rows * inner * columns / seconds


def products_per_token(layers: int, inputs: int, hidden: int) -> int:
    """Return the multiply-adds of one token in an LSTM whose layers are of one size."""
    return 4 * hidden * ((inputs + hidden) + (layers - 1) * 2 * hidden)
