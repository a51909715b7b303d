#!/usr/bin/env python3
"""A folder that this project wrote, loaded by PEFT: encoder, decoder, router and head compute there what the engine computes.

Python, once (the versions of the published checkpoint; transformers 5.23.0 with peft 0.21.2 gave the same):
  python3 -m venv venv && venv/bin/pip install torch==2.13.0 transformers==4.34.1 peft==0.4.0 accelerate==0.25.0 huggingface-hub==0.17.3
Run, after `npm run build`:
  node scripts/peft/values.mjs pocket/base pocket values.safetensors
  venv/bin/python scripts/peft/load.py pocket/base pocket values.safetensors
It prints the largest difference of each tensor, and fails where one is more than 1e-4 of the tensor's largest value.
"""
import argparse
import json
import os

import peft
import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("base", help="folder of the base")
parser.add_argument("adapters", help="folder of encoder/, decoder/, router/ and vae.safetensors")
parser.add_argument("values", help="file of values.mjs")
arguments = parser.parse_args()
torch.set_grad_enabled(False)

base = AutoModelForCausalLM.from_pretrained(arguments.base, torch_dtype=torch.float32).eval()
model = PeftModel.from_pretrained(base, os.path.join(arguments.adapters, "encoder"), adapter_name="encoder")
for name in ("decoder", "router"):
    model.load_adapter(os.path.join(arguments.adapters, name), adapter_name=name)
head = {name: tensor.float() for name, tensor in load_file(os.path.join(arguments.adapters, "vae.safetensors")).items()}
values = load_file(arguments.values)
context, target = values["context"].long(), values["target"].long()


def linear(name, x):
    return x @ head[f"{name}.weight"].T + head[f"{name}.bias"]


def embed(ids):
    return model.get_input_embeddings()(ids)[None]


def run_bidirectional(embeddings):
    """Every token sees every token: old versions make the causal mask by a function of their module, newer ones take a mask of four dimensions."""
    module = __import__(type(base).__module__, fromlist=["*"])
    made = [name for name in ("_make_causal_mask", "_make_sliding_window_causal_mask") if hasattr(module, name)]
    if not made:
        length = embeddings.shape[1]
        return model(inputs_embeds=embeddings, attention_mask=torch.zeros(1, 1, length, length), output_hidden_states=True)
    causal = {name: getattr(module, name) for name in made}
    for name, make in causal.items():
        setattr(module, name, lambda *given, make=make, **named: torch.zeros_like(make(*given, **named)))
    try:
        return model(inputs_embeds=embeddings, output_hidden_states=True)
    finally:
        for name, make in causal.items():
            setattr(module, name, make)


def encode(ids):
    model.set_adapter("encoder")
    hidden = run_bidirectional(embed(ids)).hidden_states[-1]
    weights = torch.softmax(linear("f", hidden), 1)
    return linear("w_e", (weights * hidden).sum(1))[0], weights[0, :, 0]


def read(adapter, embeddings, masked=0):
    """Logits before each token of the target, the last ones; tokens 1 to `masked` are not seen and hold their positions."""
    model.set_adapter(adapter)
    length = embeddings.shape[1]
    mask = torch.ones(1, length, dtype=torch.long)
    mask[:, 1 : 1 + masked] = 0
    positions = torch.arange(length)[None]
    logits = model(inputs_embeds=embeddings, attention_mask=mask, position_ids=positions, use_cache=False).logits[0]
    # A masked token stands before the first one of the target: its place is z's.
    return torch.cat([logits[:1], logits[1 + masked :]]) if masked else logits[-len(target) :]


mean, pool_weights = encode(target)
z = linear("w_d", values["mean"])[None, None]
given, gap = embed(target[:-1]), int(values["gap"])
computed = {
    "mean": mean,
    "pool_weights": pool_weights,
    "decoder_logits": read("decoder", torch.cat([z, embed(context), given], 1)),
    "decoder_logits_without_context": read("decoder", torch.cat([z, embed(target[:1]).expand(1, gap, -1), given], 1), gap),
    "router_logits": read("router", torch.cat([embed(context), z, given], 1)),
}
differences = {name: float((tensor - values[name]).abs().max()) for name, tensor in computed.items()}
sizes = {name: float(values[name].abs().max()) for name in computed}
versions = {package.__name__: package.__version__ for package in (torch, transformers, peft)}
print(json.dumps({"versions": versions, "largest_difference": differences, "largest_value": sizes}, indent=2))
if any(not differences[name] <= 1e-4 * sizes[name] for name in computed):
    raise SystemExit("load.py: expected differences of at most 1e-4 of the largest value")
