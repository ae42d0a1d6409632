import type { Principal } from '../../../identity/principal.ts';
import { AwsError } from '../../../kit/errors.ts';
import { integrationFailure, integrationTimeout } from './gateway-error.ts';
import type { Invocation } from './invocation.ts';

/** API Gateway acting by itself. */
export function gatewayPrincipal(account: string): Principal {
  return { account, accessKeyId: '', arn: 'apigateway.amazonaws.com', userId: 'apigateway.amazonaws.com', type: 'service' };
}

/** `${stageVariables.name}` in a URI or ARN; an unknown one is empty. */
export function withStageVariables(text: string, variables: Readonly<Record<string, string>> | undefined): string {
  return text.replace(/\$\{stageVariables\.([A-Za-z0-9_]+)\}/g, (_all, name: string) => variables?.[name] ?? '');
}

/** The function's ARN out of `arn:…:lambda:path/2015-03-31/functions/ARN/invocations`. */
export function functionArnOf(uri: string): string | undefined {
  return /:lambda:path\/+[^/]+\/functions\/(.+)\/invocations$/.exec(uri)?.[1];
}

export interface LambdaAnswer {
  readonly payload: string;
  readonly functionError: boolean;
}

/** Calls the function as a client would; a caller that may not, or a function that is not there, is a failed integration. */
export async function callLambda(
  call: Pick<Invocation, 'ctx' | 'scope'>,
  functionArn: string,
  payload: string,
  timeoutMs: number,
  invocationType: 'RequestResponse' | 'Event' = 'RequestResponse',
): Promise<LambdaAnswer> {
  const { ctx, scope } = call;
  const principal = gatewayPrincipal(scope.account);
  const caller = ctx.platform.contextFor({ account: scope.account, region: scope.region, principal, trace: ctx.trace });
  const invocation = caller.call(
    'lambda',
    'Invoke',
    { FunctionName: functionArn, InvocationType: invocationType, Payload: Buffer.from(payload, 'utf8') },
    { principal },
  );
  try {
    const answer = await within(invocation, timeoutMs);
    const bytes = answer['Payload'];
    return {
      payload: bytes instanceof Uint8Array ? Buffer.from(bytes).toString('utf8') : typeof bytes === 'string' ? bytes : '',
      functionError: answer['FunctionError'] !== undefined,
    };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Denied, missing and throttled are errors of the configuration in AWS's eyes; the rest is the function's.
    const status = error.status === 403 || error.status === 404 || error.status === 429 ? 500 : 502;
    throw integrationFailure(status, error);
  }
}

/** Rejects with the gateway's 504 after `timeoutMs` of real time; the call itself goes on, as on AWS. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(integrationTimeout()), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // A failure after the deadline has no one left to hear it.
    work.catch(() => undefined);
  }
}
