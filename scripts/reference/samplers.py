"""The samplers that vae_infer.py defines within main(), with the noise off: z is the mean, tokens are the likeliest."""
import contextlib
import io
import types

import torch

from original import inner_functions
from patches import no_sampling

# avg's numbers in the model card's example, beside those of the repository.
CARD = {0.7: 0.5, 0.3: 0.5, 0.8: 0.7, 0.2: 0.3, 128: 256, 64: 128}
FUNCTIONS = {"generate": "bigvae_generate", "avg_repository": "bigvae_generate_avg", "avg_card": "bigvae_generate_avg"}
# The width of the published model's z, written out in MiniHF's task vectors.
PUBLISHED_Z_DIM = 768


class Decoded(str):
    """A text that knows the ids it was decoded from."""

    ids: list


class Tokenizer:
    """The tokenizer; a decoded text keeps its ids, since MiniHF returns texts and ids are what is compared."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __call__(self, *arguments, **named):
        return self.tokenizer(*arguments, **named)

    def decode(self, ids, **named):
        text = Decoded(self.tokenizer.decode(ids, **named))
        text.ids = ids.tolist()
        return text


def sampler_values(original, inputs):
    """samplers.json: for each sampler of `inputs` its inputs, ids and text, next_ids and next_text where it writes the next topic."""
    module = original.module("vae_infer")
    vae, router = original.vae_and_router(module)
    module.gumbel_like = torch.zeros_like
    tokenizer = Tokenizer(original.tokenizer())

    def functions(constants):
        namespace = vars(module) | {
            "tokenizer": tokenizer,
            "device": "cpu",
            "args": types.SimpleNamespace(z_dim=original.z_dim),
            "prose_samples": inputs["task_samples"],
        }
        return inner_functions(original.path("vae_infer"), namespace, constants | {PUBLISHED_Z_DIM: original.z_dim})

    repository, card = functions({}), functions(CARD)
    values = {"note": inputs["note"], "task_samples": inputs["task_samples"], "task_vector": None, "samplers": {}}
    # The samplers print what they write.
    with torch.no_grad(), no_sampling(vae.vae), contextlib.redirect_stdout(io.StringIO()):
        values["task_vector"] = repository["mk_task_vector"](vae, inputs["task_samples"])[0].tolist()
        for name, stored in inputs["samplers"].items():
            own = card if name == "avg_card" else repository
            arguments = {key: value for key, value in stored["inputs"].items() if key != "task"}
            result = own[FUNCTIONS.get(name, f"bigvae_generate_{name}")](vae, router, **arguments)
            values["samplers"][name] = {"inputs": stored["inputs"]} | texts_of(result, tokenizer)
    return values


def texts_of(result, tokenizer):
    """What a sampler returns, as ids and text: a text, a list of one, ids with their mask, or a text and the next topic."""
    if isinstance(result, tuple) and isinstance(result[0], torch.Tensor):
        result = tokenizer.decode(result[0][0], skip_special_tokens=True)
    text, *following = result if isinstance(result, tuple) else (result,)
    if isinstance(text, list):
        [text] = text
    values = {"ids": text.ids, "text": str(text)}
    for topic in following:
        values |= {"next_ids": topic.ids, "next_text": str(topic)}
    return values
