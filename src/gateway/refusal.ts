import type { WireResponse } from '../protocol/wire.ts';

/** A request that is answered outside of any AWS protocol: refused at the door, or Croft's own API. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  answer(): WireResponse {
    return jsonAnswer(this.status, { code: this.code, message: this.message }, this.headers);
  }
}

/** Croft's own API speaks JSON. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse {
  return { status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers }, body: `${JSON.stringify(body)}\n` };
}
