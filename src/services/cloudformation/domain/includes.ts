import { validationError } from '../errors.ts';
import { INCLUDES_MAX } from '../limits.ts';
import { type Environment, resolve } from './intrinsics.ts';
import { isObject, isText, type Json, type JsonObject } from './json.ts';
import { parseFragment } from './parse.ts';

export const INCLUDE = 'AWS::Include';

/** `AWS::Include` fails with these words. */
export const includeFailed = (message: string) => validationError(`Transform ${INCLUDE} failed with: ${message}`);

/** Puts snippets in the places that name them. "AWS::Include transform" in the CloudFormation User Guide. */
export class Includes {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #env: Environment;
  readonly #missing = new Set<string>();
  #used = 0;

  constructor(texts: ReadonlyMap<string, string>, env: Environment) {
    this.#texts = texts;
    this.#env = env;
  }

  /** Locations whose text is still to be read. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** Whether anything was included or is to be. */
  get used(): boolean {
    return this.#used > 0;
  }

  /** The members of the snippet at a location; empty while its text is missing. */
  snippet(location: Json | undefined): JsonObject {
    const place = location === undefined ? undefined : resolve(location, this.#env);
    if (!isText(place)) throw includeFailed('The location parameter is required and must be an S3 uri.');
    this.#used++;
    if (this.#used > INCLUDES_MAX) throw includeFailed(`more than ${INCLUDES_MAX} snippets are included`);
    const text = this.#texts.get(place);
    if (text !== undefined) return parseFragment(text, () => includeFailed("The specified S3 object's content should be valid Yaml/JSON"));
    this.#missing.add(place);
    return {};
  }

  /** Replaces each `Fn::Transform` within by its snippet, beside what stands there already. */
  expand(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.expand(item));
    if (!isObject(value)) return value;
    const { 'Fn::Transform': call, ...rest } = value;
    const out: JsonObject = {};
    for (const [name, member] of Object.entries(rest)) out[name] = this.expand(member);
    if (call === undefined) return out;
    for (const each of Array.isArray(call) ? call : [call]) {
      const name = isObject(each) ? each['Name'] : undefined;
      if (!isText(name)) throw validationError('Key Name of transform definition must be a string.');
      if (name !== INCLUDE) throw validationError(`No transform named ${name} found.`);
      const parameters = isObject(each) ? each['Parameters'] : undefined;
      for (const [key, member] of Object.entries(this.snippet(isObject(parameters) ? parameters['Location'] : undefined))) {
        if (!Object.hasOwn(out, key)) out[key] = member;
      }
    }
    return out;
  }
}
