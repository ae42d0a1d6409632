import { type AttributeValue, compareBytes, compareValues, equalValues, type Item, typeOf } from '../value.ts';
import type { Condition, Operand } from './condition.ts';
import { valueAt } from './path.ts';

/** Whether an item (empty where there is none) meets a condition. "Comparison operator and function reference". */
export function meets(item: Item, condition: Condition): boolean {
  switch (condition.type) {
    case 'and':
      return condition.parts.every((part) => meets(item, part));
    case 'or':
      return condition.parts.some((part) => meets(item, part));
    case 'not':
      return !meets(item, condition.part);
    case 'compare': {
      const left = operandValue(item, condition.left);
      const right = operandValue(item, condition.right);
      return compares(condition.operator, left, right);
    }
    case 'between': {
      const value = operandValue(item, condition.operand);
      return compares('>=', value, operandValue(item, condition.lower)) && compares('<=', value, operandValue(item, condition.upper));
    }
    case 'in': {
      const value = operandValue(item, condition.operand);
      return value !== undefined && condition.list.some((operand) => compares('=', value, operandValue(item, operand)));
    }
    case 'function':
      return calls(item, condition.name, condition.args);
  }
}

function compares(operator: string, left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  // Only inequality holds for an attribute that is not there.
  if (left === undefined || right === undefined) return operator === '<>' && left !== right;
  if (operator === '=') return equalValues(left, right);
  if (operator === '<>') return !equalValues(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

function calls(item: Item, name: string, args: readonly Operand[]): boolean {
  const [first, second] = args as [Operand, Operand];
  const value = operandValue(item, first);
  switch (name) {
    case 'attribute_exists':
      return value !== undefined;
    case 'attribute_not_exists':
      return value === undefined;
    case 'attribute_type':
      return value !== undefined && typeOf(value) === operandValue(item, second)?.S;
    case 'begins_with':
      return value !== undefined && begins(value, operandValue(item, second));
    default:
      return value !== undefined && contains(value, operandValue(item, second));
  }
}

function begins(value: AttributeValue, start: AttributeValue | undefined): boolean {
  if (value.S !== undefined) return start?.S !== undefined && value.S.startsWith(start.S);
  if (value.B !== undefined) return start?.B !== undefined && compareBytes(value.B.subarray(0, start.B.length), start.B) === 0;
  return false;
}

function contains(value: AttributeValue, member: AttributeValue | undefined): boolean {
  if (member === undefined) return false;
  if (value.S !== undefined) return member.S !== undefined && value.S.includes(member.S);
  if (value.B !== undefined) return member.B !== undefined && Buffer.from(value.B).includes(member.B);
  if (value.SS !== undefined) return member.S !== undefined && value.SS.includes(member.S);
  if (value.NS !== undefined) return member.N !== undefined && value.NS.includes(member.N);
  if (value.BS !== undefined) {
    const { B } = member;
    return B !== undefined && value.BS.some((bytes) => compareBytes(bytes, B) === 0);
  }
  return value.L?.some((element) => equalValues(element, member)) ?? false;
}

function operandValue(item: Item, operand: Operand): AttributeValue | undefined {
  switch (operand.type) {
    case 'path':
      return valueAt(item, operand.path);
    case 'value':
      return operand.value;
    case 'size': {
      const value = operandValue(item, operand.operand);
      const size = value && sizeOf(value);
      return size === undefined ? undefined : { N: String(size) };
    }
  }
}

/** `size()`: characters of a string, bytes of a binary, members of a set, list or map; other types have none. */
function sizeOf(value: AttributeValue): number | undefined {
  if (value.S !== undefined) return value.S.length;
  if (value.B !== undefined) return value.B.length;
  if (value.M !== undefined) return Object.keys(value.M).length;
  return (value.L ?? value.SS ?? value.NS ?? value.BS)?.length;
}
