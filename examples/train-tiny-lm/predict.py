"""What PyTorch says of a trained model, for comparison with what serves it. Reads a JSON list of prompts, each a list of token ids,
and writes for each the logits after its last token and what greedy decoding goes on with.

    echo '[[84, 104, 101]]' | python predict.py model 16
"""

import json
import sys

import torch

from network import CONFIG, TinyLM, generate


def main():
    folder, most = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    model = TinyLM(CONFIG)
    model.load_state_dict(torch.load(folder + "/model.pt", map_location="cpu"))
    answers = []
    for prompt in json.load(sys.stdin):
        with torch.no_grad():
            logits = model(torch.tensor([prompt]))[0, -1].tolist()
        answers.append(dict(logits=logits, greedy=generate(model, prompt, most, lambda last: int(last.argmax()))))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
