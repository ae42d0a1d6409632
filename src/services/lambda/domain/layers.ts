import { formatArn, parseArn } from '../../../kit/arn.ts';
import { invalidParameter, validation } from '../errors.ts';
import { LAYERS_MAX } from '../limits.ts';
import type { LayerVersionRow } from '../store.ts';
import { lastModified } from './configuration.ts';
import type { Place } from './names.ts';
import { COMPATIBLE_RUNTIMES } from './runtimes.ts';

/** A layer as a request names it: by name or ARN. */
export interface LayerReference extends Place {
  readonly name: string;
}

export interface LayerVersionReference extends LayerReference {
  readonly version: number;
}

/** Reads `LayerName`. The model has checked its form. */
export function readLayerName(place: Place, layerName: string): LayerReference {
  const arn = parseArn(layerName);
  if (!arn) return { account: place.account, region: place.region, name: layerName };
  return { account: arn.account, region: arn.region, name: arn.resource.slice('layer:'.length) };
}

/** Reads the ARN of a layer version. The model has checked its form. */
export function readLayerVersionArn(text: string): LayerVersionReference {
  const arn = parseArn(text);
  const [, name = '', version = ''] = arn?.resource.split(':') ?? [];
  return { account: arn?.account ?? '', region: arn?.region ?? '', name, version: Number(version) };
}

export function layerArn({ account, region, name }: LayerReference): string {
  return formatArn({ service: 'lambda', region, account, resource: `layer:${name}` });
}

export function layerVersionArn(reference: LayerVersionReference): string {
  return `${layerArn(reference)}:${reference.version}`;
}

export function checkLayerVersion(version: number | undefined): number {
  if (version === undefined || version < 1) throw invalidParameter('Layer Version Cannot be less than 1');
  return version;
}

/** Which layers one function may have. Throws AWS's errors. */
export function checkLayerArns(place: Place, arns: readonly string[]): readonly LayerVersionReference[] {
  if (arns.length > LAYERS_MAX) throw invalidParameter(`Cannot reference more than ${LAYERS_MAX} layers.`);
  const references = arns.map(readLayerVersionArn);
  if (references.some(({ region }) => region !== place.region)) {
    throw invalidParameter(`Layers are not in the same region as the function. Layers are expected to be in region ${place.region}.`);
  }
  const seen = new Map<string, LayerVersionReference>();
  for (const one of references) {
    const other = seen.get(layerArn(one));
    if (other) {
      throw invalidParameter(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${layerVersionArn(other)} and ${layerVersionArn(one)} are versions of the same layer.`,
      );
    }
    seen.set(layerArn(one), one);
  }
  return references;
}

/** The filters of the lists. Throws where AWS knows no such runtime. */
export function checkRuntimeFilter(runtime: string | undefined): void {
  if (runtime === undefined || COMPATIBLE_RUNTIMES.includes(runtime)) return;
  throw validation(
    `Value '${runtime}' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [${COMPATIBLE_RUNTIMES.join(', ')}]`,
  );
}

export function matches(row: LayerVersionRow, filter: { readonly runtime?: string; readonly architecture?: string }): boolean {
  return (
    (filter.runtime === undefined || (row.runtimes ?? []).includes(filter.runtime)) &&
    (filter.architecture === undefined || (row.architectures ?? []).includes(filter.architecture))
  );
}

/** A layer version as the lists show it. */
export function listedLayerVersion(reference: LayerReference, row: LayerVersionRow): Record<string, unknown> {
  return {
    LayerVersionArn: layerVersionArn({ ...reference, version: row.version }),
    Version: row.version,
    Description: row.description,
    CreatedDate: lastModified(row.createdMs),
    ...(row.runtimes ? { CompatibleRuntimes: [...row.runtimes] } : {}),
    ...(row.licenseInfo === undefined ? {} : { LicenseInfo: row.licenseInfo }),
    ...(row.architectures ? { CompatibleArchitectures: [...row.architectures] } : {}),
  };
}
