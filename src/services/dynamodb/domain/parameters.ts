import { validation } from '../errors.ts';

/** Expression parameters and those that came before them never go together. */
export function checkExpressionParameters(input: object, expressions: readonly string[], nonExpressions: readonly string[]): void {
  const given = (name: string): boolean => (input as Record<string, unknown>)[name] !== undefined;
  const used = expressions.filter(given);
  if (used.length > 0) {
    const clashing = nonExpressions.filter(given);
    if (clashing.length > 0) {
      throw validation(
        `Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {${clashing.join(', ')}} Expression parameters: {${used.join(', ')}}`,
      );
    }
  }
  if (given('ExpressionAttributeNames') && used.length === 0) throw validation('ExpressionAttributeNames can only be specified when using expressions');
  const valued = expressions.filter((name) => name !== 'ProjectionExpression');
  if (valued.length > 0 && given('ExpressionAttributeValues') && !valued.some(given)) {
    throw validation(
      `ExpressionAttributeValues can only be specified when using expressions: ${valued.join(' and ')} ${valued.length > 1 ? 'are' : 'is'} null`,
    );
  }
}
