import { DEPTH_MAX, JOINS_MAX } from './limits.ts';
import type { Leaf, Test } from './operators.ts';
import type { Rule } from './parse.ts';

/** In which element of which arrays a value stands: pairs of array number and index, outermost first. */
type Membership = readonly (readonly [array: number, index: number])[];

interface Found {
  readonly value: Leaf;
  readonly membership: Membership;
}

type Fields = Map<string, Found[]>;

/** Whether an event (parsed JSON) passes one of the rules. */
export function matcher(rules: readonly Rule[]): (event: unknown) => boolean {
  // Only what the pattern names is looked at, however large the event is.
  const wanted = new Set<string>();
  for (const rule of rules) {
    for (const path of rule.keys()) {
      for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) wanted.add(path.slice(0, dot));
      wanted.add(path);
    }
  }
  return (event) => {
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return false;
    const fields = flatten(event as Record<string, unknown>, wanted);
    return rules.some((rule) => passes(rule, fields));
  };
}

function flatten(event: Record<string, unknown>, wanted: ReadonlySet<string>): Fields {
  const fields: Fields = new Map();
  let arrays = 0;
  const add = (path: string, value: unknown, membership: Membership, depth: number): void => {
    if (depth > DEPTH_MAX) return;
    if (Array.isArray(value)) {
      const array = arrays++;
      value.forEach((element, index) => {
        add(path, element, typeof element === 'object' && element !== null ? [...membership, [array, index]] : membership, depth + 1);
      });
      return;
    }
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const innerPath = path === '' ? key : `${path}.${key}`;
        if (wanted.has(innerPath)) add(innerPath, inner, membership, depth + 1);
      }
      return;
    }
    if (value === undefined) return;
    const found = fields.get(path);
    if (found) found.push({ value: value as Leaf, membership });
    else fields.set(path, [{ value: value as Leaf, membership }]);
  };
  add('', event, [], 0);
  return fields;
}

/** Every path has a value that passes, and the values chosen agree on the array elements they stand in. */
function passes(rule: Rule, fields: Fields): boolean {
  const choices: Membership[][] = [];
  for (const [path, tests] of rule) {
    const found = fields.get(path);
    if (!found) {
      if (tests.includes('absent')) continue;
      return false;
    }
    const own = found.filter(({ value }) => passesOne(tests, value)).map(({ membership }) => membership);
    if (own.length === 0) return false;
    if (own.every((membership) => membership.length > 0)) choices.push(own);
  }
  return choices.length < 2 || consistent(choices);
}

/** Whether one membership of each list can be taken so that no two name different elements of one array. */
function consistent(choices: readonly Membership[][]): boolean {
  const lists = new Map<number, number>();
  for (const own of choices)
    for (const array of new Set(own.flatMap((membership) => membership.map(([id]) => id)))) lists.set(array, (lists.get(array) ?? 0) + 1);
  let steps = 0;
  let soFar = new Map<string, Membership>([['[]', []]]);
  for (const own of choices) {
    // An array that no other path looks into restricts nothing.
    const shared = distinct(own.map((membership) => membership.filter(([array]) => (lists.get(array) ?? 0) > 1)));
    if (shared.has('[]')) continue;
    const outermost = byOutermost(shared.values());
    const next = new Map<string, Membership>();
    for (const before of soFar.values()) {
      const bound = new Map(before);
      for (const [array, elements] of outermost) {
        const index = bound.get(array);
        const candidates = index === undefined ? [...elements.values()].flat() : (elements.get(index) ?? []);
        // Not to lose an event is worth more than a strict answer on tens of thousands of elements.
        steps += 1 + candidates.length;
        if (steps > JOINS_MAX) return true;
        for (const membership of candidates) {
          const both = join(bound, membership);
          if (both) next.set(JSON.stringify(both), both);
        }
      }
    }
    if (next.size === 0) return false;
    soFar = next;
  }
  return true;
}

/** Memberships by the outermost array they name and its element, to find those that agree with what is chosen already. */
function byOutermost(memberships: Iterable<Membership>): Map<number, Map<number, Membership[]>> {
  const arrays = new Map<number, Map<number, Membership[]>>();
  for (const membership of memberships) {
    const [first] = membership;
    if (!first) continue;
    const elements = arrays.get(first[0]) ?? new Map<number, Membership[]>();
    arrays.set(first[0], elements);
    const group = elements.get(first[1]);
    if (group) group.push(membership);
    else elements.set(first[1], [membership]);
  }
  return arrays;
}

function distinct(memberships: readonly Membership[]): Map<string, Membership> {
  return new Map(memberships.map((membership) => [JSON.stringify(membership), membership]));
}

function passesOne(tests: readonly Test[], value: Leaf): boolean {
  for (const test of tests) if (test !== 'absent' && test(value)) return true;
  return false;
}

function join(bound: ReadonlyMap<number, number>, membership: Membership): Membership | undefined {
  const all = new Map(bound);
  for (const [array, index] of membership) {
    const other = all.get(array);
    if (other !== undefined && other !== index) return undefined;
    all.set(array, index);
  }
  return [...all].sort(([x], [y]) => x - y);
}
