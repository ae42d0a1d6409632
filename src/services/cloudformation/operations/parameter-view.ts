import type { Parameter } from '@aws-sdk/client-cloudformation';
import type { StackParameter } from '../domain/parameters.ts';

/** A stack's parameter as it is shown: a name in Parameter Store with the value that it stands for. */
export function parameterView({ key, value, noEcho, resolved }: StackParameter): Parameter {
  const shown = (text: string) => (noEcho ? '****' : text);
  return { ParameterKey: key, ParameterValue: shown(value), ...(resolved === undefined ? {} : { ResolvedValue: shown(resolved) }) };
}
