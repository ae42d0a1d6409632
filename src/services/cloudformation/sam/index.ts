import type { JsonObject } from '../domain/json.ts';

/** A template that SAM refuses: the whole text of its message. */
export class SamError extends Error {}

export interface SamContext {
  /** Values of the template's parameters, defaults included. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly region: string;
  /** ARNs of AWS managed policies by name. */
  readonly managedPolicies: ReadonlyMap<string, string>;
}

/** The CloudFormation template that a SAM template stands for. */
export function transformServerless(_template: JsonObject, _context: SamContext): JsonObject {
  throw new SamError('Invalid Serverless Application Specification document.');
}
