import { AwsError } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';

export const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;
export const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
export const whole = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));
/** Without the members that are undefined. */
export const given = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** Deleting what is gone already is a success. */
export async function quietly(ctx: Ctx, operation: string, input: Record<string, unknown>): Promise<void> {
  try {
    await ctx.call('lambda', operation, input);
  } catch (error) {
    if (!isCode(error, 'ResourceNotFoundException')) throw error;
  }
}
