import type { Access, Ctx } from '../service.ts';

/** "Actions, resources, and condition keys for Amazon API Gateway Management": actions are HTTP verbs, resources are paths. */

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `apigateway:VERB` on `arn:aws:apigateway:REGION::PATH`, with `{member}` filled in from the input. */
export function verb(method: string, path: string): Access {
  return {
    action: `apigateway:${method}`,
    resource: (ctx: Ctx, input) => `arn:aws:apigateway:${ctx.region}::${path.replace(/\{(\w+)\}/g, (_all, member: string) => text(input[member]))}`,
  };
}
