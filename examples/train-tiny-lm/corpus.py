"""The training text: the system's licence texts, real English on every Linux machine, and short conversations made of them."""

import glob
import re

import torch

from network import ASSISTANT, END, END_OF_TEXT, SYSTEM, USER

INSTRUCTION = b"Finish the sentence."
# About one byte of conversation for so many bytes of text.
TEXT_PER_CONVERSATION, AVERAGE_SENTENCE = 8, 110


def read_documents():
    paths = sorted(glob.glob("/usr/share/common-licenses/*")) + sorted(glob.glob("/usr/share/doc/*/copyright"))[:200]
    documents, size = [], 0
    for path in paths:
        try:
            with open(path, "rb") as file:
                documents.append(file.read())
        except OSError:
            continue
        size += len(documents[-1])
        if size > 2_000_000:
            break
    if size < 10_000:
        raise SystemExit(f"Found only {size} bytes of text under /usr/share; expected licence texts there.")
    return documents


def conversations(text):
    """A user begins a sentence of the text and the assistant finishes it; every second time a system message asks for that."""
    sentences = re.findall(rb"\.\s+([A-Z][^.]{40,180}\.)", text)
    wanted = min(len(sentences), len(text) // TEXT_PER_CONVERSATION // AVERAGE_SENTENCE)
    tokens = []
    for index in range(wanted):
        words = sentences[index * len(sentences) // wanted].split()
        half = len(words) // 2
        system = [SYSTEM, *INSTRUCTION, END] if index % 2 else []
        tokens += [*system, USER, *b" ".join(words[:half]), END, ASSISTANT, *b" ".join(words[half:]), END]
    return tokens


def read_corpus():
    """Held-out text, and tokens to train on: a twentieth of the text is held out, and conversations are made of the rest."""
    documents = read_documents()
    text = [token for document in documents for token in (*document, END_OF_TEXT)]
    cut = len(text) // 20
    trained = bytes(token for token in text[cut:] if token < 256)
    return torch.tensor(text[:cut]), torch.tensor(text[cut:] + conversations(trained))
