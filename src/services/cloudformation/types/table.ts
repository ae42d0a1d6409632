import type { ResourceType } from '../../service.ts';
import type { TypeTable } from '../domain/records.ts';
import { customResourceType } from './custom-resource.ts';

export const NESTED_STACK = 'AWS::CloudFormation::Stack';
const CUSTOM_RESOURCE = 'AWS::CloudFormation::CustomResource';

/** Whether a function of the user makes resources of the type. */
export const isCustom = (type: string): boolean => type === CUSTOM_RESOURCE || type.startsWith('Custom::');

/** The rooms' types, and every name under `Custom::`. */
export const withCustomTypes = (types: ReadonlyMap<string, ResourceType>): TypeTable => ({
  get: (type) => types.get(type) ?? (isCustom(type) ? customResourceType(type) : undefined),
});
