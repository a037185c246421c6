"""A small language model of Llama's shape: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Modules bear the names that Llama's published checkpoints use, so that its weights are found where tools look for them.
Tokens 0 to 255 are bytes; those from 256 on are the special tokens below. The vocabulary is padded to a multiple of 8.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

SPECIAL_TOKENS = ["<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
END_OF_TEXT, SYSTEM, USER, ASSISTANT, END = range(256, 256 + len(SPECIAL_TOKENS))
SPECIAL_TOKENS += [f"<|reserved_{i}|>" for i in range(-(256 + len(SPECIAL_TOKENS)) % 8)]

# Heads of 32 and widths that are multiples of 32: what fused attention asks for, and what int4 in blocks of 32 divides.
CONFIG = dict(
    model_type="llama",
    architectures=["LlamaForCausalLM"],
    vocab_size=256 + len(SPECIAL_TOKENS),
    hidden_size=192,
    intermediate_size=384,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    head_dim=32,
    max_position_embeddings=256,
    rms_norm_eps=1e-5,
    rope_theta=10000.0,
    hidden_act="silu",
    tie_word_embeddings=False,
    bos_token_id=END_OF_TEXT,
    eos_token_id=[END_OF_TEXT, END],
    pad_token_id=END_OF_TEXT,
    torch_dtype="float32",
)


def rotary_tables(config):
    """cos and sin of every position: [positions, head_dim / 2] each (Su et al. 2021, RoFormer, section 3.2.2)."""
    half = config["head_dim"] // 2
    frequencies = config["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(config["max_position_embeddings"], dtype=torch.float64), frequencies)
    return angles.cos().float(), angles.sin().float()


def rotate(x, cos, sin):
    """Turns the first half of each head against the second, as Llama's published weights expect."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


class RMSNorm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(size)), epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, self.size = config["hidden_size"], config["head_dim"]
        self.heads, self.groups = config["num_attention_heads"], config["num_key_value_heads"]
        self.q_proj = nn.Linear(hidden, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(hidden, self.groups * self.size, bias=False)
        self.v_proj = nn.Linear(hidden, self.groups * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, hidden, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, _ = x.shape
        q = rotate(self.q_proj(x).view(batch, length, self.heads, self.size).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(batch, length, self.groups, self.size).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(batch, length, self.groups, self.size).transpose(1, 2)
        # Query heads i·n to i·n+n-1 share key head i.
        k, v = (part.repeat_interleave(self.heads // self.groups, 1) for part in (k, v))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(self.size) + mask).softmax(-1)
        return self.o_proj((weights @ v).transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj, self.up_proj = nn.Linear(hidden, inner, bias=False), nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = MLP(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(config["hidden_size"], config["rms_norm_eps"])


class TinyLM(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        cos, sin = rotary_tables(config)
        length = config["max_position_embeddings"]
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1), persistent=False)
        self.apply(self.initialise)

    @staticmethod
    def initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids):
        length = ids.size(1)
        x = self.model.embed_tokens(ids)
        for block in self.model.layers:
            x = block(x, self.cos[:length], self.sin[:length], self.mask[:length, :length])
        return self.lm_head(self.model.norm(x))


def generate(model, ids, most, choose):
    """Goes on after ids until an end token, the context or so many tokens; choose picks an id from the last logits."""
    ids, begin = list(ids), len(ids)
    with torch.no_grad():
        while len(ids) < min(begin + most, model.mask.size(0)):
            ids.append(choose(model(torch.tensor([ids]))[0, -1]))
            if ids[-1] in CONFIG["eos_token_id"]:
                break
    return ids[begin:]


def text_of(ids):
    return bytes(i for i in ids if i < 256).decode("utf-8", "replace")
