"""A new set's inputs, in the likeness of a stored set: the same shapes, scales and sides of padding, all values drawn anew."""
import glob
import os
import re
import shutil

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

# Ids below are the special tokens.
FIRST_ID = 3


def write_fresh_model(stored, folder, rng):
    """base/ and adapters/ of `folder`: random weights, configs and tokenizer as stored."""
    for part in ("base", "adapters"):
        shutil.copytree(os.path.join(stored, part), os.path.join(folder, part), copy_function=shutil.copyfile)
        for path in sorted(glob.glob(os.path.join(folder, part, "**", "*.safetensors"), recursive=True)):
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
            tensors = {name: normal_like(tensor, rng) for name, tensor in sorted(load_file(path).items())}
            save_file(tensors, path, metadata)


def fresh_cases(stored, vocab, rng):
    """The inputs of cases.safetensors."""
    return {name: fresh_case(name, stored[name], vocab, rng) for name in sorted(stored)}


def fresh_case(name, stored, vocab, rng):
    kind = name.split(".")[-1]
    shape = tuple(stored.shape)
    if kind.endswith("_ids"):
        return torch.from_numpy(rng.integers(FIRST_ID, vocab, shape, dtype=np.int32))
    if kind.endswith("_mask"):
        return torch.stack([fresh_mask(row, rng) for row in stored])
    if kind == "drop":
        return torch.from_numpy(rng.random(shape) < 0.5)
    if kind == "index":
        # Before two spans of 8 at the end of a row of 64.
        return torch.tensor(rng.integers(64 - 2 * 8), dtype=torch.int32)
    if kind == "uniforms":
        # Above 0, as the tests take their logarithm.
        return torch.from_numpy(rng.integers(1, 2**24, shape) / 2**24).float()
    return normal_like(stored, rng)


def fresh_mask(row, rng):
    """A row with padding gets another length of it, below half of the row, on the same side."""
    if row.all():
        return row
    padding = rng.integers(1, len(row) // 2)
    fresh = torch.ones_like(row)
    fresh[slice(None, padding) if row[0] == 0 else slice(-padding, None)] = 0
    return fresh


def normal_like(tensor, rng):
    """Normal numbers of the mean and standard deviation of `tensor`; a single value stays."""
    noise = torch.from_numpy(rng.standard_normal(tuple(tensor.shape), dtype=np.float32))
    return tensor.mean() + tensor.std(correction=0) * noise


def fresh_samplers(stored, rng):
    """samplers.json without its values: texts of random words of the stored ones, a text that stands twice the same twice."""
    words = sorted({word for text in texts(stored) for word in text.split()})
    fresh = {}

    def renewed(value):
        if isinstance(value, list):
            return [renewed(each) for each in value]
        if not isinstance(value, str) or value == "task_samples":
            return value
        if value not in fresh:
            text = " ".join(rng.choice(words, size=len(value)))
            fresh[value] = text[: len(value)]
        return fresh[value]

    return {
        "note": stored["note"],
        "task_samples": renewed(stored["task_samples"]),
        "samplers": {
            name: {"inputs": {key: renewed(value) for key, value in sampler["inputs"].items()}}
            for name, sampler in stored["samplers"].items()
        },
    }


def texts(stored):
    """Every text of a sampler's inputs, and the samples of the task."""
    yield from stored["task_samples"]
    for sampler in stored["samplers"].values():
        for value in sampler["inputs"].values():
            yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


INPUT = re.compile(r"(_ids|_mask|\.(eps|drop|index|uniforms|z))$")


def inputs_of(stored):
    """Those tensors of cases.safetensors that are inputs."""
    return {name: tensor for name, tensor in stored.items() if INPUT.search(name)}
