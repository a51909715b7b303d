"""MiniHF's own classes and functions, loaded from a clone and made to run in fp32 on a CPU."""
import ast
import hashlib
import importlib.util
import os
import sys
import types
from unittest.mock import patch

# Ahead of the stand-in for `datasets`, which it would ask for.
import accelerate  # noqa: F401
import peft
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

COMMIT = "742156b28dd195cabb988e21b37147a15a32a8c7"
SHA256 = {
    "vae_infer": "cb354a75c2aba593530bbcbbbe9d28be693703c4bfe7c4e11fbb165b68902f88",
    "train_vae_overlap": "465a5b8cddfc219fa92d6870bb73b76cd222f005dbaa8c8d3cf799cbb34d0508",
    "train_vae_router": "91fe47d05aba4612bd35e01f7617a290334b904760b4c9449c52f1c7a6e3ad4d",
}


class Original:
    """MiniHF over one base and one set of adapters. `minihf`: a clone at COMMIT; `folder`: a folder with base/ and adapters/."""

    def __init__(self, minihf, folder):
        self.minihf = minihf
        self.base_folder = os.path.join(folder, "base")
        self.adapters = os.path.join(folder, "adapters")
        self.z_dim = load_file(os.path.join(self.adapters, "vae.safetensors"))["w_e.weight"].shape[0]
        self.lora = peft.LoraConfig.from_pretrained(os.path.join(self.adapters, "encoder"))
        self.lora.inference_mode = False

    def path(self, name):
        return os.path.join(self.minihf, f"{name}.py")

    def module(self, name):
        """One of MiniHF's files as a module of its own; its bf16, 4-bit base on a GPU becomes the base in fp32."""
        if not os.path.exists(self.path(name)) or sha256(self.path(name)) != SHA256[name]:
            raise SystemExit(f"{self.path(name)}: expected the file of commit {COMMIT}, got none or another; check that commit out.")
        spec = importlib.util.spec_from_file_location(name, self.path(name))
        module = importlib.util.module_from_spec(spec)
        # Only the part of MiniHF that is not run here uses it.
        unused = types.ModuleType("datasets")
        unused.load_dataset = None
        with patch.dict(sys.modules, {"datasets": unused}):
            spec.loader.exec_module(module)
        module.AutoModelForCausalLM = types.SimpleNamespace(from_pretrained=lambda *_, **__: self.base())
        module.BitsAndBytesConfig = lambda **_: None
        return module

    def base(self):
        """The base alone, in fp32."""
        return AutoModelForCausalLM.from_pretrained(self.base_folder, torch_dtype=torch.float32).eval()

    def tokenizer(self):
        return AutoTokenizer.from_pretrained(self.base_folder)

    def overlap_vae(self, module):
        """The encoder and decoder as train_vae_overlap.py builds them, from the stored adapters."""
        vae = module.DecoderOnlyTransformerVAE(self.base_folder, "cpu", z_dim=self.z_dim, lora_rank=self.lora.r)
        vae.load_pretrained(self.adapters, is_trainable=True)
        return vae

    def vae_and_router(self, module):
        """VAE and router in the order of main() of vae_infer.py; train_vae_router.py's is the same but for a router from scratch."""
        base = peft.get_peft_model(self.base(), self.lora)
        vae = module.DecoderOnlyTransformerVAE(base, "cpu", self.lora, z_dim=self.z_dim)
        vae.load_pretrained(self.adapters)
        base.requires_grad_(False)
        vae.vae.requires_grad_(False)
        vae.vae.w_d.requires_grad_()
        router = module.VAERouter(base, vae, "cpu", self.lora)
        router.load_pretrained(self.adapters, is_trainable=True)
        router.train()
        router.model.set_adapter("router")
        return vae, router


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def main_of(path):
    """The syntax tree of main() of one of MiniHF's files."""
    with open(path, encoding="utf8") as file:
        tree = ast.parse(file.read(), path)
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")


def compiled(body, path):
    return compile(ast.fix_missing_locations(ast.Module(body, [])), path, "exec")


class _Constants(ast.NodeTransformer):
    def __init__(self, constants):
        self.constants = constants

    def visit_Constant(self, node):
        if isinstance(node.value, (int, float)) and node.value in self.constants:
            return ast.copy_location(ast.Constant(self.constants[node.value]), node)
        return node


def inner_functions(path, namespace, constants):
    """The functions that main() defines, in `namespace`, with the numbers of `constants` replaced."""
    functions = [node for node in main_of(path).body if isinstance(node, ast.FunctionDef)]
    exec(compiled([_Constants(constants).visit(node) for node in functions], path), namespace)
    return namespace


def training_step(path):
    """The code of one step: what main() runs within `with accelerator.accumulate(..)`."""
    accumulate = next(
        node
        for node in ast.walk(main_of(path))
        if isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr).startswith("accelerator.accumulate(")
    )
    return compiled(accumulate.body, path)
