"""Exports a trained model in the layout of onnxruntime-genai, which `cairn engine` and others serve:
model.onnx, genai_config.json, tokenizer.json, tokenizer_config.json and chat_template.jinja."""

import json
import os

from network import CONFIG, END, END_OF_TEXT, SPECIAL_TOKENS, rotary_tables
from onnx_file import FLOAT, INT32, INT64, Graph

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] not in ['system', 'user', 'assistant'] -%}
{{- raise_exception('The roles are system, user and assistant, not ' + message['role'] + '.') -}}
{%- endif -%}
{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""


def export(model, folder):
    os.makedirs(folder, exist_ok=True)
    write_graph(model.state_dict(), os.path.join(folder, "model.onnx"))
    write_json(folder, "genai_config", genai_config())
    write_json(folder, "tokenizer", tokenizer())
    write_json(folder, "tokenizer_config", tokenizer_config())
    with open(os.path.join(folder, "chat_template.jinja"), "w") as file:
        file.write(CHAT_TEMPLATE)


def write_json(folder, name, content):
    with open(os.path.join(folder, name + ".json"), "w") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)


def write_graph(weights, path):
    """Names and layout of tensors are those that onnxruntime-genai's model builder gives a Llama."""
    graph = Graph("train-tiny-lm")
    ids = graph.input("input_ids", INT64, ["batch_size", "sequence_length"])
    mask = graph.input("attention_mask", INT64, ["batch_size", "total_sequence_length"])
    cos, sin = (graph.floats(name, table) for name, table in zip(("cos_cache", "sin_cache"), rotary_tables(CONFIG)))
    lengths = (*mask_lengths(graph, mask), cos, sin)

    embedding = graph.floats("model.embed_tokens.weight", weights["model.embed_tokens.weight"])
    x = graph.node("Gather", [embedding, ids], "model/embed_tokens/Gather")
    for layer in range(CONFIG["num_hidden_layers"]):
        x = write_layer(graph, weights, layer, x, lengths)
    x = last_tokens(graph, norm(graph, "model.norm", weights["model.norm.weight"], x))
    graph.node("MatMul", [x, matrix(graph, "lm_head.MatMul.weight", weights["lm_head.weight"])], "logits")
    graph.output("logits", FLOAT, ["batch_size", "logits_length", CONFIG["vocab_size"]])
    graph.save(path)


def last_tokens(graph, x):
    """Serving needs the logits of a prompt's last token only. An input with a value of its own need not be given: whoever wants
    more logits gives another number, and 0 for all of them."""
    graph.input("num_logits_to_keep", INT64, [])
    keep, axis = graph.integers("num_logits_to_keep", [1], shape=[]), graph.integers("sequence_axis", [1])
    first = graph.node("Reshape", [graph.node("Neg", [keep], "lm_head/Neg"), axis], "lm_head/Reshape")
    end = graph.integers("sequence_end", [2**63 - 1])
    return graph.node("Slice", [x, first, end, axis], "lm_head/Slice")


def mask_lengths(graph, mask):
    """What fused attention asks for: each row's length less one, and the longest length of the batch."""
    one, first = graph.integers("one", [1]), graph.integers("first", [1], shape=[])
    total = graph.node("ReduceSum", [mask, one], "attn_mask_reformat/ReduceSum", keepdims=0)
    rows = graph.node("Sub", [total, one], "attn_mask_reformat/Sub")
    rows = graph.node("Cast", [rows], "attn_mask_reformat/seqlens_k", to=INT32)
    width = graph.node("Gather", [graph.node("Shape", [mask], "attn_mask_reformat/Shape"), first], "attn_mask_reformat/Gather")
    return rows, graph.node("Cast", [width], "attn_mask_reformat/total_seq_len", to=INT32)


def write_layer(graph, weights, layer, x, lengths):
    source, name = f"model.layers.{layer}.", f"model.layers.{layer}."

    def project(x, part, of):
        kind = "attn" if part == "self_attn" else part
        weight = matrix(graph, f"{name}{kind}.{of}.MatMul.weight", weights[f"{source}{part}.{of}.weight"])
        return graph.node("MatMul", [x, weight], f"{name}{kind}.{of}/MatMul")

    y = norm(graph, name + "input_layernorm", weights[source + "input_layernorm.weight"], x)
    q, k, v = (project(y, "self_attn", of) for of in ("q_proj", "k_proj", "v_proj"))
    y = project(attention(graph, layer, q, k, v, lengths), "self_attn", "o_proj")
    x = graph.node("Add", [x, y], name + "attn/Add")

    y = norm(graph, name + "post_attention_layernorm", weights[source + "post_attention_layernorm.weight"], x)
    gate = project(y, "mlp", "gate_proj")
    gate = graph.node("Mul", [gate, graph.node("Sigmoid", [gate], name + "mlp/Sigmoid")], name + "mlp/silu")
    y = project(graph.node("Mul", [gate, project(y, "mlp", "up_proj")], name + "mlp/Mul"), "mlp", "down_proj")
    return graph.node("Add", [x, y], name + "mlp/Add")


def attention(graph, layer, q, k, v, lengths):
    past, present = ([f"{when}.{layer}.{part}" for part in ("key", "value")] for when in ("past_key_values", "present"))
    heads, size = CONFIG["num_key_value_heads"], CONFIG["head_dim"]
    for name in past:
        graph.input(name, FLOAT, ["batch_size", heads, "past_sequence_length", size])
    for name in present:
        graph.output(name, FLOAT, ["batch_size", heads, "total_sequence_length", size])
    return graph.node(
        "GroupQueryAttention", [q, k, v, *past, *lengths], [f"model.layers.{layer}.attn/GroupQueryAttention", *present],
        domain="com.microsoft", num_heads=CONFIG["num_attention_heads"], kv_num_heads=heads, scale=size**-0.5, do_rotary=1,
        rotary_interleaved=0)


def norm(graph, name, weight, x):
    weight = graph.floats(name + ".weight", weight)
    return graph.node("SimplifiedLayerNormalization", [x, weight], name, axis=-1, epsilon=CONFIG["rms_norm_eps"], stash_type=1)


def matrix(graph, name, weight):
    """PyTorch keeps a layer's weight as [out, in]; MatMul wants [in, out]."""
    return graph.floats(name, weight.t())


def genai_config():
    context = CONFIG["max_position_embeddings"]
    return dict(
        model=dict(
            type="llama", bos_token_id=CONFIG["bos_token_id"], eos_token_id=CONFIG["eos_token_id"], pad_token_id=CONFIG["pad_token_id"],
            context_length=context, vocab_size=CONFIG["vocab_size"],
            decoder=dict(
                filename="model.onnx", head_size=CONFIG["head_dim"], hidden_size=CONFIG["hidden_size"],
                num_attention_heads=CONFIG["num_attention_heads"], num_hidden_layers=CONFIG["num_hidden_layers"],
                num_key_value_heads=CONFIG["num_key_value_heads"],
                inputs=dict(input_ids="input_ids", attention_mask="attention_mask", past_key_names="past_key_values.%d.key",
                            past_value_names="past_key_values.%d.value"),
                outputs=dict(logits="logits", present_key_names="present.%d.key", present_value_names="present.%d.value"),
                session_options=dict(log_id="onnxruntime-genai", provider_options=[]))),
        search=dict(
            max_length=context, min_length=0, do_sample=True, temperature=0.7, top_k=50, top_p=1.0, repetition_penalty=1.0, num_beams=1,
            num_return_sequences=1, length_penalty=1.0, early_stopping=True, past_present_share_buffer=True, diversity_penalty=0.0,
            no_repeat_ngram_size=0))


def byte_letters():
    """Byte-level tokenizers write every byte as one printable character: itself where it is one, else the next from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def special(name):
    return dict(content=name, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)


def tokenizer():
    """One token per byte, so there is nothing to merge."""
    vocabulary = {letter: byte for byte, letter in enumerate(byte_letters())}
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    return dict(
        version="1.0", truncation=None, padding=None,
        added_tokens=[dict(id=256 + index, **special(name)) for index, name in enumerate(SPECIAL_TOKENS)],
        normalizer=None, pre_tokenizer=byte_level, post_processor=None, decoder=byte_level,
        model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
                   byte_fallback=False, ignore_merges=False, vocab=vocabulary, merges=[]))


def tokenizer_config():
    named = dict(zip(("bos_token", "eos_token", "pad_token"), (SPECIAL_TOKENS[id - 256] for id in (END_OF_TEXT, END, END_OF_TEXT))))
    return dict(
        tokenizer_class="PreTrainedTokenizerFast", add_bos_token=False, add_eos_token=False, clean_up_tokenization_spaces=False,
        model_max_length=CONFIG["max_position_embeddings"], **named,
        added_tokens_decoder={str(256 + index): special(name) for index, name in enumerate(SPECIAL_TOKENS)})
