import { TEMPLATE_BYTES_MAX } from '../limits.ts';
import { jsonPath } from './json-path.ts';

/** A mapping template with directives (`#set`, `#if` …) or a reference that the evaluator does not know. */
export class UnsupportedTemplate extends Error {
  override readonly name = 'UnsupportedTemplate';
}

/** What a template can refer to. */
export interface TemplateScope {
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly body: string;
  /** `$input.params('x')`: path, then query string, then header. */
  readonly param: (name: string) => string | undefined;
  /** A mapping expression such as `method.request.header.Accept`, `context.requestId` or `'static'`. */
  readonly mapping: (expression: string) => string | undefined;
}

const REFERENCE =
  /\$(?:\{([^{}]{1,512})\}|((?:context|stageVariables)(?:\.[A-Za-z_][\w-]*)+|input\.body|input\.(?:json|path|params)\((?:'[^']*'|"[^"]*")\)|util\.escapeJavaScript\(\$input\.(?:json|path|params)\((?:'[^']*'|"[^"]*")\)\)))/y;

/**
 * A mapping template made of text and plain references: `$context.…`, `$stageVariables.…`, `$input.body`, `$input.json('$.…')`,
 * `$input.path('$.…')`, `$input.params('…')`, and `$util.escapeJavaScript(…)` of those. Velocity's directives throw {@link UnsupportedTemplate}.
 */
export function renderTemplate(template: string, scope: TemplateScope): string {
  if (template.length > TEMPLATE_BYTES_MAX) throw new UnsupportedTemplate('template too long');
  const text = template.replace(/##[^\n]*\n?/g, '');
  const directive = /#\{?(set|if|else|elseif|end|foreach|define|macro|stop|break|return)\b/.exec(text);
  if (directive) throw new UnsupportedTemplate(`directive #${directive[1]}`);
  let out = '';
  let at = 0;
  for (;;) {
    const next = text.indexOf('$', at);
    if (next === -1) return out + text.slice(at);
    out += text.slice(at, next);
    REFERENCE.lastIndex = next;
    const match = REFERENCE.exec(text);
    if (!match) {
      // A dollar that begins no reference is text; one that begins an unknown one must not pass silently.
      if (/^\$!?\{?[A-Za-z]/.test(text.slice(next, next + 4))) throw new UnsupportedTemplate(`reference ${text.slice(next, next + 40)}`);
      out += '$';
      at = next + 1;
      continue;
    }
    out += referenced(match[1] ?? match[2] ?? '', match[0], scope);
    at = next + match[0].length;
    if (out.length > TEMPLATE_BYTES_MAX * 40) throw new UnsupportedTemplate('result too long');
  }
}

/** An unknown property stands for itself, as in Velocity. */
function referenced(reference: string, source: string, scope: TemplateScope): string {
  const parts = reference.split('.');
  if (parts[0] === 'context') {
    const value = parts
      .slice(1)
      .reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined), scope.context);
    return value === undefined || value === null ? source : String(value);
  }
  if (parts[0] === 'stageVariables') return scope.stageVariables[parts.slice(1).join('.')] ?? source;
  if (reference === 'input.body') return scope.body === '' ? '{}' : scope.body;
  const escaped = /^util\.escapeJavaScript\(\$(.*)\)$/s.exec(reference);
  if (escaped?.[1]) return JSON.stringify(inputOf(escaped[1], scope)).slice(1, -1).replaceAll("'", "\\'");
  return inputOf(reference, scope);
}

function inputOf(reference: string, scope: TemplateScope): string {
  const call = /^input\.(json|path|params)\(['"](.*)['"]\)$/s.exec(reference);
  if (!call) throw new UnsupportedTemplate(`reference $${reference}`);
  const [, name, argument = ''] = call;
  if (name === 'params') return scope.param(argument) ?? '';
  const value = jsonPath(scope.body, argument);
  if (value === undefined) return name === 'json' ? '""' : '';
  if (name === 'json') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) throw new UnsupportedTemplate(`$input.path('${argument}') of an object`);
  return String(value);
}
