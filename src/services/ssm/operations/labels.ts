import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { readReference } from '../domain/names.ts';
import { parameterNotFound, versionNotFound } from '../errors.ts';
import { LABELS_PER_VERSION_MAX, VERSIONS_MAX } from '../limits.ts';
import { keys, type ParameterRow, rangeOf, read, type VersionRow, write } from '../store.ts';

interface LabelInput {
  readonly Name: string;
  readonly ParameterVersion?: number;
  readonly Labels: readonly string[];
}

/** "Working with parameter labels". */
const isLabel = (label: string): boolean => /^[A-Za-z_.-][\w.-]*$/.test(label) && !/^(aws|ssm)/i.test(label);

/** "LabelParameterVersion": a label that another version has moves to this one. */
export function labelParameterVersion(ctx: Ctx, input: LabelInput): Promise<{ InvalidLabels: string[]; ParameterVersion: number }> {
  const { name } = readReference(input.Name);
  const wanted = input.Labels.filter(isLabel);
  const InvalidLabels = input.Labels.filter((label) => !isLabel(label));
  const key = keys.parameter(ctx, name);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<ParameterRow>(tx, key);
    if (!row) throw parameterNotFound();
    const version = input.ParameterVersion ?? row.version;
    const target = read<VersionRow>(tx, keys.version(ctx, name, version));
    if (!target) throw versionNotFound(String(version), name);
    const labels = [...new Set([...target.labels, ...wanted])];
    if (labels.length > LABELS_PER_VERSION_MAX) throw tooManyLabels();
    let current = row;
    for (const [place] of tx.range({ ...rangeOf(keys.versions(ctx, name)), limit: VERSIONS_MAX + 1 }).entries) {
      const one = read<VersionRow>(tx, place);
      if (!one) continue;
      const next = one.version === version ? labels : one.labels.filter((label) => !wanted.includes(label));
      if (next.length === one.labels.length && one.version !== version) continue;
      write(tx, place, { ...one, labels: next });
      if (one.version === row.version) current = { ...row, labels: next };
    }
    if (current !== row) write(tx, key, current);
    return { InvalidLabels, ParameterVersion: version };
  });
}

const tooManyLabels = () =>
  new AwsError(
    'ParameterVersionLabelLimitExceeded',
    `An error occurred (ParameterVersionLabelLimitExceeded) when calling the LabelParameterVersion operation: A parameter version can have maximum ${LABELS_PER_VERSION_MAX} labels.Move one or more labels to another version and try again.`,
  );

/** "UnlabelParameterVersion". */
export function unlabelParameterVersion(ctx: Ctx, input: LabelInput): Promise<{ RemovedLabels: string[]; InvalidLabels: string[] }> {
  const { name } = readReference(input.Name);
  const key = keys.parameter(ctx, name);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<ParameterRow>(tx, key);
    if (!row) throw parameterNotFound();
    const version = input.ParameterVersion ?? row.version;
    const place = keys.version(ctx, name, version);
    const target = read<VersionRow>(tx, place);
    if (!target) throw versionNotFound(String(version), name);
    const RemovedLabels = input.Labels.filter((label) => target.labels.includes(label));
    const labels = target.labels.filter((label) => !RemovedLabels.includes(label));
    write(tx, place, { ...target, labels });
    if (version === row.version) write(tx, key, { ...row, labels });
    return { RemovedLabels, InvalidLabels: input.Labels.filter((label) => !RemovedLabels.includes(label)) };
  });
}
