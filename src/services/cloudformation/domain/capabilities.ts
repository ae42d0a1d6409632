import type { JsonObject } from './json.ts';
import { isObject, isText, objectAt } from './json.ts';

/** "Acknowledging IAM resources in CloudFormation templates": types, and the properties that name them. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'AWS::IAM::AccessKey': '',
  'AWS::IAM::Group': 'GroupName',
  'AWS::IAM::InstanceProfile': 'InstanceProfileName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Policy': '',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::User': 'UserName',
  'AWS::IAM::UserToGroupAddition': '',
};

/** What a template's use must be acknowledged with, and the types that ask for it. */
export function capabilitiesOf(source: JsonObject): { capabilities: string[]; types: string[] } {
  const types = new Set<string>();
  let named = false;
  for (const definition of Object.values(objectAt(source, 'Resources'))) {
    const type = isObject(definition) ? definition['Type'] : undefined;
    if (!isText(type) || !Object.hasOwn(NAMED_BY, type)) continue;
    types.add(type);
    const property = NAMED_BY[type] ?? '';
    if (property !== '' && objectAt(definition, 'Properties')[property] !== undefined) named = true;
  }
  return { capabilities: types.size === 0 ? [] : [named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'], types: [...types] };
}

/** The capabilities that are needed and were not given; NAMED_IAM includes IAM. */
export const missingCapabilities = (needed: readonly string[], given: readonly string[]): string[] =>
  needed.filter((capability) => !given.includes(capability) && !(capability === 'CAPABILITY_IAM' && given.includes('CAPABILITY_NAMED_IAM')));
