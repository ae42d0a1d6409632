import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { validationError } from '../errors.ts';

/** What Parameter Store has under these names, for template parameters of type `AWS::SSM::Parameter::…`. Throws `ValidationError`. */
export async function storedValues(ctx: Ctx, names: readonly string[]): Promise<[name: string, value: string][]> {
  const values: [string, string][] = [];
  const missing: string[] = [];
  const secure: string[] = [];
  for (const Name of names) {
    try {
      const { Parameter } = (await ctx.call('ssm', 'GetParameter', { Name })) as { Parameter: { Type: string; Value: string } };
      if (Parameter.Type === 'SecureString') secure.push(Name);
      values.push([Name, Parameter.Value]);
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      missing.push(Name);
    }
  }
  if (missing.length > 0) throw validationError(`Unable to fetch parameters [${missing.join(',')}] from parameter store for this account.`);
  if (secure.length > 0) throw validationError(`Parameters [${secure.join(',')}] referenced by template have types not supported by CloudFormation.`);
  return values;
}
