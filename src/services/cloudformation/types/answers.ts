import { timingSafeEqual } from 'node:crypto';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { virtualTimer } from '../../../kit/timer.ts';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { HttpEndpoint, Platform } from '../../service.ts';
import { ANSWER_BYTES_MAX, ANSWERS_MAX } from '../limits.ts';
import { answerKey, type Scope } from '../store.ts';

/** Where somebody outside answers a stack: a custom resource's function, or whoever signals a wait condition. */
export interface Answers {
  readonly stackId: string;
  readonly logicalId: string;
  readonly secret: string;
  /** Virtual time at which waiting ends. */
  readonly untilMs?: number;
  /** Whether the request was handed over; before that it is handed over again after a crash. */
  readonly asked?: boolean;
  /** What was sent, in order. */
  readonly bodies: readonly string[];
}

export async function readAnswers(platform: Platform, scope: Scope, place: string): Promise<Answers | undefined> {
  const value = await platform.store.get(answerKey(scope, place));
  return value && decodeJson<Answers>(value);
}

/** Opens a place for answers, or gives the one that is there. */
export function openAnswers(platform: Platform, scope: Scope, place: string, first: Omit<Answers, 'bodies' | 'secret'>): Promise<Answers> {
  const key = answerKey(scope, place);
  const fresh: Answers = { ...first, secret: Buffer.from(platform.ids.bytes(24)).toString('hex'), bodies: [] };
  return platform.store.transact({ keys: [key] }, (tx) => {
    const present = tx.get(key);
    if (present) return decodeJson<Answers>(present);
    tx.put(key, encodeJson(fresh));
    return fresh;
  });
}

export async function changeAnswers(platform: Platform, scope: Scope, place: string, change: (answers: Answers) => Answers): Promise<void> {
  const key = answerKey(scope, place);
  await platform.store.transact({ keys: [key] }, (tx) => {
    const present = tx.get(key);
    if (present) tx.put(key, encodeJson(change(decodeJson<Answers>(present))));
  });
}

export async function closeAnswers(platform: Platform, scope: Scope, place: string): Promise<void> {
  const key = answerKey(scope, place);
  await platform.store.transact({ keys: [key] }, (tx) => tx.delete(key));
}

/** The URL that answers are put to: as secret as AWS's signed ones. By address and plain HTTP, as functions reach this Croft. */
export function answerUrl(platform: Platform, scope: Scope, place: string, { secret }: Answers): string {
  return `http://127.0.0.1:${platform.address().port}/_aws/cloudformation-response/${scope.account}.${scope.region}.${place}?Signature=${secret}`;
}

/** The place that a URL made by {@link answerUrl} names; undefined where it is none. */
export function placeOfUrl(url: string): string | undefined {
  return /\/_aws\/cloudformation-response\/[^./]+\.[^./]+\.([0-9a-f-]+\.[0-9a-f-]+)(?:\?|$)/.exec(url)?.[1];
}

/** Thrown where waiting is of no use any more: the process stops, or the stack is in another operation. */
export class WaitAborted extends Error {}

/**
 * Waits until `enough` says so, or until virtual time `untilMs`. Resolves with the answers as they stand then.
 * Rejects with {@link WaitAborted} once `signal` is aborted.
 */
export async function waitForAnswers(
  platform: Platform,
  scope: Scope,
  place: string,
  options: { readonly untilMs: number; readonly signal: AbortSignal | undefined; readonly enough: (answers: Answers) => boolean },
): Promise<Answers | undefined> {
  return waitUntil(platform, answerKey(scope, place), options.signal, async (overdue) => {
    const answers = await readAnswers(platform, scope, place);
    return !answers || options.enough(answers) || overdue(options.untilMs) ? { found: answers } : { againMs: options.untilMs };
  });
}

export type Look<T> = { readonly found: T } | { readonly againMs?: number };

/** Looks again after each change under `key`, and at the virtual time that the last look named. */
export async function waitUntil<T>(
  platform: Platform,
  key: string,
  signal: AbortSignal | undefined,
  look: (overdue: (atMs: number) => boolean) => Promise<Look<T>>,
): Promise<T> {
  let wake: () => void = () => undefined;
  let changed = false;
  const notify = () => {
    changed = true;
    wake();
  };
  const timer = virtualTimer(platform.clock, notify);
  const unwatch = platform.store.watch(key, notify);
  signal?.addEventListener('abort', notify);
  try {
    for (;;) {
      if (signal?.aborted) throw new WaitAborted('nobody waits for the answer any more');
      changed = false;
      const seen = await look((atMs) => platform.clock.virtual() >= atMs);
      if ('found' in seen) return seen.found;
      if (seen.againMs !== undefined) timer.arm(seen.againMs);
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    timer.stop();
    unwatch();
    signal?.removeEventListener('abort', notify);
  }
}

/** Takes what is put to a URL of {@link answerUrl}; answers as the bucket does that AWS uses for it. */
export const answerEndpoint: HttpEndpoint = async ({ platform }, request) => {
  if (request.method !== 'PUT') return { status: 405, headers: { allow: 'PUT' }, body: '' };
  const [account = '', region = '', ...rest] = request.id.split('.');
  const place = rest.join('.');
  const scope = { account, region };
  const answers = await readAnswers(platform, scope, place);
  const given = Buffer.from(new URLSearchParams(request.query).get('Signature') ?? '');
  const right = Buffer.from(answers?.secret ?? '');
  if (!answers || given.length !== right.length || !timingSafeEqual(given, right)) return refusal(403, 'AccessDenied', 'Access Denied');
  const body = await readBody(request.body);
  if (body === undefined) return refusal(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  await changeAnswers(platform, scope, place, (present) =>
    present.bodies.length >= ANSWERS_MAX ? present : { ...present, bodies: [...present.bodies, body] },
  );
  return { status: 200, headers: {}, body: '' };
};

const refusal = (status: number, code: string, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

async function readBody(body: Buffer | AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
