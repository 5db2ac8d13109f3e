"""transformers' side of the full-size test: writes random weights, or compares logits.

    full_size.py write FOLDER          random weights beside the folder's configuration files
    full_size.py logits FOLDER PREFIX  prints the largest difference to PREFIX.logits of PREFIX.ids and PREFIX.pixels (of PREFIX.shape)
"""

import json
import sys
import time

import numpy
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


verb, folder = sys.argv[1:3]
if verb == "write":
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32).save_pretrained(folder)
    print(json.dumps({}))
else:
    prefix = sys.argv[3]
    start = time.perf_counter()
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    with open(f"{prefix}.shape") as file:
        shape = json.load(file)
    # Idefics3 stacks the tiles of each sample; others have one stack.
    shape = [1, *shape] if model.config.model_type == "smolvlm" else shape
    ids = torch.from_numpy(numpy.fromfile(f"{prefix}.ids", dtype=numpy.int32)).long()[None]
    pixels = torch.from_numpy(numpy.fromfile(f"{prefix}.pixels", dtype=numpy.float32)).reshape(shape)
    with torch.no_grad():
        logits = model(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids)).logits[0].numpy()
    ours = numpy.fromfile(f"{prefix}.logits", dtype=numpy.float32).reshape(logits.shape)
    report = {
        "difference": float(abs(logits - ours).max()),
        "seconds": time.perf_counter() - start,
        "peakBytes": peak_memory(),
    }
    print(json.dumps(report))
