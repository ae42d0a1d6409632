import type { ResourceType } from '../../service.ts';

/**
 * Types that stand for nothing outside the stack, on AWS as here. `AWS::CDK::Metadata` only carries figures about the tool that wrote the template.
 */
export const metadataTypes: readonly ResourceType[] = [
  {
    type: 'AWS::CDK::Metadata',
    properties: ['Analytics', 'Modules'],
    recorded: ['Analytics', 'Modules'],
    replaceOn: [],
    create: async (_ctx, request) => ({ physicalId: request.token, attributes: {} }),
    update: async (_ctx, { physicalId }) => ({ physicalId, attributes: {} }),
    delete: async () => undefined,
  },
];
