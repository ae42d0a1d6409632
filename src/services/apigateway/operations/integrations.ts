import type {
  DeleteIntegrationCommandInput,
  DeleteIntegrationResponseCommandInput,
  GetIntegrationCommandInput,
  GetIntegrationResponseCommandInput,
  Integration,
  IntegrationResponse,
  PutIntegrationCommandInput,
  PutIntegrationResponseCommandInput,
  UpdateIntegrationCommandInput,
  UpdateIntegrationResponseCommandInput,
} from '@aws-sdk/client-api-gateway';
import { notImplemented } from '../../../kit/errors.ts';
import type { Operation } from '../../service.ts';
import { checkUri, newIntegration, patchIntegration, patchIntegrationResponse } from '../domain/integration.ts';
import { nonEmpty } from '../domain/method.ts';
import { compact, patchesOf } from '../domain/patch.ts';
import { integrationNotFound, methodNotFound, responseNotFound } from '../errors.ts';
import { readMethod, updateMethodRow } from './methods.ts';

type Path = Parameters<typeof updateMethodRow>[1];

/** "PutIntegration". */
export const putIntegration: Operation<PutIntegrationCommandInput, Integration> = async (ctx, input) => {
  if (input.connectionType === 'VPC_LINK') throw notImplemented('PutIntegration with connectionType VPC_LINK');
  if (input.responseTransferMode === 'STREAM') throw notImplemented('PutIntegration with responseTransferMode STREAM');
  const integration = newIntegration(input as Parameters<typeof newIntegration>[0], input.resourceId ?? '');
  return updateMethodRow(ctx, input as Path, (method) => [{ ...method, methodIntegration: integration }, integration]);
};

/** "GetIntegration". */
export const getIntegration: Operation<GetIntegrationCommandInput, Integration> = async (ctx, input) => {
  const { methodIntegration } = await readMethod(ctx, input as Path);
  if (!methodIntegration) throw integrationNotFound();
  return methodIntegration;
};

/** "UpdateIntegration". */
export const updateIntegration: Operation<UpdateIntegrationCommandInput, Integration> = (ctx, input) =>
  updateMethodRow(
    ctx,
    input as Path,
    (method) => {
      if (!method.methodIntegration) throw integrationNotFound();
      const next = patchesOf(input.patchOperations).reduce(patchIntegration, method.methodIntegration);
      if (next.type !== 'MOCK') checkUri(next.type, next.uri ?? '');
      return [{ ...method, methodIntegration: next }, next];
    },
    integrationNotFound,
  );

/** "DeleteIntegration". */
export const deleteIntegration: Operation<DeleteIntegrationCommandInput> = (ctx, input) =>
  updateMethodRow(ctx, input as Path, (method) => {
    if (!method.methodIntegration) throw integrationNotFound();
    return [compact({ ...method, methodIntegration: undefined }), {}];
  });

function withResponses(integration: Integration, responses: Record<string, IntegrationResponse>): Integration {
  return compact({ ...integration, integrationResponses: nonEmpty(responses) });
}

/** An empty template is none: AWS describes it as null. */
function emptyAsNull(templates: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!templates) return undefined;
  return Object.fromEntries(Object.entries(templates).map(([type, template]) => [type, template === '' ? null : template])) as Record<string, string>;
}

/** "PutIntegrationResponse": replaces what was there. */
export const putIntegrationResponse: Operation<PutIntegrationResponseCommandInput, IntegrationResponse> = (ctx, input) =>
  updateMethodRow(ctx, input as Path, (method) => {
    const integration = method.methodIntegration;
    if (!integration) throw integrationNotFound();
    const statusCode = input.statusCode ?? '';
    const response = compact({
      statusCode,
      selectionPattern: input.selectionPattern,
      responseParameters: input.responseParameters,
      responseTemplates: emptyAsNull(input.responseTemplates),
      contentHandling: input.contentHandling,
    });
    return [{ ...method, methodIntegration: withResponses(integration, { ...integration.integrationResponses, [statusCode]: response }) }, response];
  });

/** "GetIntegrationResponse". */
export const getIntegrationResponse: Operation<GetIntegrationResponseCommandInput, IntegrationResponse> = async (ctx, input) => {
  const { methodIntegration } = await readMethod(ctx, input as Path);
  if (!methodIntegration) throw integrationNotFound();
  const response = methodIntegration.integrationResponses?.[input.statusCode ?? ''];
  if (!response) throw responseNotFound();
  return response;
};

/** "UpdateIntegrationResponse". */
export const updateIntegrationResponse: Operation<UpdateIntegrationResponseCommandInput, IntegrationResponse> = (ctx, input) =>
  updateMethodRow(
    ctx,
    input as Path,
    (method) => {
      const integration = method.methodIntegration;
      if (!integration) throw integrationNotFound();
      const statusCode = input.statusCode ?? '';
      const response = integration.integrationResponses?.[statusCode];
      if (!response) throw responseNotFound();
      const next = patchesOf(input.patchOperations).reduce(patchIntegrationResponse, response);
      return [{ ...method, methodIntegration: withResponses(integration, { ...integration.integrationResponses, [statusCode]: next }) }, next];
    },
    methodNotFound,
  );

/** "DeleteIntegrationResponse": a missing method is answered as a missing integration. */
export const deleteIntegrationResponse: Operation<DeleteIntegrationResponseCommandInput> = (ctx, input) =>
  updateMethodRow(
    ctx,
    input as Path,
    (method) => {
      const integration = method.methodIntegration;
      if (!integration) throw integrationNotFound();
      const { [input.statusCode ?? '']: gone, ...rest } = integration.integrationResponses ?? {};
      if (!gone) throw responseNotFound();
      return [{ ...method, methodIntegration: withResponses(integration, rest) }, {}];
    },
    integrationNotFound,
  );
