import { invalidParameter } from '../errors.ts';

/** Runtimes that functions can be created with, in the order in which AWS's own message lists them. */
const SUPPORTED = [
  'nodejs20.x', 'python3.14', 'provided.al2023', 'python3.12', 'python3.13', 'nodejs24.x', 'nodejs22.x', 'java25', 'python3.10', 'python3.11', 'java21', 'ruby3.3', 'ruby3.4',
  'ruby3.2', 'python3.8', 'python3.9', 'java17', 'nodejs16.x', 'dotnet10', 'dotnet8', 'java11', 'dotnet6', 'nodejs18.x', 'provided.al2', 'java8.al2',
]; // biome-ignore format: a list

/** Every name that layers may be listed by, in the order of AWS's own message. */
export const COMPATIBLE_RUNTIMES: readonly string[] = [
  'ruby3.5', 'ruby2.6', 'dotnetcore1.0', 'python3.7', 'nodejs8.10', 'nasa', 'ruby2.7', 'python2.7-greengrass', 'dotnetcore2.0', 'python3.8', 'java21', 'dotnet6', 'dotnetcore2.1',
  'python3.9', 'java11', 'nodejs6.10', 'provided', 'dotnetcore3.1', 'dotnet8', 'java25', 'java17', 'nodejs', 'nodejs4.3', 'java8.al2', 'go1.x', 'dotnet10', 'nodejs20.x', 'go1.9',
  'byol', 'nodejs10.x', 'provided.al2023', 'nodejs22.x', 'python3.10', 'java8', 'nodejs12.x', 'python3.11', 'nodejs24.x', 'nodejs8.x', 'python3.12', 'nodejs14.x', 'nodejs8.9',
  'nodejs26.x', 'python3.13', 'python3.14', 'nodejs16.x', 'python3.15', 'provided.al2', 'nodejs4.3-edge', 'nodejs18.x', 'ruby3.2', 'python3.4', 'ruby3.3', 'ruby3.4', 'ruby2.5',
  'python3.6', 'python2.7',
]; // biome-ignore format: a list

/** Newer than the recorded message. */
const NEWER = ['nodejs26.x', 'python3.15', 'ruby3.5', 'ruby4.0'];

const DEPRECATED = new Set([
  'nodejs', 'nodejs4.3', 'nodejs4.3-edge', 'nodejs6.10', 'nodejs8.10', 'nodejs10.x', 'nodejs12.x', 'nodejs14.x', 'java8', 'python2.7', 'python3.6', 'python3.7',
  'dotnetcore1.0', 'dotnetcore2.0', 'dotnetcore2.1', 'dotnetcore3.1', 'dotnet5.0', 'go1.x', 'ruby2.5', 'ruby2.7', 'provided',
]); // biome-ignore format: a list

/** Of a layer's compatible runtimes, the constraint that they break, in AWS's words. */
export function runtimesFailure(runtimes: readonly string[]): string | undefined {
  if (runtimes.every((one) => COMPATIBLE_RUNTIMES.includes(one) || NEWER.includes(one))) return undefined;
  return `Value '[${runtimes.join(', ')}]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: [${SUPPORTED.join(', ')}]`;
}

/** Checks a runtime name as AWS does. Whether this machine has it is seen when the function runs. */
export function checkRuntime(runtime: string): void {
  if (DEPRECATED.has(runtime)) {
    throw invalidParameter(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    );
  }
  if (!SUPPORTED.includes(runtime) && !NEWER.includes(runtime)) {
    throw invalidParameter(
      `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${SUPPORTED.join(', ')}] or be a valid ARN`,
    );
  }
}
