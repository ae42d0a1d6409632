import { AwsError } from '../kit/errors.ts';

/**
 * A body that is not of the operation's form. `SerializationException` is what the JSON and CBOR protocols answer;
 * an empty message means that AWS sends none.
 */
export function serializationError(message: string): AwsError {
  return new AwsError('SerializationException', message);
}

/** What S3 answers for a body that is no XML, or XML of another form. */
export function malformedXml(): AwsError {
  return new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
}
