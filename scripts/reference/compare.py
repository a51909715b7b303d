"""How far computed values are from stored ones, and whether that is within the tolerance."""
import torch

TOLERANCE = 1e-4
# Of a gradient, Euclidean, against its length.
GRADIENT_TOLERANCE = 1e-5
# It shifts a softmax: its gradient is rounding noise.
NOISE = ("overlap.grad.vae.f.bias", "overlap.final.vae.f.bias")


def differences(computed, stored):
    """Rows (name, difference, tolerance) of tensors; a missing or further tensor and another shape differ by infinity."""
    for name in sorted(computed.keys() | stored.keys()):
        if name in NOISE:
            continue
        ours, theirs = computed.get(name), stored.get(name)
        if ours is None or theirs is None or ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            yield name, float("inf"), 0.0
        elif not theirs.is_floating_point():
            yield name, largest(ours.long() - theirs.long()), 0.0
        elif name.startswith("gguf."):
            # Bits: the largest values of a format may be far from 1, or nothing like numbers.
            yield name, largest(ours.view(torch.int32).long() - theirs.view(torch.int32).long()), 0.0
        elif ".grad." in name:
            yield name, ((ours - theirs).norm() / theirs.norm()).item(), GRADIENT_TOLERANCE
        else:
            seen = visible(name, stored)
            if seen is not None:
                ours, theirs = ours[seen], theirs[seen]
            yield name, largest(ours - theirs), TOLERANCE * max(1.0, largest(theirs))


def visible(name, stored):
    """Positions [B, T] that mean something where a row has padding."""
    if name.startswith("encode.") and name.endswith("hidden_last"):
        return stored[name.replace("hidden_last", "attention_mask")].bool()
    if name in ("decode.decoder_logits", "decode.router_logits"):
        prefix, target = stored["decode.prefix_mask"].bool(), torch.ones_like(stored["decode.target_ids"]).bool()
        z = torch.ones_like(prefix[:, :1])
        return torch.cat([z, prefix, target] if "decoder" in name else [prefix, z, target], dim=1)
    if name == "overlap.0.logits":
        mask = stored["overlap.0.attention_mask"].bool()
        prefix, target = mask.chunk(2, dim=1)
        return torch.cat([torch.ones_like(mask[:, :1]), prefix & ~stored["overlap.0.drop"], target[:, :-1]], dim=1)
    return None


def sampler_differences(computed, stored):
    """The same rows for samplers.json: of ids and texts, 0 where they are equal and infinity where not."""
    vector = torch.tensor(computed["task_vector"]) - torch.tensor(stored["task_vector"])
    yield "samplers.task_vector", largest(vector), TOLERANCE
    for name in sorted(computed["samplers"].keys() | stored["samplers"].keys()):
        ours, theirs = computed["samplers"].get(name), stored["samplers"].get(name)
        yield f"samplers.{name}", 0.0 if ours == theirs else float("inf"), 0.0


def largest(tensor):
    return tensor.abs().max().item() if tensor.numel() else 0.0


def report(rows):
    """Prints each row; returns whether all are within their tolerance."""
    failed = 0
    for name, difference, tolerance in rows:
        # A difference that is no number fails too.
        within = difference <= tolerance
        failed += not within
        print(f"{'  ' if within else '! '}{name:<72} {difference:.1e} of {tolerance:.1e}")
    print(f"{failed} values beyond their tolerance" if failed else "all values within their tolerance")
    return not failed
