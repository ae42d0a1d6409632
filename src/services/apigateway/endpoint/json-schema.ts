/** A keyword that the validator does not know: to pass it over would let requests through. */
export class UnsupportedSchema extends Error {
  override readonly name = 'UnsupportedSchema';
}

type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about validity. */
const ANNOTATIONS = new Set([
  '$schema',
  'id',
  '$id',
  'title',
  'description',
  'default',
  'example',
  'examples',
  'format',
  'definitions',
  'readOnly',
  'xml',
  'externalDocs',
  'discriminator',
  'deprecated',
]);

const DEPTH_MAX = 64;
const STEPS_MAX = 200_000;

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function typeMatches(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

/** JSON Schema draft 4 as far as API Gateway's models commonly go; `pattern` and other keywords throw {@link UnsupportedSchema}. */
export class SchemaValidator {
  readonly #model: (reference: string) => string | undefined;
  #steps = 0;

  /** `model` finds the text of the schema that a `$ref` URL names. */
  constructor(model: (reference: string) => string | undefined) {
    this.#model = model;
  }

  accepts(schema: unknown, value: unknown, root: unknown = schema, depth = 0): boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema)) return true;
    if (depth > DEPTH_MAX || ++this.#steps > STEPS_MAX) return false;
    if (typeof schema['$ref'] === 'string') return this.#reference(schema['$ref'], value, root, depth);
    return Object.entries(schema).every(([keyword, rule]) => ANNOTATIONS.has(keyword) || this.#keyword(keyword, rule, schema, value, root, depth + 1));
  }

  #reference(reference: string, value: unknown, root: unknown, depth: number): boolean {
    if (reference.startsWith('#')) {
      const target = reference
        .split('/')
        .slice(1)
        .reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), root);
      return this.accepts(target, value, root, depth + 1);
    }
    const text = this.#model(reference);
    if (text === undefined) throw new UnsupportedSchema(`$ref ${reference}`);
    const schema: unknown = JSON.parse(text);
    return this.accepts(schema, value, schema, depth + 1);
  }

  #keyword(keyword: string, rule: unknown, schema: Schema, value: unknown, root: unknown, depth: number): boolean {
    const check = (part: unknown, of: unknown) => this.accepts(part, of, root, depth);
    const rules = Array.isArray(rule) ? (rule as unknown[]) : [];
    const limit = Number(rule);
    switch (keyword) {
      case 'type':
        return Array.isArray(rule) ? rules.some((type) => typeMatches(type, value)) : typeMatches(rule, value);
      case 'enum':
        return rules.some((option) => sameJson(option, value));
      case 'allOf':
        return rules.every((part) => check(part, value));
      case 'anyOf':
        return rules.some((part) => check(part, value));
      case 'oneOf':
        return rules.filter((part) => check(part, value)).length === 1;
      case 'not':
        return !check(rule, value);
      case 'minimum':
        return typeof value !== 'number' || (schema['exclusiveMinimum'] === true ? value > limit : value >= limit);
      case 'maximum':
        return typeof value !== 'number' || (schema['exclusiveMaximum'] === true ? value < limit : value <= limit);
      case 'exclusiveMinimum':
        return typeof rule === 'boolean' || typeof value !== 'number' || value > limit;
      case 'exclusiveMaximum':
        return typeof rule === 'boolean' || typeof value !== 'number' || value < limit;
      case 'multipleOf':
        return typeof value !== 'number' || Number.isInteger(value / limit);
      case 'minLength':
        return typeof value !== 'string' || [...value].length >= limit;
      case 'maxLength':
        return typeof value !== 'string' || [...value].length <= limit;
      case 'minItems':
        return !Array.isArray(value) || value.length >= limit;
      case 'maxItems':
        return !Array.isArray(value) || value.length <= limit;
      case 'uniqueItems':
        return rule !== true || !Array.isArray(value) || new Set(value.map((item) => JSON.stringify(item))).size === value.length;
      case 'items':
        return (
          !Array.isArray(value) ||
          (Array.isArray(rule) ? rules.every((part, i) => i >= value.length || check(part, value[i])) : value.every((item) => check(rule, item)))
        );
      default:
        return this.#objectKeyword(keyword, rule, schema, value, check);
    }
  }

  #objectKeyword(keyword: string, rule: unknown, schema: Schema, value: unknown, check: (part: unknown, of: unknown) => boolean): boolean {
    const known = isObject(schema['properties']) ? schema['properties'] : {};
    switch (keyword) {
      case 'required':
        return !isObject(value) || !Array.isArray(rule) || rule.every((name) => Object.hasOwn(value, String(name)));
      case 'properties':
        return !isObject(value) || Object.entries(known).every(([name, part]) => !Object.hasOwn(value, name) || check(part, value[name]));
      case 'additionalProperties':
        return !isObject(value) || Object.entries(value).every(([name, item]) => Object.hasOwn(known, name) || (rule === false ? false : check(rule, item)));
      case 'minProperties':
        return !isObject(value) || Object.keys(value).length >= Number(rule);
      case 'maxProperties':
        return !isObject(value) || Object.keys(value).length <= Number(rule);
      default:
        throw new UnsupportedSchema(keyword);
    }
  }
}
