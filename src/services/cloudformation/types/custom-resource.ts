import type { Ctx, Properties, ResourceResult, ResourceType } from '../../service.ts';
import { asTexts, type CustomResponse, readResponse } from '../domain/custom.ts';
import { type Json, sameJson, scalarText } from '../domain/json.ts';
import { CUSTOM_TIMEOUT_SECONDS, CUSTOM_TIMEOUT_SECONDS_MAX } from '../limits.ts';
import { answerPlace } from '../store.ts';
import { answerUrl, changeAnswers, closeAnswers, openAnswers, readAnswers, waitForAnswers } from './answers.ts';

/** Attribute under which the record notes that the others must not be shown. No function can answer it: names with a NUL are none of AWS's. */
export const NO_ECHO = '\u0000NoEcho';

interface Question {
  readonly requestType: 'Create' | 'Update' | 'Delete';
  readonly resourceType: string;
  readonly token: string;
  readonly stackId: string;
  readonly logicalId: string;
  readonly properties: Properties;
  readonly previous?: Properties;
  readonly physicalId?: string;
  readonly signal: AbortSignal | undefined;
}

/** Failures are plain errors: their message is the event's reason. */
function failure(message: string, physicalId?: string): Error {
  return Object.assign(new Error(message), physicalId === undefined ? {} : { physicalId });
}

function timeoutMs(properties: Properties): number {
  const given = properties['ServiceTimeout'];
  const seconds = given === undefined ? CUSTOM_TIMEOUT_SECONDS : Number(scalarText(given as Json));
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > CUSTOM_TIMEOUT_SECONDS_MAX) {
    throw failure(`ServiceTimeout must be an integer from 1 to ${CUSTOM_TIMEOUT_SECONDS_MAX}`);
  }
  return seconds * 1000;
}

/** Asks the function behind the service token once, and waits for what it puts to the response URL; undefined: nothing in time. */
async function ask(ctx: Ctx, question: Question): Promise<CustomResponse | undefined> {
  const { platform } = ctx;
  const { token, stackId, logicalId, properties, signal } = question;
  const place = answerPlace(stackId, token);
  const service = String(properties['ServiceToken'] ?? '');
  if (!/^arn:[^:]+:lambda:/.test(service)) {
    throw failure(service === '' ? 'Property ServiceToken is required' : `Croft only asks Lambda functions: the service token ${service} is not supported`);
  }
  const opened = await openAnswers(platform, ctx, place, { stackId, logicalId, untilMs: platform.clock.virtual() + timeoutMs(properties) });
  if (!opened.asked) {
    const request = {
      RequestType: question.requestType,
      ServiceToken: service,
      ResponseURL: answerUrl(platform, ctx, place, opened),
      StackId: stackId,
      RequestId: token,
      LogicalResourceId: logicalId,
      ...(question.physicalId === undefined ? {} : { PhysicalResourceId: question.physicalId }),
      ResourceType: question.resourceType,
      ResourceProperties: asTexts(properties as Json),
      ...(question.previous === undefined ? {} : { OldResourceProperties: asTexts(question.previous as Json) }),
    };
    await ctx.call('lambda', 'Invoke', { FunctionName: service, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(request)) });
    await changeAnswers(platform, ctx, place, (answers) => ({ ...answers, asked: true }));
  }
  const answers = await waitForAnswers(platform, ctx, place, { untilMs: opened.untilMs ?? 0, signal, enough: ({ bodies }) => bodies.length > 0 });
  const [text] = answers?.bodies ?? [];
  // A failure is asked for anew when the operation is tried again; a success stays until the stack has noted it.
  const response = text === undefined ? undefined : readResponse(text, { stackId, logicalId, requestId: token });
  if (response?.status !== 'SUCCESS') await closeAnswers(platform, ctx, place);
  return response;
}

/** The response of a success; anything else fails the resource, which is `physicalId` unless the response names one. */
function succeeded(response: CustomResponse | undefined, token: string, physicalId?: string): CustomResponse {
  if (response?.status === 'SUCCESS') return response;
  if (!response) {
    throw failure(
      `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${token}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.`,
      physicalId,
    );
  }
  throw failure(
    `Received response status [FAILED] from custom resource. Message returned: ${response.reason} (RequestId: ${token})`,
    response.physicalId ?? physicalId,
  );
}

const resultOf = (response: CustomResponse, physicalId: string): ResourceResult => ({
  physicalId,
  attributes: response.noEcho ? { ...response.data, [NO_ECHO]: true } : response.data,
});

/** A resource that a function makes: `AWS::CloudFormation::CustomResource` and every `Custom::…`. "Custom resources" in the CloudFormation User Guide. */
export function customResourceType(type: string): ResourceType {
  return {
    type,
    properties: ['*'],
    replaceOn: [],
    async create(ctx, request) {
      const { token, stackId, logicalId, properties, signal } = request;
      const fallback = request.generatedName();
      const answer = await ask(ctx, { requestType: 'Create', resourceType: type, token, stackId, logicalId, properties, signal });
      const response = succeeded(answer, token, fallback);
      return resultOf(response, response.physicalId ?? fallback);
    },
    async update(ctx, request) {
      const { token, stackId, logicalId, properties, previous, physicalId, signal } = request;
      // Tags of the stack are no business of the function.
      if (sameJson(properties, previous)) return { physicalId, attributes: {} };
      if (!sameJson(properties['ServiceToken'], previous['ServiceToken'])) throw failure('Modifying service token is not allowed.');
      const question = { requestType: 'Update', resourceType: type, token, stackId, logicalId, properties, previous, physicalId, signal } as const;
      const response = succeeded(await ask(ctx, question), token);
      return resultOf(response, response.physicalId ?? physicalId);
    },
    async delete(ctx, request) {
      const { stackId, logicalId, properties, physicalId, signal } = request;
      const token = request.token ?? ctx.platform.ids.uuid();
      succeeded(await ask(ctx, { requestType: 'Delete', resourceType: type, token, stackId, logicalId, properties, physicalId, signal }), token);
    },
    async abandoned(ctx, request) {
      const { stackId, logicalId, token } = request;
      const answers = await readAnswers(ctx.platform, ctx, answerPlace(stackId, token));
      if (!answers?.asked) return undefined;
      const [text] = answers.bodies;
      const physicalId = text === undefined ? undefined : readResponse(text, { stackId, logicalId, requestId: token }).physicalId;
      return { physicalId: physicalId ?? request.generatedName(), attributes: {} };
    },
  };
}
