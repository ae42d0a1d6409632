import { matchesWhole, replaceAllMatches, splitBy } from '../pattern.ts';
import type { Budget } from './budget.ts';
import { UnsupportedTemplate } from './nodes.ts';
import { areEqual, getIn, isCallable, isMap, isNothing, made, newMap, setIn, toText, type Value, type ValueMap } from './values.ts';

type Arguments = readonly Value[];

/** Java's methods of texts, numbers, lists and maps, as far as templates use them. A method of nothing is nothing. */
export function callMethod(target: Value, name: string, args: Arguments, budget: Budget): Value {
  if (isNothing(target)) return undefined;
  if (isCallable(target)) return target.call(name, args);
  if (name === 'toString') return toText(target, budget);
  if (name === 'equals') return areEqual(target, args[0], budget);
  if (typeof target === 'string') return textMethod(target, name, args, budget);
  if (Array.isArray(target)) return listMethod(target, name, args, budget);
  if (isMap(target)) return mapMethod(target, name, args, budget);
  return numberMethod(target, name, args);
}

const unknown = (type: string, name: string) => new UnsupportedTemplate(`the method ${name} of a ${type}`);
const numberOf = (value: Value): number => (typeof value === 'number' ? value : Number(value));

function textMethod(text: string, name: string, args: Arguments, budget: Budget): Value {
  const [first, second] = args.map((argument) => toText(argument, budget));
  const one = first ?? '';
  budget.spend(1 + text.length / 256);
  switch (name) {
    case 'length':
      return text.length;
    case 'isEmpty':
      return text === '';
    case 'equalsIgnoreCase':
      return text.toLowerCase() === one.toLowerCase();
    case 'contains':
      return text.includes(one);
    case 'startsWith':
      return text.startsWith(one);
    case 'endsWith':
      return text.endsWith(one);
    case 'indexOf':
      return text.indexOf(one, second === undefined ? 0 : Number(second));
    case 'lastIndexOf':
      return text.lastIndexOf(one);
    case 'substring':
      return text.substring(Number(one), second === undefined ? undefined : Number(second));
    case 'charAt':
      return text.charAt(Number(one));
    case 'concat':
      return budget.text(text + one);
    case 'trim':
      return text.trim();
    case 'toLowerCase':
      return text.toLowerCase();
    case 'toUpperCase':
      return text.toUpperCase();
    case 'replace':
      return budget.text(text.replaceAll(one, () => second ?? ''));
    case 'replaceAll':
    case 'replaceFirst':
      return budget.text(replaceAllMatches(one, text, second ?? '', name === 'replaceAll') ?? text);
    case 'matches':
      return matchesWhole(one, text);
    case 'split':
      return made([...(splitBy(one, text) ?? [text])]);
    default:
      throw unknown('text', name);
  }
}

function listMethod(list: Value[], name: string, args: Arguments, budget: Budget): Value {
  const [first, second] = args;
  switch (name) {
    case 'size':
      return list.length;
    case 'length':
      return list.length;
    case 'isEmpty':
      return list.length === 0;
    case 'get':
      return list[numberOf(first)];
    case 'contains':
    case 'indexOf': {
      const at = list.findIndex((item) => areEqual(item, first, budget));
      return name === 'contains' ? at !== -1 : at;
    }
    case 'add':
      if (args.length > 1) list.splice(numberOf(first), 0, second);
      else list.push(first);
      return true;
    case 'addAll':
      if (!Array.isArray(first)) throw unknown('list', 'addAll without a list');
      budget.spend(first.length);
      for (const item of [...first]) list.push(item);
      return true;
    case 'set': {
      const before = list[numberOf(first)];
      if (numberOf(first) in list) list[numberOf(first)] = second;
      return before;
    }
    case 'remove':
      return list.splice(typeof first === 'number' ? first : list.findIndex((item) => areEqual(item, first, budget)), 1)[0];
    default:
      throw unknown('list', name);
  }
}

function mapMethod(map: ValueMap, name: string, args: Arguments, budget: Budget): Value {
  const key = toText(args[0], budget);
  switch (name) {
    case 'get':
      return getIn(map, key);
    case 'getOrDefault':
      return Object.hasOwn(map, key) ? map[key] : args[1];
    case 'put': {
      const before = getIn(map, key);
      setIn(map, key, args[1]);
      return before;
    }
    case 'putAll':
      for (const [each, value] of entriesOf(args[0], budget)) setIn(map, each, value);
      return undefined;
    case 'remove': {
      const before = getIn(map, key);
      delete map[key];
      return before;
    }
    case 'containsKey':
      return Object.hasOwn(map, key);
    case 'containsValue':
      return entriesOf(map, budget).some(([, value]) => areEqual(value, args[0], budget));
    case 'keySet':
      return made(entriesOf(map, budget).map(([each]) => each));
    case 'values':
      return made(entriesOf(map, budget).map(([, value]) => value));
    case 'entrySet':
      return made(entriesOf(map, budget).map(([each, value]) => newMap(Object.entries({ key: each, value }))));
    case 'size':
      return Object.keys(map).length;
    case 'isEmpty':
      return Object.keys(map).length === 0;
    default:
      // An entry of entrySet() is a map of two here.
      if (name === 'getKey' || name === 'getValue') return getIn(map, name.slice(3).toLowerCase());
      throw unknown('map', name);
  }
}

function entriesOf(value: Value, budget: Budget): [string, Value][] {
  const entries = isMap(value) ? Object.entries(value) : [];
  budget.spend(entries.length);
  return entries;
}

function numberMethod(value: number | boolean, name: string, args: Arguments): Value {
  switch (name) {
    case 'intValue':
    case 'longValue':
      return Math.trunc(Number(value));
    case 'doubleValue':
    case 'floatValue':
      return Number(value);
    case 'booleanValue':
      return value;
    case 'compareTo':
      return Math.sign(Number(value) - numberOf(args[0]));
    case 'parseInt':
    case 'parseLong':
    case 'valueOf':
      return Math.trunc(Number(args[0]));
    default:
      throw unknown(typeof value, name);
  }
}
