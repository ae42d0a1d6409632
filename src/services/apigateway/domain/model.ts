import { badRequest } from '../errors.ts';

/** The models that every API made by CreateRestApi has. */
export function defaultModels() {
  return [
    {
      name: 'Empty',
      description: 'This is a default empty schema model',
      contentType: 'application/json',
      schema: JSON.stringify({ $schema: 'http://json-schema.org/draft-04/schema#', title: 'Empty Schema', type: 'object' }, null, 2),
    },
    {
      name: 'Error',
      description: 'This is a default error schema model',
      contentType: 'application/json',
      schema: JSON.stringify(
        { $schema: 'http://json-schema.org/draft-04/schema#', title: 'Error Schema', type: 'object', properties: { message: { type: 'string' } } },
        null,
        2,
      ),
    },
  ];
}

/** A model needs a schema. */
export function checkSchema(schema: string | undefined): void {
  if (!schema) throw badRequest('Model schema must have at least 1 property or array items defined');
}
