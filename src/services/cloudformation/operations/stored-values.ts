import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import type { StackParameter } from '../domain/parameters.ts';
import { validationError } from '../errors.ts';

/** What Parameter Store has under these names, for template parameters of type `AWS::SSM::Parameter::…`. Throws `ValidationError`. */
export async function storedValues(ctx: Ctx, names: readonly string[], parameters: readonly StackParameter[]): Promise<[name: string, value: string][]> {
  const values: [string, string][] = [];
  const secure: string[] = [];
  for (const Name of names) {
    try {
      const { Parameter } = (await ctx.call('ssm', 'GetParameter', { Name })) as { Parameter: { Type: string; Value: string } };
      if (Parameter.Type === 'SecureString') secure.push(Name);
      values.push([Name, Parameter.Value]);
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      // As recorded, a name that leads nowhere is no value.
      const key = parameters.find(({ value }) => value === Name)?.key ?? '';
      throw validationError(`Parameter ${key} should either have input value or default value`);
    }
  }
  if (secure.length > 0) throw validationError(`Parameters [${secure.join(',')}] referenced by template have types not supported by CloudFormation.`);
  return values;
}
