import { AwsError } from '../../kit/errors.ts';
import type { Call } from '../chain.ts';
import type { GatewayParts } from '../parts.ts';

/** The model's constraints. The service words the failure. */
export function validate(parts: GatewayParts, { operation, input }: Call): void {
  if (!operation?.entry || operation.entry.ownValidation) return;
  const { room, model } = operation.service;
  const failures = parts.wire.validate(model, operation.model, input);
  if (failures.length === 0) return;
  const message = room?.wording?.validationMessage?.(failures) ?? parts.wire.validationMessage(failures);
  throw new AwsError(room?.wording?.validationCode ?? 'ValidationException', message);
}
