"""What Python makes of an export.

    exported.py logits BASE MERGED ADAPTER IMAGE QUESTION PREFIX  writes PREFIX.ids, and PREFIX.base, .merged and .adapted: logits
    exported.py rows PARQUET                                      prints the table's rows as JSON
"""

import json
import sys


def logits(base, merged, adapter, image, question, prefix):
    import numpy
    import torch
    from peft import PeftModel
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    def load(folder):
        return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    content = [{"type": "image", "image": Image.open(image)}, {"type": "text", "text": question}]
    inputs = AutoProcessor.from_pretrained(merged).apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    inputs["input_ids"][0].numpy().astype(numpy.int32).tofile(f"{prefix}.ids")
    models = {"base": load(base), "merged": load(merged), "adapted": PeftModel.from_pretrained(load(base), adapter).eval()}
    for name, model in models.items():
        with torch.no_grad():
            model(**inputs).logits[0].numpy().tofile(f"{prefix}.{name}")


def rows(path):
    import pyarrow.parquet

    print(json.dumps(pyarrow.parquet.read_table(path).to_pylist()))


{"logits": logits, "rows": rows}[sys.argv[1]](*sys.argv[2:])
