import type { ServiceModel, ShapeRef } from '../../models/model.ts';
import { shapeOf } from '../compiled.ts';
import { INTEGER_RANGES } from '../scalars.ts';
import { serializationError } from '../wireErrors.ts';

/** What a scalar of the model is to Java, for messages. */
export type JavaScalar = 'String' | 'Boolean' | 'Byte' | 'Short' | 'Integer' | 'Long' | 'Float' | 'Double' | 'BigDecimal' | 'BigInteger' | 'Blob' | 'Timestamp';

/** Where a value stands: as a structure's member, or in a list or map. */
export type Place = 'field' | 'element';

/** AWS's words for a JSON value of the wrong type; they depend on the service's front end. */
export interface JsonFaults {
  scalar(value: unknown, wanted: JavaScalar): Error;
  base64(text: string, fault: string): Error;
  list(value: unknown, place: Place): Error;
  map(value: unknown, place: Place, valueRef: ShapeRef): Error;
  structure(value: unknown, place: Place, name: string): Error;
}

export function jsonFaults(model: ServiceModel): JsonFaults {
  switch (model.metadata.jsonFaults) {
    case 'dynamodb':
      return dynamodbFaults(model);
    case 'javaClasses':
      return coralFaults(className, () => 'an');
    default:
      return coralFaults(tokenName, (wanted) => (/^[AEIO]/.test(wanted) ? 'an' : 'a'));
  }
}

/** Coral's name of a JSON token. */
function tokenName(value: unknown): string {
  if (typeof value === 'number') return 'NUMBER_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return 'STRING_VALUE';
}

/** Coral's older front ends name Java's class instead. */
function className(value: unknown): string {
  if (typeof value === 'number') return 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber';
  return typeof value === 'boolean' ? 'class java.lang.Boolean' : 'class java.lang.String';
}

/** Coral, which serves most of AWS's JSON services. Recorded from Athena, SES and SQS (tokens), Kinesis and API Gateway (classes). */
function coralFaults(nameOf: (value: unknown) => string, article: (wanted: string) => string): JsonFaults {
  const started = (value: object) =>
    serializationError(Array.isArray(value) ? 'Start of list found where not expected' : 'Start of structure or map found where not expected.');
  return {
    scalar(value, wanted) {
      if (typeof value === 'object' && value !== null) return started(value);
      if (wanted === 'Timestamp') return serializationError(`${nameOf(value)} can not be converted to milliseconds since epoch`);
      if (wanted === 'Blob') return serializationError(`${nameOf(value)} can not be converted to a Blob`);
      // AWS's own grammar: a text that is no truth value is none to "an Boolean".
      const which = wanted === 'Boolean' && typeof value === 'string' ? 'an' : article(wanted);
      return serializationError(`${nameOf(value)} can not be converted to ${which} ${wanted}`);
    },
    base64: (text, fault) => serializationError(`'${text.slice(0, BASE64_SHOWN_MAX)}' can not be converted to a Blob: ${fault}`),
    list: (value) => (typeof value === 'object' && value !== null ? started(value) : serializationError('Expected list or null')),
    map: (value) => (typeof value === 'object' && value !== null ? started(value) : serializationError('Expected map or null')),
    structure: (value) => (typeof value === 'object' && value !== null ? started(value) : serializationError('Expected null')),
  };
}

/** An answer repeats at most this much of a text that is no base64. */
const BASE64_SHOWN_MAX = 1024;

const NESTED_TYPE =
  "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')";
const OBJECT_FOUND = 'Start of structure or map found where not expected';

/** DynamoDB's own front end, as recorded for every operation by dynalite's test suite. */
function dynamodbFaults(model: ServiceModel): JsonFaults {
  const namespace = coralNamespace(model);
  return {
    scalar(value, wanted) {
      const java = wanted === 'Blob' ? 'java.nio.ByteBuffer' : wanted === 'Timestamp' ? 'java.util.Date' : `java.lang.${wanted}`;
      if (Array.isArray(value)) return serializationError(`Unrecognized collection type class ${java}`);
      if (typeof value === 'object') return serializationError(OBJECT_FOUND);
      if (wanted === 'Blob') return serializationError('only base-64-encoded strings are convertible to bytes');
      if (wanted === 'Boolean' && typeof value === 'string') return serializationError('Unexpected token received from parser');
      const token = typeof value === 'number' && !Number.isInteger(value) ? 'DECIMAL_VALUE' : tokenName(value);
      return serializationError(`${token} cannot be converted to ${wanted === 'Timestamp' ? 'milliseconds since epoch' : wanted}`);
    },
    base64: (_text, fault) => serializationError(fault),
    list(value, place) {
      if (typeof value === 'object') return serializationError(OBJECT_FOUND);
      return serializationError(place === 'element' ? NESTED_TYPE : 'Unexpected field type');
    },
    map(value, place, valueRef) {
      if (Array.isArray(value))
        return serializationError(`Unrecognized collection type java.util.Map<java.lang.String, ${javaType(model, namespace, valueRef)}>`);
      return serializationError(place === 'element' ? NESTED_TYPE : 'Unexpected field type');
    },
    structure(value, place, name) {
      if (Array.isArray(value)) return serializationError(`Unrecognized collection type class ${namespace}.${name}`);
      return serializationError(place === 'element' ? 'Unexpected value type in payload' : 'Unexpected field type');
    },
  };
}

/** The namespace that prefixes a service's shapes: `com.amazonaws.dynamodb.v20120810`. */
export function coralNamespace(model: ServiceModel): string {
  const { endpointPrefix, apiVersion, namespace } = model.metadata;
  return namespace ?? `com.amazonaws.${endpointPrefix}.v${apiVersion.replaceAll('-', '')}`;
}

function javaType(model: ServiceModel, namespace: string, ref: ShapeRef): string {
  const shape = shapeOf(model, ref);
  switch (shape.type) {
    case 'structure':
      return `${namespace}.${ref.shape}`;
    case 'list':
      return `java.util.List<${javaType(model, namespace, shape.member as ShapeRef)}>`;
    case 'map':
      return `java.util.Map<java.lang.String, ${javaType(model, namespace, shape.value as ShapeRef)}>`;
    case 'blob':
      return 'java.nio.ByteBuffer';
    case 'timestamp':
      return 'java.util.Date';
    default:
      return `java.lang.${INTEGER_RANGES[shape.type]?.java ?? shape.type.charAt(0).toUpperCase() + shape.type.slice(1)}`;
  }
}
