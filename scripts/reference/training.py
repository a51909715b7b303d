"""Both training runs, each from the stored adapters: the steps of MiniHF's training loops, drops and noise given."""
import math
import random
import re
import types
from unittest.mock import patch

import torch

from original import training_step
from patches import torch_random

LEARNING_RATE = 1e-3
OVERLAP_SPAN = 16
ROUTER_ROW, ROUTER_SPAN = 64, 8
KL_WEIGHT, KL_RAMP_STEPS = 0.1, 20
# The name of a stored value, and that of the variable in MiniHF's loop. The router's loss is its rec.
LOSSES = {"overlap": {"loss": "loss", "rec": "rec_loss", "kl": "kl_loss"}, "router": {"loss": "loss"}}


class Accelerator:
    """What a step asks of Accelerate, on one CPU; it keeps the gradients of the first step."""

    def __init__(self, trained):
        self.trained = trained
        self.gradients = None

    def backward(self, loss):
        loss.backward()
        if self.gradients is None:
            self.gradients = {name: p.grad.clone() for name, p in self.trained.named_parameters() if p.grad is not None}

    def reduce(self, values, _):
        return values


def run(kind, original, inputs, module, model, trained, namespace):
    """Takes MiniHF's steps over the inputs KIND.N.*; returns their values, and outputs and mean of the first step."""
    code = training_step(original.path(module.__name__))
    accelerator = Accelerator(trained)
    optimizer = torch.optim.Adam(trained.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99))
    names = vars(module) | {
        "accelerator": accelerator,
        "opt": optimizer,
        "device": "cpu",
        "epoch": 0,
        "print0": lambda *_, **__: None,
        # MiniHF counts from 0, so that the KL weight of its first step is 0; here steps count from 1.
        "i": 1,
    } | namespace
    # No step is a multiple of it.
    names["args"].save_every = math.inf
    losses, first = [], None
    for step in range(sum(1 for name in inputs if re.fullmatch(rf"{kind}\.\d+\.eps", name))):
        case = {name: inputs[f"{kind}.{step}.{name}"] for name in ("input_ids", "eps", "drop")}
        names["input_ids"] = case["input_ids"].long()
        names["attention_mask"] = inputs.get(f"{kind}.{step}.attention_mask", torch.ones_like(case["input_ids"])).long()
        index = inputs.get(f"{kind}.{step}.index")
        # MiniHF drops a prefix where its draw is below 0.5.
        draws = torch.where(case["drop"], 0.0, 1.0)
        with torch_random(rand=draws, randn_like=case["eps"]), patch.object(random, "randrange", lambda _: int(index)):
            exec(code, names)
        losses.append({theirs: names[theirs].item() for theirs in LOSSES[kind].values()})
        first = first or {name: names[name] for name in ("outputs", "mean") if name in names}
    finals = dict(trained.named_parameters())
    values = {}
    for name, gradient in accelerator.gradients.items():
        values[f"{kind}.grad.{stored_name(name)}"] = gradient
        values[f"{kind}.final.{stored_name(name)}"] = finals[name].detach()
    for ours, theirs in LOSSES[kind].items():
        values[f"{kind}.{ours}"] = torch.tensor([loss[theirs] for loss in losses])
    return values, first


def stored_name(name):
    """The name of a parameter without PEFT's wrapping: model.model.layers.0.. or vae.f.weight."""
    return re.sub(r"^(model\.)?base_model\.", "", name)


def overlap_values(original, inputs):
    """Values of overlap.*."""
    module = original.module("train_vae_overlap")
    vae = original.overlap_vae(module)
    vae.train()
    values, first = run("overlap", original, inputs, module, vae, vae, {
        "model": vae,
        "args": types.SimpleNamespace(context=OVERLAP_SPAN),
        "kl_sched": module.cosine_warmup(KL_RAMP_STEPS, KL_WEIGHT),
    })
    return values | {"overlap.0.logits": first["outputs"].logits.detach(), "overlap.0.mean": first["mean"].detach()}


def router_values(original, inputs):
    """Values of router.*: the adapter alone is trained."""
    module = original.module("train_vae_router")
    _, router = original.vae_and_router(module)
    values, _ = run("router", original, inputs, module, router, router.model, {
        "router": router,
        "args": types.SimpleNamespace(context=ROUTER_ROW, vae_context=ROUTER_SPAN),
    })
    return values
