import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Ctx } from '../service.ts';
import { TOKEN_MS } from './limits.ts';
import { keys, load, read, write } from './store.ts';

/** What `docker login` sends: signed by this data directory's own secret, good for twelve hours of real time. */

async function secretOf(ctx: Ctx): Promise<string> {
  const { store, ids } = ctx.platform;
  const known = await load<string>(store, keys.secret);
  if (known !== undefined) return known;
  const fresh = ids.bytes(32).toString('hex');
  return store.transact({ keys: [keys.secret] }, (tx) => {
    const there = read<string>(tx, keys.secret);
    if (there === undefined) write(tx, keys.secret, fresh);
    return there ?? fresh;
  });
}

const sign = (secret: string, account: string, untilMs: number) => createHmac('sha256', secret).update(`${account} ${untilMs}`).digest('hex');

/** The password of the user `AWS`. */
export async function makeToken(ctx: Ctx): Promise<{ password: string; expiresMs: number }> {
  const expiresMs = ctx.platform.clock.real() + TOKEN_MS;
  return { password: `${ctx.account}.${expiresMs}.${sign(await secretOf(ctx), ctx.account, expiresMs)}`, expiresMs };
}

/** Whether an `Authorization` header carries a token of this Croft that has not expired. */
export async function isAuthorized(ctx: Ctx, header: string | undefined): Promise<boolean> {
  const [, base64 = ''] = /^Basic (.+)$/i.exec(header ?? '') ?? [];
  const [account = '', until = '', signature = ''] = Buffer.from(base64, 'base64').toString('utf8').replace(/^AWS:/, '').split('.');
  const untilMs = Number(until);
  if (!(untilMs > ctx.platform.clock.real())) return false;
  const right = Buffer.from(sign(await secretOf(ctx), account, untilMs));
  const given = Buffer.from(signature);
  return given.length === right.length && timingSafeEqual(given, right);
}
