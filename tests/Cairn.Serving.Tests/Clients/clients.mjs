// The official clients of OpenAI and Anthropic for JavaScript, driven line by line, so that the tests can say in C# what they expect of them.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

function client({ sdk, apiKey, baseURL }) {
  const options = { apiKey, maxRetries: 0, timeout: 60_000 };
  return sdk === 'anthropic' ? new Anthropic({ ...options, baseURL }) : new OpenAI({ ...options, baseURL: baseURL + '/v1' });
}

async function answer(question) {
  const { method, args = [], mode } = question;
  const call = method.split('.').reduce((owner, name) => {
    const value = owner[name];
    return typeof value === 'function' ? value.bind(owner) : value;
  }, client(question));
  switch (mode) {
    case 'list': {
      const all = [];
      for await (const item of call(...args)) all.push(item);
      return all;
    }
    case 'stream': {
      const all = [];
      for await (const event of await call(...args)) all.push(event);
      return all;
    }
    case 'upload':
      return await call({ ...args[1], file: createReadStream(args[0]) });
    case 'text':
      return await (await call(...args)).text();
    case 'abort': {
      const stream = await call(...args);
      for await (const event of stream) {
        stream.controller.abort();
        return event;
      }
      return null;
    }
    case 'finalChatCompletion':
    case 'finalMessage':
    case 'finalResponse':
      // The client's own assembly of a stream: it refuses one whose events are not as it expects.
      return await call(...args)[mode]();
    default:
      return await call(...args);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { value: (await answer(JSON.parse(line))) ?? null };
  } catch (error) {
    reply = { error: { kind: error.constructor.name, status: error.status ?? null, code: error.code ?? null, message: String(error.message) } };
  }
  process.stdout.write(JSON.stringify(reply) + '\n');
}
