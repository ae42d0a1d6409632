import { describe, expect, it } from 'vitest';
import { requestContent, responseContent, textOf } from './content.ts';
import type { Invocation } from './invocation.ts';
import { matchesMediaType } from './lambda-proxy.ts';

const RAW = Buffer.from([0x1f, 0x8b, 0xff, 0x00]);
const BASE64 = RAW.toString('base64');
const REPLACED = Buffer.from(RAW.toString('utf8'), 'utf8');

// What the conversions look at, and no more.
const callOf = (headers: Record<string, string>, body: Buffer, contentHandling?: string): Invocation =>
  ({
    headers: Object.entries(headers),
    body,
    method: { methodIntegration: { contentHandling } },
    deployment: { snapshot: { api: { binaryMediaTypes: ['image/png'] } } },
  }) as unknown as Invocation;

describe('"Content type conversions in API Gateway"', () => {
  it.each([
    ['image/png', undefined, RAW, RAW],
    ['image/png', 'CONVERT_TO_BINARY', RAW, RAW],
    ['image/png', 'CONVERT_TO_TEXT', RAW, Buffer.from(BASE64)],
    ['text/plain', undefined, RAW, REPLACED],
    ['text/plain', 'CONVERT_TO_TEXT', RAW, REPLACED],
    ['text/plain', 'CONVERT_TO_BINARY', Buffer.from(BASE64), RAW],
  ])('of a request: %s, %s', (type, handling, body, expected) => {
    expect(requestContent(callOf({ 'Content-Type': type }, body, handling))).toEqual(expected);
  });

  it.each([
    ['text/plain', 'text/plain', undefined, RAW, REPLACED],
    ['image/png', 'text/plain', undefined, Buffer.from(BASE64), RAW],
    ['image/png', 'text/plain', 'CONVERT_TO_TEXT', Buffer.from('text'), Buffer.from('text')],
    ['text/plain', 'image/png', undefined, RAW, Buffer.from(BASE64)],
    ['text/plain', 'image/png', 'CONVERT_TO_BINARY', RAW, RAW],
    ['image/png', 'image/png', undefined, RAW, RAW],
    ['image/png', 'image/png', 'CONVERT_TO_TEXT', RAW, Buffer.from(BASE64)],
  ] as const)('of an answer: accepts %s, is %s, %s', (accept, type, handling, body, expected) => {
    expect(responseContent(callOf({ Accept: accept }, Buffer.alloc(0)), handling, body, type)).toEqual(expected);
  });

  it('fails where text is no base64, and where a template would read binary', () => {
    expect(() => requestContent(callOf({}, Buffer.from('no base64!'), 'CONVERT_TO_BINARY'))).toThrow('Internal server error');
    expect(() => textOf(RAW)).toThrow('Internal server error');
  });

  it('knows a star on the right only', () => {
    expect(['image/png', '*/test', 'application/test'].map((type) => matchesMediaType(type, ['image/*', '*/test']))).toEqual([true, false, false]);
  });
});
