import type {
  DeleteGatewayResponseCommandInput,
  GatewayResponse,
  GatewayResponses,
  GetGatewayResponseCommandInput,
  GetGatewayResponsesCommandInput,
  PutGatewayResponseCommandInput,
  UpdateGatewayResponseCommandInput,
} from '@aws-sdk/client-api-gateway';
import { encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { gatewayResponse, newGatewayResponse, patchGatewayResponse, RESPONSE_TYPES, type ResponseType } from '../domain/gateway-response.ts';
import { patchesOf } from '../domain/patch.ts';
import type { GatewayResponseRow } from '../domain/types.ts';
import { notFound } from '../errors.ts';
import { keys, list, putPart, readApi, txApi, txList } from '../store.ts';

/** "PutGatewayResponse". */
export const putGatewayResponse: Operation<PutGatewayResponseCommandInput, GatewayResponse> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const row = newGatewayResponse(input.responseType as ResponseType, input);
  await ctx.platform.store.transact({ reads: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    putPart(tx, ctx, apiId, 'gatewayResponse', row.responseType, row);
  });
  return row;
};

/** "GetGatewayResponse": AWS's own where the API has none. */
export const getGatewayResponse: Operation<GetGatewayResponseCommandInput, GatewayResponse> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  return gatewayResponse(await list<GatewayResponseRow>(ctx.platform.store, keys.parts(ctx, apiId, 'gatewayResponse')), input.responseType as ResponseType);
};

/** "GetGatewayResponses": every type there is. */
export const getGatewayResponses: Operation<GetGatewayResponsesCommandInput, GatewayResponses> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  const rows = await list<GatewayResponseRow>(ctx.platform.store, keys.parts(ctx, apiId, 'gatewayResponse'));
  return { items: RESPONSE_TYPES.map((type) => gatewayResponse(rows, type)) };
};

/** "UpdateGatewayResponse": starts from AWS's own where the API has none. */
export const updateGatewayResponse: Operation<UpdateGatewayResponseCommandInput, GatewayResponse> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const type = input.responseType as ResponseType;
  const key = keys.part(ctx, apiId, 'gatewayResponse', type);
  return ctx.platform.store.transact({ keys: [key], reads: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    const rows = txList<GatewayResponseRow>(tx, keys.parts(ctx, apiId, 'gatewayResponse'));
    const current: GatewayResponseRow = { ...gatewayResponse(rows, type), responseType: type, defaultResponse: false };
    const next = patchesOf(input.patchOperations).reduce(patchGatewayResponse, current);
    tx.put(key, encodeJson(next));
    return next;
  });
};

/** "DeleteGatewayResponse": back to AWS's own. */
export const deleteGatewayResponse: Operation<DeleteGatewayResponseCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const key = keys.part(ctx, apiId, 'gatewayResponse', input.responseType ?? '');
  await ctx.platform.store.transact({ keys: [key], reads: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    if (!tx.get(key)) throw notFound('Gateway response type not defined on api');
    tx.delete(key);
  });
  return {};
};
