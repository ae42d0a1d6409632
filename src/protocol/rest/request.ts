import type { OperationModel, ServiceModel, ShapeRef } from '../../models/model.ts';
import { bufferedBody, inflated } from '../bodies.ts';
import { shapeOf } from '../compiled.ts';
import { fillTokens, type TokenSource } from '../tokens.ts';
import type { WireRequest } from '../wire.ts';
import { inBody, payloadOf, readBindings, streamOf } from './bindings.ts';

/** What the two REST protocols read differently: their bodies. */
export interface RestBodies {
  /** The value of the one member that is the body. */
  readonly payload: (model: ServiceModel, payload: ShapeRef, body: Buffer) => unknown;
  /** The members that lie in the body together. */
  readonly members: (model: ServiceModel, input: ShapeRef, body: Buffer) => unknown;
}

/** A REST request as the operation's input: URI, query, headers and body by their bindings. */
export function decodeRest(
  model: ServiceModel,
  operation: OperationModel,
  received: WireRequest,
  newToken: TokenSource,
  bodies: RestBodies,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  if (!operation.input) return input;
  const request = inflated(operation, received);
  const shape = shapeOf(model, operation.input);
  const payload = payloadOf(model, operation.input);
  if (payload) {
    if (payload.ref.streaming || payload.shape.streaming) input[payload.name] = streamOf(request.body);
    else {
      const value = bodies.payload(model, payload.ref, bufferedBody(operation, request));
      if (value !== undefined) input[payload.name] = value;
    }
  } else if (Object.values(shape.members ?? {}).some(inBody)) {
    const body = bufferedBody(operation, request);
    if (body.length > 0) Object.assign(input, bodies.members(model, operation.input, body));
  }
  readBindings(model, operation, request, input);
  return fillTokens(shape, input, newToken);
}
