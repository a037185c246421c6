"""Trains a small byte-level language model of Llama's shape on English text found on the machine, with DistributedDataParallel over gloo.

Reads RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT (set by Cairn for every task) and, optionally:
  STEPS            optimiser steps, default 200
  CAIRN_CHECKPOINT_DIR   where a checkpoint is kept across attempts, default ./checkpoints
Writes on rank 0 model/model.pt, model/config.json and model/metrics.json, and beside them what serves the model (export.py).
"""

import json
import math
import os
import time

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from corpus import read_corpus
from export import export
from network import ASSISTANT, CONFIG, END, USER, TinyLM, generate, text_of

RANK = int(os.environ.get("RANK", "0"))
WORLD_SIZE = int(os.environ.get("WORLD_SIZE", "1"))
STEPS = int(os.environ.get("STEPS", "200"))
CHECKPOINTS = os.environ.get("CAIRN_CHECKPOINT_DIR", "checkpoints")
CONTEXT = CONFIG["max_position_embeddings"]
BATCH, LEARNING_RATE, WARMUP, CHECKPOINT_EVERY = 6, 2e-3, 20, 60


def batch_of(data, generator):
    starts = torch.randint(len(data) - CONTEXT - 1, (BATCH,), generator=generator)
    rows = torch.stack([data[s : s + CONTEXT + 1] for s in starts])
    return rows[:, :-1], rows[:, 1:]


def learning_rate(step):
    if step < WARMUP:
        return LEARNING_RATE * (step + 1) / WARMUP
    return LEARNING_RATE * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / max(1, STEPS - WARMUP))))


def evaluate(model, data):
    generator = torch.Generator().manual_seed(1234)
    with torch.no_grad():
        losses = []
        for _ in range(4):
            x, y = batch_of(data, generator)
            losses.append(F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item())
    return sum(losses) / len(losses)


def samples(model):
    """The beginning of a text, and of a conversation, and how the model goes on."""
    generator = torch.Generator().manual_seed(7)

    def choose(logits):
        return int(torch.multinomial((logits / 0.7).softmax(-1), 1, generator=generator))

    begun = [*b"The license "]
    asked = b"You may not use this"
    say("sample: " + json.dumps(text_of(begun + generate(model, begun, 96, choose))))
    answer = generate(model, [USER, *asked, END, ASSISTANT], 96, choose)
    say("chat: " + json.dumps(dict(user=text_of(asked), assistant=text_of(answer))))


def say(text):
    print(text, flush=True)


def connect():
    if os.environ.get("MASTER_ADDR", "").startswith("127."):
        # All ranks share this machine: gloo must not guess an interface from the host's name.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    os.environ.setdefault("USE_LIBUV", "0")
    dist.init_process_group("gloo", rank=RANK, world_size=WORLD_SIZE)


def main():
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    connect()
    torch.manual_seed(0)
    model = TinyLM(CONFIG)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    checkpoint = os.path.join(CHECKPOINTS, "latest.pt")
    first, first_loss = resume(checkpoint, model, optimiser)
    parallel = DistributedDataParallel(model)

    held_out, data = read_corpus()
    generator = torch.Generator().manual_seed(100 + RANK + 1000 * first)
    tokens_per_step = BATCH * CONTEXT * WORLD_SIZE
    if RANK == 0:
        parameters = sum(p.numel() for p in model.parameters())
        say(f"{parameters:,} parameters, {len(data):,} tokens of text, {WORLD_SIZE} ranks, torch {torch.__version__}")
        if first:
            say(f"resumed from step {first}")
    first_loss = first_loss or evaluate(model, held_out)
    began = marked = time.monotonic()
    for step in range(first, STEPS):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step)
        x, y = batch_of(data, generator)
        loss = F.cross_entropy(parallel(x).flatten(0, 1), y.flatten())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if RANK == 0 and ((step + 1) % 10 == 0 or step == first):
            now = time.monotonic()
            steps = 1 if step == first else 10
            say(f"step {step + 1}/{STEPS} loss {loss.item():.4f} tokens/s {tokens_per_step * steps / (now - marked):.0f}")
            marked = now
        if (step + 1) % CHECKPOINT_EVERY == 0 and RANK == 0:
            save(checkpoint, dict(model=model.state_dict(), optimiser=optimiser.state_dict(), step=step + 1, first_loss=first_loss))
    finish(model, held_out, first_loss, time.monotonic() - began, tokens_per_step * (STEPS - first))


def resume(path, model, optimiser):
    """Rank 0 reads the checkpoint and hands it to all: a rank that was replaced has none, and all must go on from the same state."""
    states = [torch.load(path, map_location="cpu") if RANK == 0 and os.path.exists(path) else None]
    dist.broadcast_object_list(states, 0)
    if states[0] is None:
        return 0, None
    model.load_state_dict(states[0]["model"])
    optimiser.load_state_dict(states[0]["optimiser"])
    return states[0]["step"], states[0]["first_loss"]


def save(path, state):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def finish(model, held_out, first_loss, seconds, tokens):
    if RANK == 0:
        last_loss = evaluate(model, held_out)
        os.makedirs("model", exist_ok=True)
        torch.save(model.state_dict(), "model/model.pt")
        export(model, "model")
        metrics = dict(first_loss=round(first_loss, 4), last_loss=round(last_loss, 4), steps=STEPS, seconds=round(seconds, 1),
                       tokens_per_second=round(tokens / max(seconds, 1e-9)), ranks=WORLD_SIZE)
        for name, value in (("config", CONFIG), ("metrics", metrics)):
            with open(f"model/{name}.json", "w") as file:
                json.dump(value, file, indent=2)
        say(f"held-out loss {first_loss:.4f} -> {last_loss:.4f}, {metrics['tokens_per_second']} tokens/s")
        samples(model)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
