"""The other side of the bench: transformers + PyTorch, one JSON request a line on stdin, one JSON reply a line on stdout."""

import json
import os
import sys
import time

import torch
from transformers import AutoModelForImageTextToText

torch.set_num_threads(int(os.environ["BENCH_THREADS"]))
models = {}


def model_of(folder):
    if folder not in models:
        models.clear()
        models[folder] = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    return models[folder]


def write_random(request):
    """Writes random weights beside the configuration files of a folder."""
    from transformers import AutoConfig

    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(request["folder"])).save_pretrained(request["folder"])
    return {}


def batch_of(request):
    ids = torch.tensor(request["ids"], dtype=torch.long).repeat(request["batch"], 1)
    torch.manual_seed(1)
    pixels = torch.rand(request["batch"], 1, 3, request["side"], request["side"]) * 2 - 1
    return ids, pixels


def generate(request):
    model = model_of(request["folder"]).eval()
    ids, pixels = batch_of(request)
    start = time.perf_counter()
    with torch.no_grad():
        model.generate(
            input_ids=ids,
            pixel_values=pixels,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=request["tokens"],
            min_new_tokens=request["tokens"],
        )
    return {"seconds": time.perf_counter() - start}


def train(request):
    model = model_of(request["folder"]).train()
    if request["lora"] and not hasattr(model, "peft_config"):
        from peft import LoraConfig, get_peft_model

        names = ["q_proj", "v_proj"]
        pattern = r".*text_model.*\.(" + "|".join(names) + ")"
        models[request["folder"]] = model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=pattern))
    ids, pixels = batch_of(request)
    labels = ids.clone()
    labels[:, : -request["answer"]] = -100
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-5, weight_decay=0.01)
    seconds = []
    for _ in range(request["steps"]):
        start = time.perf_counter()
        loss = model(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids), labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds[1:])}


def load(request):
    models.clear()
    start = time.perf_counter()
    model_of(request["folder"])
    return {"seconds": time.perf_counter() - start}


def peak(_request):
    with open("/proc/self/status") as status:
        return {"bytes": next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))}


def reset(_request):
    models.clear()
    return {}


VERBS = {"write_random": write_random, "generate": generate, "train": train, "load": load, "peak": peak, "reset": reset}

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(VERBS[request["verb"]](request)), flush=True)
