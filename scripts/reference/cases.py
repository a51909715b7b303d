"""Values of the model as it stands: the base, encode, decode, generate."""
from unittest.mock import patch

import torch

from patches import no_sampling, recorded, torch_random

WRITTEN = 48
GUMBEL_TAU = 0.9
CFG_SCALES = (1.25, 3)
PADDINGS = ("full", "left", "right")


def model_values(original, inputs):
    """Values of base.*, encode.*, decode.*, generate.* and ae_scale.* from the inputs of the same names."""
    module = original.module("vae_infer")
    vae, router = original.vae_and_router(module)
    with torch.no_grad():
        values = base_values(original.base(), inputs)
        for padding in PADDINGS:
            values |= encode_values(vae, inputs, f"encode.{padding}")
        values |= decode_values(vae, router, inputs)
        values |= generate_values(vae, router, inputs)
    values["ae_scale.z_rms"] = torch.sqrt(torch.mean(inputs["generate.z"] ** 2))
    return values


def base_values(base, inputs):
    outputs = base(input_ids=inputs["base.input_ids"].long(), output_hidden_states=True)
    return {
        "base.logits": outputs.logits,
        "base.hidden_1": outputs.hidden_states[1],
        "base.hidden_last": outputs.hidden_states[-1],
    }


def encode_values(vae, inputs, name):
    """The mean, and what pools it: hidden states after the last norm [B, T, D], weights [B, T]."""
    seen = {}
    with (
        recorded(vae.vae, "encode", lambda arguments, _: seen.update(hidden=arguments[0])),
        recorded(torch, "softmax", lambda _, result: seen.update(weights=result)),
    ):
        mean = vae.encode(inputs[f"{name}.input_ids"].long(), inputs[f"{name}.attention_mask"].long())
    return {f"{name}.mean": mean, f"{name}.hidden_last": seen["hidden"], f"{name}.pool_weights": seen["weights"].squeeze(-1)}


def decode_values(vae, router, inputs):
    """Logits of [z][prefix][target] by the decoder and of [prefix][z][target] by the router."""
    z = inputs["decode.z"]
    target, prefix, mask = (inputs[f"decode.{name}"].long() for name in ("target_ids", "prefix_ids", "prefix_mask"))
    ones = torch.ones_like(target)

    def given(*_):
        return z

    with no_sampling(vae.vae), patch.object(vae, "encode", given), patch.object(router, "encode", given):
        decoder, _ = vae(target, ones, prefix, mask)
        routed = router(target, ones, target, ones, prefix, mask)
    return {"decode.z_embed": vae.vae.decode(z), "decode.decoder_logits": decoder.logits, "decode.router_logits": routed.logits}


def generate_values(vae, router, inputs):
    """Tokens, each row its prefix and what is written behind it."""
    z, prefix = inputs["generate.z"], inputs["generate.prefix_ids"].long()
    ones = torch.ones_like(prefix)
    uniforms = inputs["generate.uniforms"]
    values = {
        "generate.decoder_greedy": vae.generate(z, prefix, ones, WRITTEN, tau=0),
        "generate.router_greedy": router.generate(z, prefix, ones, WRITTEN, tau=0),
    }
    for scale in CFG_SCALES:
        values[f"generate.cfg_{scale}_greedy"] = router.generate_cfg(z, prefix, ones, WRITTEN, tau=0, cfg_scale=scale)
    with torch_random(rand_like=list(uniforms)):
        values["generate.router_gumbel_0.9"] = router.generate(z, prefix, ones, len(uniforms), tau=GUMBEL_TAU)
    return values
