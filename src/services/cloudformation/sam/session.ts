import type { JsonObject } from '../domain/json.ts';
import type { Deployment } from './deployment.ts';
import type { PyDict } from './python.ts';
import type { SharedPlan } from './usage-plan.ts';
import type { SamContext } from './values.ts';

/** One transformation under way. */
export interface Session {
  readonly context: SamContext;
  /** Resources of the template with globals merged: what events may change. */
  readonly resources: JsonObject;
  /** The same as they were before anything was made of them. */
  readonly original: JsonObject;
  /** Conditions of the template: some are added. */
  readonly conditions: JsonObject;
  readonly mappings: JsonObject;
  /** Functions whose new versions get traffic bit by bit. */
  readonly deployments: Deployment[];
  /** The usage plan that APIs share. */
  readonly sharedPlan: SharedPlan;
  /** Definitions of APIs, by logical id, as Python 2.7 would hold them. */
  readonly bodies: Map<string, PyDict>;
  /** APIs whose definition SAM writes. */
  readonly managed: Set<string>;
  /** Names of the functions behind each REST API: part of its deployment's hash. */
  readonly functionNames: Map<string, string[]>;
  /** The `Globals` section, before it was merged. */
  readonly globals: JsonObject;
  /** For APIs that are deployed each time. */
  readonly nowSeconds: number;
}
