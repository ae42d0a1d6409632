import type { Access, Operation, OperationEntry, Service } from '../service.ts';
import { resources } from './cloudformation.ts';
import { parameterArn } from './domain/names.ts';
import { deleteParameter, deleteParameters } from './operations/delete-parameters.ts';
import { describeParameters, getParameter, getParameterHistory, getParameters, getParametersByPath } from './operations/get-parameters.ts';
import { labelParameterVersion, unlabelParameterVersion } from './operations/labels.ts';
import { putParameter } from './operations/put-parameter.ts';
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './operations/tags.ts';
import { usage } from './usage.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const arnOf = (ctx: { readonly account: string; readonly region: string }, name: string): string =>
  name.startsWith('arn:') ? name : parameterArn(ctx, name.split(':')[0] ?? '');

const onName = (member = 'Name'): Access => ({ resource: (ctx, input) => arnOf(ctx, text(input[member])) });
const onNames: Access = { resource: (ctx, input) => (Array.isArray(input['Names']) ? input['Names'].map((name) => arnOf(ctx, text(name))) : '*') };
const onAll: Access = { resource: () => '*' };

/** AWS Systems Manager's Parameter Store; see README.md. Every other operation of Systems Manager answers 501. */
export function createSsmRoom(): Service {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const entry = (run: Operation<any, any>, access: Access, recorded?: readonly string[]): OperationEntry => ({
    run,
    access,
    ...(recorded ? { recorded } : {}),
  });
  return {
    name: 'ssm',
    operations: {
      PutParameter: entry(putParameter, onName(), ['KeyId']),
      GetParameter: entry(getParameter, onName()),
      GetParameters: entry(getParameters, onNames),
      GetParametersByPath: entry(getParametersByPath, onName('Path')),
      DescribeParameters: entry(describeParameters, onAll),
      GetParameterHistory: entry(getParameterHistory, onName()),
      LabelParameterVersion: entry(labelParameterVersion, onName()),
      UnlabelParameterVersion: entry(unlabelParameterVersion, onName()),
      DeleteParameter: entry(deleteParameter, onName()),
      DeleteParameters: entry(deleteParameters, onNames),
      AddTagsToResource: entry(addTagsToResource, onName('ResourceId')),
      RemoveTagsFromResource: entry(removeTagsFromResource, onName('ResourceId')),
      ListTagsForResource: entry(listTagsForResource, onName('ResourceId')),
    },
    usage,
    resources,
  };
}
