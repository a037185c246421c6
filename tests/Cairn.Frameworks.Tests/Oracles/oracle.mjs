// Answers one JSON line for each JSON line: tokenizers and chat templates as Hugging Face's JavaScript packages have them.
import { createInterface } from 'node:readline';
import { Tokenizer } from '@huggingface/tokenizers';
import { Template } from '@huggingface/jinja';

const tokenizers = new Map();
const does = {
  tokenizer: ({ name, tokenizer, config }) => (tokenizers.set(name, new Tokenizer(tokenizer, config)), true),
  encode: ({ name, text, pair, specials }) => tokenizers.get(name).encode(text, { text_pair: pair ?? null, add_special_tokens: specials }).ids,
  types: ({ name, text, pair }) =>
    tokenizers.get(name).encode(text, { text_pair: pair, add_special_tokens: true, return_token_type_ids: true }).token_type_ids,
  decode: ({ name, ids, skip }) =>
    tokenizers.get(name).decode(ids, { skip_special_tokens: skip, clean_up_tokenization_spaces: false }),
  normalize: ({ text, form }) => text.normalize(form),
  render: ({ template, variables }) => new Template(template).render(variables),
};
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let answer;
  try {
    answer = { value: does[asked.op](asked) };
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
