import type { Properties, ResourceType } from '../service.ts';
import { given, isCode, quietly, text, whole } from './cloudformation-helpers.ts';

const LAYER_NAME_LENGTH_MAX = 140;
const LAYER = ['CompatibleArchitectures', 'CompatibleRuntimes', 'Content', 'Description', 'LayerName', 'LicenseInfo'];

/** "AWS::Lambda::LayerVersion": `Ref` is its ARN, and every change publishes another. */
export const layerVersion: ResourceType = {
  type: 'AWS::Lambda::LayerVersion',
  replaceOn: LAYER,
  properties: LAYER,
  async create(ctx, request) {
    const { properties } = request;
    const name = text(properties['LayerName']) || request.generatedName(LAYER_NAME_LENGTH_MAX);
    const rest = Object.fromEntries(LAYER.filter((one) => one !== 'LayerName').map((one) => [one, properties[one]]));
    const made = await ctx.call('lambda', 'PublishLayerVersion', given({ LayerName: name, ...rest }));
    const arn = text(made['LayerVersionArn']);
    return { physicalId: arn, attributes: { LayerVersionArn: arn } };
  },
  update: (_ctx, { physicalId }) => Promise.resolve({ physicalId, attributes: { LayerVersionArn: physicalId } }),
  delete: (ctx, { physicalId }) => quietly(ctx, 'DeleteLayerVersion', layerOf(physicalId)),
};

function layerOf(arn: string): Record<string, unknown> {
  const at = arn.lastIndexOf(':');
  return { LayerName: arn.slice(0, at), VersionNumber: Number(arn.slice(at + 1)) };
}

const LAYER_PERMISSION = ['Action', 'LayerVersionArn', 'OrganizationId', 'Principal'];

/** "AWS::Lambda::LayerVersionPermission": `Ref` is the layer version's ARN, `#`, and the statement's id. */
export const layerVersionPermission: ResourceType = {
  type: 'AWS::Lambda::LayerVersionPermission',
  replaceOn: LAYER_PERMISSION,
  properties: LAYER_PERMISSION,
  async create(ctx, request) {
    const { LayerVersionArn: arn, ...statement } = request.properties;
    const id = request.generatedName(100);
    try {
      await ctx.call('lambda', 'AddLayerVersionPermission', { ...layerOf(text(arn)), ...statement, StatementId: id });
    } catch (error) {
      // The name is this resource's own: a statement of that name is an earlier try's.
      if (!isCode(error, 'ResourceConflictException')) throw error;
    }
    const physicalId = `${text(arn)}#${id}`;
    return { physicalId, attributes: { Id: physicalId } };
  },
  update: (_ctx, { physicalId }) => Promise.resolve({ physicalId, attributes: { Id: physicalId } }),
  delete: (ctx, { physicalId }) => {
    const [arn = '', id = ''] = physicalId.split('#');
    return quietly(ctx, 'RemoveLayerVersionPermission', { ...layerOf(arn), StatementId: id });
  },
};

const urlKey = (properties: Properties) => given({ FunctionName: properties['TargetFunctionArn'], Qualifier: properties['Qualifier'] });

/** Templates carry numbers and switches as texts too. */
function corsOf(properties: Properties): Properties | undefined {
  const cors = properties['Cors'] as Properties | undefined;
  if (!cors) return undefined;
  const credentials = cors['AllowCredentials'];
  return given({ ...cors, AllowCredentials: credentials === undefined ? undefined : String(credentials) === 'true', MaxAge: whole(cors['MaxAge']) });
}

/** "AWS::Lambda::Url": `Ref` is the function's ARN. */
export const url: ResourceType = {
  type: 'AWS::Lambda::Url',
  replaceOn: ['TargetFunctionArn', 'Qualifier'],
  properties: ['AuthType', 'Cors', 'InvokeMode', 'Qualifier', 'TargetFunctionArn'],
  async create(ctx, { properties }) {
    const input = given({ ...urlKey(properties), AuthType: properties['AuthType'], Cors: corsOf(properties), InvokeMode: properties['InvokeMode'] });
    const made = await ctx.call('lambda', 'CreateFunctionUrlConfig', input).catch((error: unknown) => {
      if (!isCode(error, 'ResourceConflictException')) throw error;
      return ctx.call('lambda', 'UpdateFunctionUrlConfig', input);
    });
    return { physicalId: text(made['FunctionArn']), attributes: { FunctionArn: made['FunctionArn'], FunctionUrl: made['FunctionUrl'] } };
  },
  async update(ctx, { properties, physicalId }) {
    const made = await ctx.call('lambda', 'UpdateFunctionUrlConfig', {
      ...urlKey(properties),
      AuthType: properties['AuthType'],
      // What a template no longer says goes back to its default.
      Cors: corsOf(properties) ?? {},
      InvokeMode: properties['InvokeMode'] ?? 'BUFFERED',
    });
    return { physicalId, attributes: { FunctionArn: made['FunctionArn'], FunctionUrl: made['FunctionUrl'] } };
  },
  delete: (ctx, { properties }) => quietly(ctx, 'DeleteFunctionUrlConfig', urlKey(properties)),
};

const eventKey = (properties: Properties) => ({ FunctionName: text(properties['FunctionName']), Qualifier: text(properties['Qualifier']) || '$LATEST' });

async function putEventInvokeConfig(ctx: Parameters<ResourceType['create']>[0], properties: Properties): Promise<void> {
  await ctx.call(
    'lambda',
    'PutFunctionEventInvokeConfig',
    given({
      ...eventKey(properties),
      DestinationConfig: properties['DestinationConfig'],
      MaximumEventAgeInSeconds: whole(properties['MaximumEventAgeInSeconds']),
      MaximumRetryAttempts: whole(properties['MaximumRetryAttempts']),
    }),
  );
}

/** "AWS::Lambda::EventInvokeConfig". */
export const eventInvokeConfig: ResourceType = {
  type: 'AWS::Lambda::EventInvokeConfig',
  replaceOn: ['FunctionName', 'Qualifier'],
  properties: ['DestinationConfig', 'FunctionName', 'MaximumEventAgeInSeconds', 'MaximumRetryAttempts', 'Qualifier'],
  async create(ctx, request) {
    await putEventInvokeConfig(ctx, request.properties);
    return { physicalId: request.generatedName(), attributes: {} };
  },
  async update(ctx, { properties, physicalId }) {
    await putEventInvokeConfig(ctx, properties);
    return { physicalId, attributes: {} };
  },
  delete: (ctx, { properties }) => quietly(ctx, 'DeleteFunctionEventInvokeConfig', eventKey(properties)),
};
