"""Answers one JSON line for each JSON line: Hugging Face's tokenizers as they are, and Jinja set up as the transformers library sets it up."""
import json
import sys
from datetime import datetime

import jinja2
import jinja2.ext
import jinja2.sandbox
from tokenizers import Tokenizer

loaded = {}


class Generation(jinja2.ext.Extension):
    """{% generation %} marks what the model wrote; it changes nothing in the text."""
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def render(asked):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.fromisoformat(asked["now"]).strftime(form)
    return environment.from_string(asked["template"]).render(**asked["variables"])


def load(asked):
    loaded[asked["name"]] = Tokenizer.from_str(json.dumps(asked["tokenizer"]))
    return True


def encode(asked):
    encoding = loaded[asked["name"]].encode(asked["text"], asked.get("pair"), add_special_tokens=asked["specials"])
    return {"ids": encoding.ids, "types": encoding.type_ids}


def truncate(asked):
    tokenizer = loaded[asked["name"]]
    tokenizer.enable_truncation(asked["most"])
    try:
        return encode(asked)
    finally:
        tokenizer.no_truncation()


does = {
    "tokenizer": load,
    "encode": encode,
    "truncate": truncate,
    "decode": lambda asked: loaded[asked["name"]].decode(asked["ids"], skip_special_tokens=asked["skip"]),
    "render": render,
}
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": does[asked["op"]](asked)}
    except Exception as error:  # what the oracle complains of is its answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
