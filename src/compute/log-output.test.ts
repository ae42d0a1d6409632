import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOG_BACKLOG_BYTES_MAX, LOG_EVENT_BYTES_MAX } from './limits.ts';
import { EnvironmentLog, LineSplitter } from './log-output.ts';

function split(chunks: readonly Buffer[]): string[] {
  const out: string[] = [];
  const splitter = new LineSplitter((message) => out.push(message));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.flush();
  return out;
}

describe('cutting output into events', () => {
  it('gives a line an event, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.nat(40), { minLength: 1 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line.replaceAll('\n', '')}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = (cuts[i % cuts.length] ?? 0) + 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(split(chunks).join('')).toBe(bytes.toString());
        expect(split(chunks)).toEqual(split([bytes]));
      }),
    );
  });

  it('keeps framed messages whole', () => {
    const framed = Buffer.concat([Buffer.from('a'), Buffer.from([0xff, 0x8a]), Buffer.from('b'), Buffer.from([0xff, 0x8b]), Buffer.from('\nnext\n')]);
    expect(split([framed])).toEqual(['a\nb', 'next\n']);
  });

  it('cuts what is longer than an event may be', () => {
    const sizes = split([Buffer.alloc(LOG_EVENT_BYTES_MAX * 2 + 5, 'x')]).map((message) => message.length);
    expect(sizes).toEqual([LOG_EVENT_BYTES_MAX, LOG_EVENT_BYTES_MAX, 5]);
  });
});

it('makes a function wait whose log is not stored as fast as it writes', async () => {
  const waiting: (() => void)[] = [];
  const sink = { backlogBytes: 0, write: () => {}, close: () => {}, onDrained: (listener: () => void) => void waiting.push(listener) };
  const log = new EnvironmentLog(sink, () => 0);
  const output = new PassThrough();
  log.follow([output]);
  sink.backlogBytes = LOG_BACKLOG_BYTES_MAX;
  output.write('line\n');
  await expect.poll(() => output.isPaused()).toBe(true);
  for (const drained of waiting) drained();
  expect(output.isPaused()).toBe(false);
  log.close();
});
