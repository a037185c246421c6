// The official openai client, driven line by line: one question in, one answer out, so that the tests can say in C# what they expect of it.
import OpenAI from 'openai';
import { createInterface } from 'node:readline';

async function answer({ baseURL, method, body, mode, abortAfter }) {
  const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0, timeout: 60_000 });
  const call = method.split('.').reduce((owner, name) => {
    const value = owner[name];
    return typeof value === 'function' ? value.bind(owner) : value;
  }, client);
  if (mode === 'whole') return await call(body);
  if (mode === 'list') {
    const all = [];
    for await (const item of await call()) all.push(item);
    return all;
  }
  if (mode === 'helper') {
    // The client's own assembly of a stream: it refuses one without role, reason or end.
    return await client.chat.completions.stream(body).finalChatCompletion();
  }
  const stream = await call({ ...body, stream: true });
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    if (abortAfter && chunks.length >= abortAfter) {
      stream.controller.abort();
      break;
    }
  }
  return chunks;
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { value: await answer(JSON.parse(line)) };
  } catch (error) {
    reply = {
      error: {
        kind: error.constructor.name, status: error.status ?? null, code: error.code ?? null, param: error.param ?? null, type: error.type ?? null,
        message: String(error.message), requestId: error.requestID ?? null,
      },
    };
  }
  process.stdout.write(JSON.stringify(reply) + '\n');
}
