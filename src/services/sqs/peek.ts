import type { Message } from '@aws-sdk/client-sqs';
import { AwsError } from '../../kit/errors.ts';
import type { WireResponse } from '../../protocol/wire.ts';
import { element, XML_HEADER } from '../../protocol/xml/encode.ts';
import type { Ctx, EndpointRequest } from '../service.ts';
import { type Address, addressOfUrl } from './domain/address.ts';
import { messageView, systemAttributesOf } from './domain/view.ts';
import { queueDoesNotExist } from './errors.ts';
import { headsOf } from './heads.ts';
import { PEEK_MESSAGES_MAX } from './limits.ts';
import { isExpired, type OpenQueue, opened } from './messages.ts';
import { decodeMessage, decodeState, findQueue, keyFrom, type MessageRow, placeOf, rangeOf } from './store.ts';

/** Rows that one request looks through. */
const PEEK_SCANNED_MAX = 20_000;
const HANDLE = 'SQS/BACKDOOR/ACCESS';
const NAMESPACE = 'http://queue.amazonaws.com/doc/2012-11-05/';

interface Asked {
  readonly address: Address;
  readonly showInvisible: boolean;
  readonly showDelayed: boolean;
  /** How to answer: as the two protocols do, or the XML document as JSON. */
  readonly form: 'xml' | 'json' | 'awsJson';
}

/** `GET /_aws/sqs/messages?QueueUrl=…`: the messages of a queue, nothing about them changed; LocalStack's developer endpoint. */
export async function peek(ctx: Ctx, request: EndpointRequest): Promise<WireResponse> {
  const form = formOf(request);
  try {
    const asked = readRequest(ctx, request, form);
    const row = await findQueue(ctx.platform.store, asked.address);
    if (!row) throw queueDoesNotExist(ctx);
    return answer(form, ctx.requestId, await messagesOf(ctx, opened(asked.address, row, headsOf(ctx.platform.store)), asked));
  } catch (error) {
    if (error instanceof AwsError) return failure(form, ctx.requestId, error);
    throw error;
  }
}

function formOf({ headers }: EndpointRequest): Asked['form'] {
  if ((headers['content-type'] ?? '').startsWith('application/x-amz-json')) return 'awsJson';
  return (headers['accept'] ?? '').includes('application/json') ? 'json' : 'xml';
}

const invalidRequest = () => new AwsError('InvalidRequest', 'This endpoint only accepts ReceiveMessage calls');

function readRequest(ctx: Ctx, request: EndpointRequest, form: Asked['form']): Asked {
  const body = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  const values = new URLSearchParams(request.query);
  if (form === 'awsJson') {
    if (!(request.headers['x-amz-target'] ?? '').endsWith('.ReceiveMessage')) throw invalidRequest();
    for (const [name, value] of Object.entries(parseObject(body))) if (typeof value === 'string') values.set(name, value);
  } else if ((request.headers['content-type'] ?? '').includes('x-www-form-urlencoded')) {
    for (const [name, value] of new URLSearchParams(body)) values.set(name, value);
    if (values.has('Action') && values.get('Action') !== 'ReceiveMessage') throw invalidRequest();
  }
  const yes = (name: string) => ['true', '1'].includes((values.get(name) ?? '').toLowerCase());
  return { address: addressIn(ctx, request, values), showInvisible: yes('ShowInvisible'), showDelayed: yes('ShowDelayed'), form };
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    throw invalidRequest();
  }
}

/** Named by the path (`/{region}/{account}/{name}`) or by its URL. */
function addressIn(ctx: Ctx, request: EndpointRequest, values: URLSearchParams): Address {
  const [region = '', account = '', name = ''] = request.path.split('/').filter((part) => part !== '');
  if (name !== '') return { region, account, name };
  const url = values.get('QueueUrl');
  if (!url) throw queueDoesNotExist(ctx);
  try {
    return addressOfUrl(ctx, url);
  } catch (error) {
    if (error instanceof AwsError)
      throw new AwsError('InvalidAddress', 'The address https://queue.amazonaws.com/ is not valid for this endpoint.', { status: 404, cause: error });
    throw error;
  }
}

async function messagesOf(ctx: Ctx, queue: OpenQueue, asked: Asked): Promise<Message[]> {
  const { store, clock } = ctx.platform;
  const nowMs = clock.virtual();
  const { from, to } = rangeOf(queue.at.messages);
  const shown: Message[] = [];
  let next = from;
  for (let scanned = 0; scanned < PEEK_SCANNED_MAX && shown.length < PEEK_MESSAGES_MAX; ) {
    const page = await store.range({ from: next, to, limit: 200 });
    const rows = page.entries.map(([, value]) => decodeMessage(value)).filter((message) => !isExpired(queue, message, nowMs));
    for (const message of await visibleOf(ctx, queue, rows, asked, nowMs)) if (shown.length < PEEK_MESSAGES_MAX) shown.push(message);
    scanned += page.entries.length;
    const last = page.entries.at(-1)?.[0];
    if (!page.more || last === undefined) break;
    next = `${last}\x00`;
  }
  return shown;
}

/** Those of `rows` that are asked for. In a FIFO queue, what waits behind an invisible message of its group is invisible too. */
async function visibleOf(ctx: Ctx, queue: OpenQueue, rows: readonly MessageRow[], asked: Asked, nowMs: number): Promise<Message[]> {
  const { at } = queue;
  const states = await ctx.platform.store.getMany(rows.map(({ seq }) => at.state(seq)));
  const places = queue.fifo ? await ctx.platform.store.getMany(rows.map(({ group }) => at.groupPlace(group ?? ''))) : [];
  return rows.flatMap((message, i): Message[] => {
    const [stateRow, place] = [states[i], places[i]];
    const state = stateRow && decodeState(stateRow);
    const delayed = !state && message.visibleMs > nowMs;
    const visible = delayed || !state || state.visibleMs <= nowMs;
    const blocked = place !== undefined && placeOf(keyFrom(place)).ms > nowMs;
    if (delayed ? !asked.showDelayed : (!visible || blocked) && !asked.showInvisible) return [];
    const system = {
      ...systemAttributesOf(message, state),
      ...(state || message.firstReceivedMs !== undefined ? {} : { ApproximateFirstReceiveTimestamp: '0' }),
      ...(asked.showInvisible ? { IsVisible: String(visible) } : {}),
      ...(asked.showDelayed ? { IsDelayed: String(delayed) } : {}),
    };
    return [messageView(message, HANDLE, system, ['All'])];
  });
}

function respond(form: Asked['form'], status: number, body: string): WireResponse {
  const type = form === 'xml' ? 'text/xml' : form === 'json' ? 'application/json' : 'application/x-amz-json-1.0';
  return { status, headers: { 'Content-Type': type }, body };
}

function answer(form: Asked['form'], requestId: string, messages: readonly Message[]): WireResponse {
  if (form === 'awsJson') {
    const plain = messages.map((message) => ({ ...message, ...(message.MessageAttributes ? { MessageAttributes: jsonAttributes(message) } : {}) }));
    return respond(form, 200, JSON.stringify(plain.length > 0 ? { Messages: plain } : {}));
  }
  const elements = messages.map(elementsOf);
  if (form === 'json') {
    // The XML document as JSON: one element is no list.
    const result = elements.length === 0 ? null : { Message: single(elements) };
    return respond(form, 200, JSON.stringify({ ReceiveMessageResponse: { ReceiveMessageResult: result, ResponseMetadata: { RequestId: requestId } } }));
  }
  const result = elements.map((one) => xmlOf('Message', one)).join('');
  const metadata = `<ResponseMetadata>${element('RequestId', requestId)}</ResponseMetadata>`;
  const body = `<ReceiveMessageResponse xmlns="${NAMESPACE}"><ReceiveMessageResult>${result}</ReceiveMessageResult>${metadata}</ReceiveMessageResponse>`;
  return respond(form, 200, XML_HEADER + body);
}

type Node = string | { readonly [name: string]: Node | readonly Node[] };

const single = (nodes: readonly Node[]): Node | readonly Node[] => (nodes.length === 1 ? (nodes[0] ?? '') : nodes);

const jsonAttributes = ({ MessageAttributes = {} }: Message) =>
  Object.fromEntries(Object.entries(MessageAttributes).map(([name, value]) => [name, attributeNode(value)]));

const attributeNode = ({ DataType = '', StringValue, BinaryValue }: NonNullable<Message['MessageAttributes']>[string]): { readonly [name: string]: string } =>
  BinaryValue ? { BinaryValue: Buffer.from(BinaryValue).toString('base64'), DataType } : { StringValue: StringValue ?? '', DataType };

/** A message with the element names of the query protocol. */
function elementsOf(message: Message): Node {
  const attributes = Object.entries(message.Attributes ?? {}).map(([Name, Value]) => ({ Name, Value: Value ?? '' }));
  const given = Object.entries(message.MessageAttributes ?? {}).map(([Name, value]) => ({ Name, Value: attributeNode(value) }));
  return {
    MessageId: message.MessageId ?? '',
    ReceiptHandle: message.ReceiptHandle ?? '',
    MD5OfBody: message.MD5OfBody ?? '',
    Body: message.Body ?? '',
    Attribute: single(attributes),
    ...(message.MD5OfMessageAttributes === undefined ? {} : { MD5OfMessageAttributes: message.MD5OfMessageAttributes }),
    ...(given.length > 0 ? { MessageAttribute: single(given) } : {}),
  };
}

function xmlOf(name: string, node: Node | readonly Node[]): string {
  if (typeof node === 'string') return element(name, node);
  if (isList(node)) return node.map((one) => xmlOf(name, one)).join('');
  const inner = Object.entries(node).map(([child, value]) => xmlOf(child, value));
  return `<${name}>${inner.join('')}</${name}>`;
}

const isList = (node: Node | readonly Node[]): node is readonly Node[] => Array.isArray(node);

function failure(form: Asked['form'], requestId: string, error: AwsError): WireResponse {
  const Code = error.code === 'QueueDoesNotExist' ? 'AWS.SimpleQueueService.NonExistentQueue' : error.code;
  if (form === 'awsJson') {
    const response = respond(form, error.status, JSON.stringify({ __type: `com.amazonaws.sqs#${error.code}`, message: error.message }));
    return { ...response, headers: { ...response.headers, 'x-amzn-query-error': `${Code};Sender` } };
  }
  const details = { Type: 'Sender', Code, Message: error.message };
  if (form === 'json') return respond(form, error.status, JSON.stringify({ ErrorResponse: { Error: details, RequestId: requestId } }));
  const body = `<ErrorResponse xmlns="${NAMESPACE}">${xmlOf('Error', details)}${element('RequestId', requestId)}</ErrorResponse>`;
  return respond(form, error.status, XML_HEADER + body);
}
