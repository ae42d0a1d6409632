import type { CanarySettings, DeploymentCanarySettings } from '@aws-sdk/client-api-gateway';
import { badRequest } from '../errors.ts';
import { asBoolean, compact, type Patch, patchMap } from './patch.ts';
import type { StageRow } from './types.ts';

/** "Set up an API Gateway canary release deployment". */

export function newCanary(given: CanarySettings | DeploymentCanarySettings, deploymentId: string): CanarySettings {
  return compact({
    deploymentId: ('deploymentId' in given ? given.deploymentId : undefined) ?? deploymentId,
    percentTraffic: percent(given.percentTraffic ?? 0),
    stageVariableOverrides: given.stageVariableOverrides,
    useStageCache: given.useStageCache ?? false,
  });
}

function percent(value: number): number {
  if (!(value >= 0 && value <= 100)) throw badRequest('Invalid canary settings: percentTraffic must be between 0.0 and 100.0');
  return value;
}

const COPY_FROM = ['/canarySettings/deploymentId', '/canarySettings/stageVariableOverrides'];
const COPY_TO = ['/deploymentId', '/variables'];

/** `copy` promotes the canary: its deployment, and its variables over the stage's. */
export function promote(stage: StageRow, patch: Patch): StageRow {
  const from = patch.from ?? '';
  if (!COPY_TO.includes(patch.path) || !COPY_FROM.includes(from)) {
    throw badRequest(
      `Invalid copy operation with path: ${patch.path} and from ${from}. Valid copy:path are [${COPY_TO.join(', ')}] and valid copy:from are [${COPY_FROM.join(', ')}]`,
    );
  }
  const canary = stage.canarySettings;
  if (!canary) throw badRequest('Promotion not available. Canary does not exist.');
  if (patch.path === '/deploymentId') return { ...stage, deploymentId: canary.deploymentId ?? stage.deploymentId };
  const variables = { ...stage.variables, ...canary.stageVariableOverrides };
  return Object.keys(variables).length > 0 ? { ...stage, variables } : stage;
}

/** One operation below `/canarySettings`; undefined where there is no such setting. */
export function patchCanary(stage: StageRow, patch: Patch): StageRow | undefined {
  const [, member, name] = patch.segments;
  const removed = patch.op === 'remove';
  if (removed && member === undefined) return compact({ ...stage, canarySettings: undefined }) as StageRow;
  if (patch.op === 'add') throw badRequest(`Invalid add operation with path: ${patch.path}`);
  const canary = stage.canarySettings ?? newCanary({}, stage.deploymentId);
  const withMembers = (members: CanarySettings): StageRow => ({ ...stage, canarySettings: compact({ ...canary, ...members }) });
  if (member === 'stageVariableOverrides' && name !== undefined) {
    if (removed && canary.stageVariableOverrides?.[name] === undefined) return undefined;
    return withMembers({ stageVariableOverrides: patchMap(canary.stageVariableOverrides, name, removed ? undefined : (patch.value ?? '')) });
  }
  if (removed || name !== undefined) return undefined;
  switch (member) {
    case 'deploymentId':
      return withMembers({ deploymentId: patch.value ?? '' });
    case 'percentTraffic':
      return withMembers({ percentTraffic: percent(Number(patch.value)) });
    case 'useStageCache':
      return withMembers({ useStageCache: asBoolean(patch.value) });
    default:
      return undefined;
  }
}
