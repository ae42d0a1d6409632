import { PATH_STEPS_MAX, PATH_VALUES_MAX } from '../limits.ts';
import { isObject } from './json.ts';

/** One step of a path: a member, an element, or all of them. */
type Step = { readonly name: string } | { readonly index: number } | 'all';

const STEP = /\.\.|\.?\*|\.([^.[\]'"\s]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(-?\d+)|(\*))\s*\]/y;

/**
 * Reads a JSON path as EventBridge takes it: `$.detail.items[0].name`, `$['detail-type']`, `$.a[*].b`. Undefined where the text is
 * none; filters and recursive descent are none either.
 */
export function parsePath(text: string): readonly Step[] | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: Step[] = [];
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (!match || match[0] === '..' || steps.length >= PATH_STEPS_MAX) return undefined;
    const [, dotted, single, double, index] = match;
    const name = dotted ?? single ?? double;
    steps.push(name !== undefined ? { name } : index !== undefined ? { index: Number(index) } : 'all');
  }
  return steps;
}

/** The value at a path; undefined where there is none. A path with `*` gives the list of what it finds. */
export function valueAt(root: unknown, steps: readonly Step[]): unknown {
  let values: unknown[] = [root];
  let many = false;
  for (const step of steps) {
    values = values.flatMap((value) => next(value, step)).slice(0, PATH_VALUES_MAX);
    many ||= step === 'all';
  }
  if (many) return values.length > 0 ? values : undefined;
  return values[0];
}

function next(value: unknown, step: Step): unknown[] {
  if (step === 'all') return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  if ('name' in step) return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
  if (!Array.isArray(value)) return [];
  const index = step.index < 0 ? value.length + step.index : step.index;
  return index >= 0 && index < value.length ? [value[index]] : [];
}
