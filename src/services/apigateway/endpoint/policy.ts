const STATEMENTS_MAX = 500;

/**
 * What an authorizer's policy says of one method; undefined where it is no policy. Conditions never hold: an authorizer's policy
 * is made for the request at hand.
 */
export function isAllowed(policy: unknown, methodArn: string): 'allow' | 'implicit-deny' | 'explicit-deny' | undefined {
  if (typeof policy !== 'object' || policy === null) return undefined;
  const raw = (policy as Record<string, unknown>)['Statement'];
  const statements = Array.isArray(raw) ? (raw as unknown[]) : [raw];
  if (statements.length > STATEMENTS_MAX) return undefined;
  let allowed = false;
  for (const statement of statements) {
    if (typeof statement !== 'object' || statement === null) return undefined;
    const { Effect, Action, Resource, Condition } = statement as Record<string, unknown>;
    const applies =
      Condition === undefined &&
      listOf(Action).some((action) => wildcard(action.toLowerCase(), 'execute-api:invoke')) &&
      listOf(Resource).some((arn) => wildcard(arn, methodArn));
    if (!applies) continue;
    if (Effect === 'Deny') return 'explicit-deny';
    if (Effect === 'Allow') allowed = true;
  }
  return allowed ? 'allow' : 'implicit-deny';
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]);

/** `*` is any text, `?` any character; linear but for one step back to the last star. */
export function wildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
