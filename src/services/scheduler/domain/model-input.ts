import type { ServiceModel, ShapeRef } from '../../../models/model.ts';
import { validation } from '../errors.ts';
import { INPUT_DEPTH_MAX } from '../limits.ts';

/** JSON as a universal target's input has it, as an operation takes it: dates and bytes by the model, members by their names in any case. */
export function modelInput(model: ServiceModel, ref: ShapeRef | undefined, value: unknown, depth = 0): unknown {
  const shape = ref && model.shapes[ref.shape];
  if (!ref || !shape || value === null || value === undefined) return undefined;
  if (depth > INPUT_DEPTH_MAX) throw validation('The Input you specify nests too deep.');
  switch (shape.type) {
    case 'structure': {
      if (typeof value !== 'object' || Array.isArray(value)) return value;
      const members = Object.entries(shape.members ?? {});
      const out: Record<string, unknown> = {};
      for (const [given, inner] of Object.entries(value)) {
        const member = members.find(([name]) => name === given) ?? members.find(([name]) => name.toLowerCase() === given.toLowerCase());
        if (!member) throw validation(`The Input you specify has an unknown parameter ${given}.`);
        const converted = modelInput(model, member[1], inner, depth + 1);
        if (converted !== undefined) out[member[0]] = converted;
      }
      return out;
    }
    case 'list':
      return Array.isArray(value) ? value.map((item) => modelInput(model, shape.member, item, depth + 1)) : value;
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, modelInput(model, shape.value, inner, depth + 1)]));
    case 'blob':
      return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(JSON.stringify(value), 'utf8');
    case 'timestamp': {
      const date = new Date(typeof value === 'number' ? value * 1000 : String(value));
      if (Number.isNaN(date.getTime())) throw validation(`The Input you specify has a time that is none: ${String(value)}.`);
      return date;
    }
    case 'string':
      return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
    default:
      return value;
  }
}
