"""cuda_placement.py PACKAGES MODEL...: opens each graph with the CUDA provider of the onnxruntime that was unpacked to
PACKAGES. What it says of where each node is placed goes to the standard error, as ONNX Runtime writes it."""

import sys

sys.path.insert(0, sys.argv[1])
import onnxruntime  # noqa: E402

options = onnxruntime.SessionOptions()
options.log_severity_level = 0
for model in sys.argv[2:]:
    print(f"GRAPH {model}", file=sys.stderr, flush=True)
    session = onnxruntime.InferenceSession(model, options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in session.get_providers():
        sys.exit("the CUDA provider was not taken")
