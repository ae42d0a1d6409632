import type { AwsError } from '../kit/errors.ts';
import type { OperationModel, ServiceModel, ShapeModel, ShapeRef } from '../models/model.ts';
import { perModel } from './compiled.ts';

/** An error as the wire needs it: its modelled shape, where there is one, and what every protocol states of it. */
export interface WireError {
  /** The shape's name; for an unmodelled error its code. */
  readonly name: string;
  readonly shape?: ShapeModel;
  readonly ref?: ShapeRef;
  /** The code of the query protocols (`error.code` of the shape, else the name). */
  readonly queryCode: string;
  readonly status: number;
  readonly fault: 'client' | 'server';
  /** The shape's members, its message filled in under the name the model gives it. */
  readonly members: Readonly<Record<string, unknown>>;
  /** `message` or `Message`, as modelled. */
  readonly messageMember: string | undefined;
}

interface ErrorTable {
  readonly byName: ReadonlyMap<string, ShapeModel>;
  readonly byCode: ReadonlyMap<string, string>;
}

const tableOf = perModel((model): ErrorTable => {
  const byName = new Map<string, ShapeModel>();
  const byCode = new Map<string, string>();
  const declared = new Set(Object.values(model.operations).flatMap((operation) => (operation.errors ?? []).map((ref) => ref.shape)));
  for (const [name, shape] of Object.entries(model.shapes)) {
    if (!shape.exception && !declared.has(name)) continue;
    byName.set(name, shape);
    if (shape.error?.code !== undefined && !byCode.has(shape.error.code)) byCode.set(shape.error.code, name);
  }
  return { byName, byCode };
});

/** Codes of the query protocol that services which moved on to JSON and CBOR name otherwise there, though their models lack them (SQS). */
const QUERY_ERROR_NAMES: Readonly<Record<string, string>> = {
  InvalidParameterValue: 'InvalidParameterValueException',
  MissingParameter: 'MissingRequiredParameterException',
};

/** Finds the modelled shape of `error`: by its name, or by its query code. */
export function wireError(model: ServiceModel, operation: OperationModel | undefined, error: AwsError, statuses: StatusSource = 'model'): WireError {
  const table = tableOf(model);
  const name = table.byName.has(error.code) ? error.code : (ownCode(table, operation, error.code) ?? table.byCode.get(error.code) ?? error.code);
  const shape = table.byName.get(name);
  if (!shape) {
    const unmodelled = (model.metadata.awsQueryCompatible && QUERY_ERROR_NAMES[error.code]) || name;
    return { name: unmodelled, queryCode: error.code, status: error.status, fault: error.fault, members: {}, messageMember: undefined };
  }
  const messageMember = Object.keys(shape.members ?? {}).find((member) => member.toLowerCase() === 'message');
  const status = statusOf(model, shape, error, statuses);
  const members =
    messageMember === undefined || messageMember in error.members || error.message === ''
      ? error.members
      : { [messageMember]: error.message, ...error.members };
  const fault = status >= 500 ? 'server' : error.fault;
  return { name, shape, ref: { shape: name }, queryCode: shape.error?.code ?? name, status, fault, members, messageMember };
}

/** Several shapes may share a query code: the operation's own come first. */
function ownCode(table: ErrorTable, operation: OperationModel | undefined, code: string): string | undefined {
  return operation?.errors?.find((ref) => table.byName.get(ref.shape)?.error?.code === code)?.shape;
}

/**
 * Where an error's status comes from: `model` (its `httpStatusCode`), or `fault` (400 and 500), as JSON and CBOR answer for services that
 * once spoke the query protocol: the model's statuses there are those of the query protocol.
 */
export type StatusSource = 'model' | 'fault';

export function statusSource(model: ServiceModel, context: { readonly queryMode?: boolean }): StatusSource {
  return model.metadata.awsQueryCompatible && !context.queryMode ? 'fault' : 'model';
}

/** AwsError's status is 400 where nobody stated one: then the model's wins. */
function statusOf(model: ServiceModel, shape: ShapeModel, error: AwsError, statuses: StatusSource): number {
  const modelled = shape.error?.httpStatusCode ?? (shape.fault ? 500 : 400);
  if (statuses === 'fault' && model.metadata.awsQueryCompatible) return modelled >= 500 || error.status >= 500 ? 500 : 400;
  return error.status === 400 ? modelled : error.status;
}
