import type {
  CreateRequestValidatorCommandInput,
  DeleteRequestValidatorCommandInput,
  GetRequestValidatorCommandInput,
  GetRequestValidatorsCommandInput,
  RequestValidator,
  RequestValidators,
  UpdateRequestValidatorCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { asBoolean, type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import type { ValidatorRow } from '../domain/types.ts';
import { badRequest, validatorNotFound } from '../errors.ts';
import { keys, list, putPart, read, readApi, txRead, update } from '../store.ts';

/** "CreateRequestValidator". */
export const createRequestValidator: Operation<CreateRequestValidatorCommandInput, RequestValidator> = (ctx, input) =>
  createRequestValidatorOnce(ctx, input, ctx.platform.ids.text);

/** {@link createRequestValidator}; an id that comes again overwrites what was made before, which is the same. */
export async function createRequestValidatorOnce(ctx: Ctx, input: CreateRequestValidatorCommandInput, newId: NewId): Promise<RequestValidator> {
  const { store } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const row = {
    id: newId(6),
    ...(input.name === undefined ? {} : { name: input.name }),
    validateRequestBody: input.validateRequestBody ?? false,
    validateRequestParameters: input.validateRequestParameters ?? false,
  };
  await store.transact({ reads: [keys.api(ctx, apiId)] }, (tx) => {
    if (!tx.get(keys.api(ctx, apiId))) throw badRequest('Invalid REST API identifier specified');
    putPart(tx, ctx, apiId, 'validator', row.id, row);
  });
  return row;
}

/** "GetRequestValidator". */
export const getRequestValidator: Operation<GetRequestValidatorCommandInput, RequestValidator> = (ctx, input) =>
  read<ValidatorRow>(ctx.platform.store, keys.part(ctx, input.restApiId ?? '', 'validator', input.requestValidatorId ?? ''), validatorNotFound);

/** "GetRequestValidators". */
export const getRequestValidators: Operation<GetRequestValidatorsCommandInput, RequestValidators> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  return pageOf(await list<ValidatorRow>(ctx.platform.store, keys.parts(ctx, apiId, 'validator')), input, (row) => row.id);
};

function patchValidator(row: ValidatorRow, patch: Patch): ValidatorRow {
  requireReplace(patch, ['/name', '/validateRequestParameters', '/validateRequestBody']);
  const name = patch.segments[0] ?? '';
  if (name === 'name' && !patch.value) throw badRequest('Request Validator name cannot be blank');
  return { ...row, [name]: name === 'name' ? patch.value : asBoolean(patch.value) };
}

/** "UpdateRequestValidator". */
export const updateRequestValidator: Operation<UpdateRequestValidatorCommandInput, RequestValidator> = async (ctx, input) =>
  update<ValidatorRow, RequestValidator>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'validator', input.requestValidatorId ?? ''),
    validatorNotFound,
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchValidator, row);
      return [next, next];
    },
  );

/** "DeleteRequestValidator". */
export const deleteRequestValidator: Operation<DeleteRequestValidatorCommandInput> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'validator', input.requestValidatorId ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    txRead<ValidatorRow>(tx, key, validatorNotFound);
    tx.delete(key);
  });
  return {};
};
