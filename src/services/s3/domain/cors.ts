/** One rule of a bucket's CORS configuration as it is stored. */
export interface CorsRule {
  readonly AllowedHeaders?: readonly string[];
  readonly AllowedMethods: readonly string[];
  readonly AllowedOrigins: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly MaxAgeSeconds?: number;
}

export interface CorsQuestion {
  readonly origin: string;
  readonly method: string;
  /** The value of `Access-Control-Request-Headers`. */
  readonly headers: string | undefined;
}

/** The one `*` that a pattern may have stands for any text. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const end = pattern.slice(star + 1);
  return text.length >= pattern.length - 1 && text.startsWith(pattern.slice(0, star)) && text.endsWith(end);
}

/** The headers by which the first rule that fits allows the request; undefined where none does. "Using cross-origin resource sharing (CORS)". */
export function allowCors(rules: readonly CorsRule[], { origin, method, headers }: CorsQuestion): Record<string, string> | undefined {
  const wanted = (headers ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  for (const rule of rules) {
    const pattern = rule.AllowedOrigins.find((one) => fits(one, origin));
    if (pattern === undefined || !rule.AllowedMethods.includes(method)) continue;
    const patterns = (rule.AllowedHeaders ?? []).map((one) => one.toLowerCase());
    if (!wanted.every((name) => patterns.some((one) => fits(one, name)))) continue;
    return {
      'Access-Control-Allow-Origin': pattern === '*' ? '*' : origin,
      'Access-Control-Allow-Methods': rule.AllowedMethods.join(', '),
      ...(wanted.length > 0 ? { 'Access-Control-Allow-Headers': wanted.join(', ') } : {}),
      ...(rule.ExposeHeaders?.length ? { 'Access-Control-Expose-Headers': rule.ExposeHeaders.join(', ') } : {}),
      ...(rule.MaxAgeSeconds === undefined ? {} : { 'Access-Control-Max-Age': String(rule.MaxAgeSeconds) }),
      ...(pattern === '*' ? {} : { 'Access-Control-Allow-Credentials': 'true' }),
      Vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    };
  }
  return undefined;
}
