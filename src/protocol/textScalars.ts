import type { ShapeModel } from '../models/model.ts';
import { base64Fault, INTEGER_RANGES, type IntegerRange, parseFloatText, parseIntegerText, parseTimestamp } from './scalars.ts';

/**
 * Reads a scalar of `shape` from text, as XML, query strings, labels and headers carry it. The reader answers undefined
 * where the text is none.
 */
export function scalarReader(shape: ShapeModel): (text: string) => unknown {
  switch (shape.type) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'long': {
      const range = INTEGER_RANGES[shape.type] as IntegerRange;
      return (text) => parseIntegerText(text, range);
    }
    case 'float':
    case 'double':
    case 'bigdecimal':
    case 'biginteger':
      return parseFloatText;
    case 'boolean':
      return readBoolean;
    case 'timestamp':
      return parseTimestamp;
    case 'blob':
      return (text) => (base64Fault(text) === undefined ? Buffer.from(text, 'base64') : undefined);
    default:
      return (text) => text;
  }
}

function readBoolean(text: string): boolean | undefined {
  const word = text.length <= 5 ? text.toLowerCase() : '';
  return word === 'true' ? true : word === 'false' ? false : undefined;
}
