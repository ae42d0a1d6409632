import { AwsError } from '../../../kit/errors.ts';
import { encodeJson } from '../../../kit/json.ts';
import { type Environment, NO_VALUE, resolve } from '../domain/intrinsics.ts';
import { isObject, isText, type Json, scalarText } from '../domain/json.ts';
import type { Output, Stack, Target } from '../domain/records.ts';
import { validationError } from '../errors.ts';
import { type Export, exportKey, getExportTx, importKey, importsRange, putExportTx, stackKey } from '../store.ts';
import { resolveProperties } from './apply.ts';
import type { Plan, Run } from './run.ts';

/** Ends the applying phase: outputs and the next phase, or what a failure asks for. */
export async function finishApply(run: Run, plan: Plan, target: Target, found: { failed: readonly string[]; timedOut: boolean }): Promise<void> {
  const reason = failureOf(run, found);
  if (reason !== undefined) return startRollback(run, reason);
  let outputs: Output[];
  try {
    outputs = outputsOf(plan);
    await swapExports(run, plan, outputs);
  } catch (error) {
    if (error instanceof AwsError) return startRollback(run, error.message);
    throw error;
  }
  const settled = (stack: Stack): Stack => ({ ...stack, current: target, outputs, imports: [...plan.imports] });
  if (run.operation.kind === 'create') await run.finish('CREATE_COMPLETE', undefined, settled);
  else await run.enterPhase('cleanup', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', undefined, settled);
}

function failureOf(run: Run, { failed, timedOut }: { failed: readonly string[]; timedOut: boolean }): string | undefined {
  if (failed.length > 0) {
    const updated = failed.filter((id) => run.resources.get(id)?.status === 'UPDATE_FAILED');
    const created = failed.filter((id) => !updated.includes(id));
    return [
      ...(created.length > 0 ? [`The following resource(s) failed to create: [${created.join(', ')}]. `] : []),
      ...(updated.length > 0 ? [`The following resource(s) failed to update: [${updated.join(', ')}]. `] : []),
    ].join('');
  }
  if (run.operation.cancelled) return 'User Initiated';
  return timedOut ? 'Stack creation time exceeded the specified timeout. ' : undefined;
}

async function startRollback(run: Run, reason: string): Promise<void> {
  const { kind, onFailure } = run.operation;
  if (onFailure === 'DO_NOTHING') {
    await run.finish(kind === 'create' ? 'CREATE_FAILED' : 'UPDATE_FAILED', reason, (stack) =>
      run.operation.target ? { ...stack, current: run.operation.target } : stack,
    );
  } else if (kind === 'update') {
    await run.enterPhase('rollback', 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
  } else if (onFailure === 'DELETE') {
    await run.enterPhase('delete', 'DELETE_IN_PROGRESS', `${reason.trimEnd()} Delete requested by user.`);
  } else {
    // AWS shows the rollback of a creation as a deletion, without the change set that began it.
    await run.enterPhase('rollback', 'ROLLBACK_IN_PROGRESS', `${reason.trimEnd()} Rollback requested by user.`, ({ changeSetId: _, ...stack }) => ({
      ...stack,
      deletedMs: run.platform.clock.virtual(),
    }));
  }
}

/** The outputs whose condition holds, resolved. */
function outputsOf(plan: Plan): Output[] {
  const outputs: Output[] = [];
  for (const [key, output] of Object.entries(plan.template.outputs)) {
    if (!isObject(output)) continue;
    if (isText(output['Condition']) && plan.env.conditions[output['Condition']] !== true) continue;
    const value = resolve(output['Value'] ?? null, plan.env);
    if (value === NO_VALUE) continue;
    const text = scalarText(value as Json);
    if (text === undefined) throw validationError(`Template format error: The Value field of every Outputs member must evaluate to a String.`);
    const exportName = exportNameOf(output['Export'], plan.env);
    outputs.push({ key, value: text, ...(isText(output['Description']) ? { description: output['Description'] } : {}), ...(exportName ? { exportName } : {}) });
  }
  return outputs;
}

function exportNameOf(definition: Json | undefined, env: Environment): string | undefined {
  if (!isObject(definition)) return undefined;
  const name = resolve(definition['Name'] ?? null, env);
  return name === NO_VALUE ? undefined : scalarText(name as Json);
}

/** Exports and imports become those of the new template in one commit. Throws `ValidationError` where another stack is in the way. */
async function swapExports(run: Run, plan: Plan, outputs: readonly Output[]): Promise<void> {
  // What was resolved before a crash is resolved again, only to learn which exports it reads.
  for (const wanted of plan.active.values()) resolveProperties(plan, wanted);
  const { store } = run.platform;
  const before = run.stack.outputs.flatMap(({ exportName, value }) => (exportName ? [{ name: exportName, value }] : []));
  const after = outputs.flatMap(({ exportName, value }): Export[] => (exportName ? [{ name: exportName, value, stackId: run.stack.id }] : []));
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const ranges = names.map((name) => importsRange(run.scope, name));
  await store.transact({ keys: [stackKey(run.scope, run.stack.id), ...names.map((name) => exportKey(run.scope, name))], ranges }, (tx) => {
    const used = (name: string) =>
      tx.range(importsRange(run.scope, name)).entries.map(([, value]) => (JSON.parse(Buffer.from(value).toString('utf8')) as { stackName: string }).stackName);
    for (const { name, stackId } of after) {
      const present = getExportTx(tx, run.scope, name);
      if (present && present.stackId !== stackId)
        throw validationError(`Export with name ${name} is already exported by stack ${present.stackId.split('/')[1]}.`);
    }
    for (const { name, value } of before) {
      const next = after.find((each) => each.name === name);
      if (next?.value === value) continue;
      const users = used(name);
      if (users.length > 0) throw validationError(`Export ${name} cannot be ${next ? 'updated' : 'deleted'} as it is in use by ${users.join(', ')}`);
      if (!next) tx.delete(exportKey(run.scope, name));
    }
    for (const exported of after) putExportTx(tx, run.scope, exported);
    for (const name of run.stack.imports ?? []) tx.delete(importKey(run.scope, name, run.stack.id));
    for (const name of plan.imports) tx.put(importKey(run.scope, name, run.stack.id), encodeJson({ stackName: run.stack.name }));
  });
}
