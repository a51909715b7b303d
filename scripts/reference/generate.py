#!/usr/bin/env python3
"""Reference values: what MiniHF's own classes compute with a small Mistral. README.md beside this file tells how to install and run it."""
import argparse
import json
import os
import shutil
import sys
import tempfile
import warnings

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["HF_HUB_OFFLINE"] = "1"
sys.dont_write_bytecode = True
warnings.filterwarnings("ignore")

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from cases import model_values
from compare import differences, report, sampler_differences
from fresh import fresh_cases, fresh_samplers, inputs_of, write_fresh_model
from original import COMMIT, Original
from patches import recorded
from quant import fresh_blocks, quant_values
from samplers import sampler_values
from training import overlap_values, router_values

# Logits of two programs differ by some 1e-6.
SAFE_LEAD = 1e-5
REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def main():
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    stored = Stored(arguments.inputs)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(arguments.out)) if arguments.out else None) as root:
        folder = os.path.join(root, "reference")
        inputs = stored.inputs(folder, arguments.seed)
        values = computed(Original(arguments.minihf, os.path.join(folder, "tiny-mistral")), *inputs)
        if arguments.out:
            write(folder, *values)
            os.rename(folder, arguments.out)
    if arguments.compare:
        cases, samplers, quant = values
        rows = [
            *differences(cases, stored.cases),
            *sampler_differences(samplers, stored.samplers),
            *differences(quant, stored.quant),
        ]
        sys.exit(0 if report(rows) else 1)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minihf", required=True, help=f"a clone of JD-P/minihf at {COMMIT}")
    parser.add_argument(
        "--inputs", default=os.path.join(REPOSITORY, "test", "fixtures", "reference"), help="the stored set (default: %(default)s)"
    )
    parser.add_argument("--out", help="folder to write the set to; it must not exist")
    parser.add_argument("--compare", action="store_true", help="compare with the stored set; exit with 1 where a value is beyond its tolerance")
    parser.add_argument("--seed", type=int, help="make a new set: weights and inputs drawn from this seed (default: those of the stored set)")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args()
    if not arguments.out and not arguments.compare:
        parser.error("expected --out or --compare, got neither; name a folder to write, or compare with the stored set")
    if arguments.compare and arguments.seed is not None:
        parser.error("expected --compare or --seed, got both; a new set has no stored values to compare with")
    if arguments.out and os.path.exists(arguments.out):
        parser.error(f"--out: expected a new folder, got {arguments.out}, which exists; name another or remove it")
    if arguments.out and not os.path.isdir(os.path.dirname(os.path.abspath(arguments.out))):
        parser.error(f"--out: expected a folder within one that exists, got {arguments.out}; make its parent first")
    return arguments


class Stored:
    """The stored set."""

    def __init__(self, folder):
        self.tiny = os.path.join(folder, "tiny-mistral")
        self.cases = load_file(os.path.join(self.tiny, "cases.safetensors"))
        self.quant = load_file(os.path.join(folder, "quant.safetensors"))
        with open(os.path.join(self.tiny, "samplers.json"), encoding="utf8") as file:
            self.samplers = json.load(file)

    def inputs(self, folder, seed):
        """Writes base and adapters to `folder`; returns the inputs of cases, samplers and blocks, as stored or drawn from the seed."""
        tiny = os.path.join(folder, "tiny-mistral")
        if seed is None:
            for part in ("base", "adapters"):
                shutil.copytree(os.path.join(self.tiny, part), os.path.join(tiny, part), copy_function=shutil.copyfile)
            return inputs_of(self.cases), self.samplers, {k: v for k, v in self.quant.items() if k.endswith(".bytes")}
        rng = np.random.default_rng(seed)
        write_fresh_model(self.tiny, tiny, rng)
        with open(os.path.join(tiny, "base", "config.json"), encoding="utf8") as file:
            vocab = json.load(file)["vocab_size"]
        return fresh_cases(inputs_of(self.cases), vocab, rng), fresh_samplers(self.samplers, rng), fresh_blocks(self.quant, rng)


def computed(original, cases, samplers, blocks):
    """The whole set: cases, samplers and blocks, inputs and values."""
    leads = []
    with recorded(torch, "argmax", lambda arguments, _: leads.append(lead(arguments[0]))):
        values = cases | model_values(original, cases)
        written = sampler_values(original, samplers)
    values |= overlap_values(original, cases) | router_values(original, cases)
    print(f"smallest lead of a written token over the next likeliest: {min(leads):.1e}")
    if min(leads) < SAFE_LEAD:
        print("a program that rounds in another order may write another token there; for held-out values take another seed")
    return {name: stored_type(value) for name, value in values.items()}, written, blocks | quant_values(blocks)


def lead(logits):
    first, second = logits.topk(2, dim=-1).values.unbind(-1)
    return (first - second).min().item()


def stored_type(value):
    """Integers as int32."""
    return (value.int() if value.dtype == torch.int64 else value).contiguous()


def write(folder, cases, samplers, quant):
    tiny = os.path.join(folder, "tiny-mistral")
    save_file(cases, os.path.join(tiny, "cases.safetensors"))
    save_file(quant, os.path.join(folder, "quant.safetensors"))
    with open(os.path.join(tiny, "samplers.json"), "w", encoding="utf8") as file:
        json.dump(samplers, file, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
