import type { Target } from '../types.ts';
import { isObject, parseExact } from './json.ts';
import { parsePath, valueAt } from './json-path.ts';

/** What a template may name beside its own variables; "Transforming Amazon EventBridge target input". */
export interface RuleFacts {
  readonly ruleArn: string;
  readonly ruleName: string;
  readonly ingestedMs: number;
}

/** What a target was to be sent is no JSON: the event is not delivered. */
export class InvalidInput extends Error {}

/** A variable in a template. */
const VARIABLE = /<([A-Za-z0-9_.-]+)>/g;
const RESERVED = new Set(['aws.events.rule-arn', 'aws.events.rule-name', 'aws.events.event', 'aws.events.event.json', 'aws.events.event.ingestion-time']);

/** Variables of a template that are neither reserved nor in the paths map. */
export function unknownVariables(template: string, paths: Readonly<Record<string, string>>): string[] {
  return [...template.matchAll(VARIABLE)].map(([, name = '']) => name).filter((name) => !RESERVED.has(name) && !Object.hasOwn(paths, name));
}

/** The text that a target is sent of an event: the whole, constant, a part or a template. Throws {@link InvalidInput}. */
export function inputOf(target: Target, event: string, facts: RuleFacts): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) {
    const value = valueAt(parseExact(event), parsePath(target.InputPath) ?? []);
    if (value === undefined) throw new InvalidInput(`The path ${target.InputPath} finds nothing in the event.`);
    return JSON.stringify(value);
  }
  if (target.InputTransformer === undefined) return event;
  const { InputPathsMap = {}, InputTemplate = '' } = target.InputTransformer;
  return transform(InputTemplate, InputPathsMap, event, facts);
}

/** Templates that make a JSON document must make a valid one; others are strings in quotes, line by line. */
function transform(template: string, paths: Readonly<Record<string, string>>, event: string, facts: RuleFacts): string {
  const parsed = parseExact(event);
  const isDocument = /^\s*[{[]/.test(template);
  const inQuotes = quotedPlaces(template);
  const text = template.replaceAll(VARIABLE, (_all, name: string, at: number) => {
    const raw = reserved(name, event, parsed, facts) ?? rawValue(parsed, paths[name]);
    return inQuotes(at) ? quoted(raw, isDocument) : (raw ?? '""');
  });
  if (!isDocument) return text;
  try {
    JSON.parse(text);
  } catch {
    throw new InvalidInput('The input template does not make valid JSON of the event.');
  }
  return text;
}

/** The JSON text at a path; undefined where there is nothing. */
function rawValue(event: unknown, path: string | undefined): string | undefined {
  const value = valueAt(event, parsePath(path ?? '') ?? [{ name: '' }]);
  return value === undefined ? undefined : JSON.stringify(value);
}

/** JSON text as it stands inside quotes: strings without their own, lists and objects without any, unless in a document, which they break. */
function quoted(raw: string | undefined, isDocument: boolean): string {
  if (raw === undefined) return '';
  if (raw.startsWith('"')) return raw.slice(1, -1);
  return isDocument ? raw : raw.replaceAll('"', '');
}

/** The JSON text of a reserved variable; undefined where the name is none. */
function reserved(name: string, event: string, parsed: unknown, { ruleArn, ruleName, ingestedMs }: RuleFacts): string | undefined {
  switch (name) {
    case 'aws.events.rule-arn':
      return JSON.stringify(ruleArn);
    case 'aws.events.rule-name':
      return JSON.stringify(ruleName);
    case 'aws.events.event.ingestion-time':
      return JSON.stringify(new Date(ingestedMs).toISOString());
    case 'aws.events.event.json':
      return event;
    case 'aws.events.event': {
      if (!isObject(parsed)) return event;
      const { id, account, 'detail-type': detailType, source, region, resources, version } = parsed;
      return JSON.stringify({ id, account, detailType, time: new Date(ingestedMs).toISOString(), source, region, resources, version });
    }
    default:
      return undefined;
  }
}

/** Which places of a template stand inside a string. */
function quotedPlaces(template: string): (at: number) => boolean {
  const quotes: number[] = [];
  for (let i = 0; i < template.length; i++) {
    if (template[i] === '\\') i++;
    else if (template[i] === '"') quotes.push(i);
  }
  let passed = 0;
  // Asked in rising order, so that the whole is linear.
  return (at) => {
    while (passed < quotes.length && (quotes[passed] ?? 0) < at) passed++;
    return passed % 2 === 1;
  };
}
