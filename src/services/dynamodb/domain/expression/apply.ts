import { validation } from '../../errors.ts';
import { addNumbers, subtractNumbers } from '../number.ts';
import { type AttributeType, type AttributeValue, attributeOf, base64, copyItem, copyValue, type Item, setAttribute, typeOf } from '../value.ts';
import { childOf, valueAt } from './path.ts';
import type { Path } from './placeholders.ts';
import type { UpdateAction, UpdateOperand } from './update.ts';

const WRONG_TYPE = 'An operand in the update expression has an incorrect data type';
const NO_ATTRIBUTE = 'The provided expression refers to an attribute that does not exist in the item';
const BAD_PATH = 'The document path provided in the update expression is invalid for update';

/**
 * The item after an update; `item` itself stays as it is. All values are read from the item as it was, and list indexes mean the
 * list as it was: elements are written first (beyond the end they are appended, in order of index) and removed last, from the end.
 * Throws ValidationException.
 */
export function applyUpdate(item: Item, actions: readonly UpdateAction[]): Item {
  const values = actions.map((action) => (action.type === 'set' ? operandValue(item, action.value) : undefined));
  const updated = copyItem(item);
  const byIndex = actions.map((action, at) => ({ action, value: values[at] })).sort((a, b) => lastIndex(a.action.path) - lastIndex(b.action.path));
  const removes: Path[] = [];
  for (const { action, value } of byIndex) {
    if (action.type === 'set') put(updated, action.path, copyValue(value as AttributeValue));
    else if (action.type === 'add') add(updated, action.path, action.value);
    else if (action.type === 'delete') subtract(updated, action.path, action.value);
    else removes.push(action.path);
  }
  for (const path of removes.sort((a, b) => lastIndex(b) - lastIndex(a))) remove(updated, path);
  return updated;
}

function lastIndex(path: Path): number {
  const last = path.at(-1);
  return typeof last === 'number' ? last : -1;
}

function operandValue(item: Item, operand: UpdateOperand): AttributeValue {
  switch (operand.type) {
    case 'value':
      return operand.value;
    case 'path': {
      const value = valueAt(item, operand.path);
      if (value === undefined) throw validation(NO_ATTRIBUTE);
      return value;
    }
    case 'if_not_exists':
      return valueAt(item, operand.path) ?? operandValue(item, operand.otherwise);
    case 'list_append': {
      const left = operandValue(item, operand.left).L;
      const right = operandValue(item, operand.right).L;
      if (left === undefined || right === undefined) throw validation(WRONG_TYPE);
      return { L: [...left, ...right] };
    }
    default: {
      const left = operandValue(item, operand.left).N;
      const right = operandValue(item, operand.right).N;
      if (left === undefined || right === undefined) throw validation(WRONG_TYPE);
      return { N: operand.type === '+' ? addNumbers(left, right) : subtractNumbers(left, right) };
    }
  }
}

/** The container that a path's last step is in; the item itself stands as a map. */
function parentOf(item: Item, path: Path): AttributeValue {
  if (path.length === 1) return { M: item };
  let parent: AttributeValue | undefined = attributeOf(item, path[0] as string);
  for (let at = 1; at < path.length - 1 && parent !== undefined; at++) parent = childOf(parent, path[at] as string | number);
  const fits = typeof path.at(-1) === 'number' ? parent?.L : parent?.M;
  if (parent === undefined || fits === undefined) throw validation(BAD_PATH);
  return parent;
}

function put(item: Item, path: Path, value: AttributeValue): void {
  const parent = parentOf(item, path);
  const last = path.at(-1);
  if (typeof last !== 'number') setAttribute(parent.M as Item, last as string, value);
  else if (parent.L) parent.L[Math.min(last, parent.L.length)] = value;
}

function remove(item: Item, path: Path): void {
  const parent = parentOf(item, path);
  const last = path.at(-1);
  if (typeof last !== 'number') delete (parent.M as Item)[last as string];
  else if (parent.L && last < parent.L.length) parent.L.splice(last, 1);
}

type SetType = 'SS' | 'NS' | 'BS';

function isSetType(type: AttributeType): type is SetType {
  return type === 'SS' || type === 'NS' || type === 'BS';
}

function add(item: Item, path: Path, value: AttributeValue): void {
  const existing = childOf(parentOf(item, path), path.at(-1) as string | number);
  const type = typeOf(value);
  if (existing !== undefined && existing[type] === undefined) throw validation(WRONG_TYPE);
  if (type === 'N') put(item, path, { N: addNumbers(existing?.N ?? '0', value.N ?? '0') });
  else if (isSetType(type)) put(item, path, union(type, existing, value));
  else if (type === 'L') put(item, path, { L: [...(existing?.L ?? []), ...(value.L ?? [])] });
  else throw validation(WRONG_TYPE);
}

function subtract(item: Item, path: Path, value: AttributeValue): void {
  const existing = childOf(parentOf(item, path), path.at(-1) as string | number);
  const type = typeOf(value);
  if (existing === undefined) return;
  if (existing[type] === undefined || !isSetType(type)) throw validation(WRONG_TYPE);
  const gone = new Set(membersOf(type, value).keys());
  const left = [...membersOf(type, existing)].filter(([text]) => !gone.has(text)).map(([, member]) => member);
  if (left.length === 0) remove(item, path);
  else put(item, path, { [type]: left });
}

function union(type: SetType, existing: AttributeValue | undefined, added: AttributeValue): AttributeValue {
  const members = existing ? membersOf(type, existing) : new Map<string, string | Uint8Array>();
  for (const [text, member] of membersOf(type, added)) if (!members.has(text)) members.set(text, member);
  return { [type]: [...members.values()] };
}

/** A set's members by a text that is the same for equal ones. */
function membersOf(type: SetType, value: AttributeValue): Map<string, string | Uint8Array> {
  if (type === 'BS') return new Map((value.BS ?? []).map((bytes) => [base64(bytes), bytes]));
  return new Map((value[type] ?? []).map((text) => [text, text]));
}
