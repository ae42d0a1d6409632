/** A statement of a function's resource policy. */
type Statement = Readonly<Record<string, unknown>>;

export interface UrlCaller {
  readonly account: string;
  readonly arn: string;
}

const ACTION = /^(\*|lambda:\*|lambda:Invoke\*|lambda:InvokeFunctionUrl)$/i;

/**
 * Whether a function's policy lets a request to its URL through. `caller` is absent for who did not sign. Callers of the function's
 * own account need no statement: what their own policies say is not asked here. "Control access to Lambda function URLs".
 */
export function urlAllowed(statements: readonly Statement[], authType: string, account: string, caller?: UrlCaller): boolean {
  const about = statements.filter((one) => concerns(one, caller));
  if (about.some((one) => one['Effect'] === 'Deny' && meets(one, authType) !== false)) return false;
  if (caller?.account === account) return true;
  return about.some((one) => one['Effect'] === 'Allow' && meets(one, authType) === true);
}

function concerns(statement: Statement, caller: UrlCaller | undefined): boolean {
  return listOf(statement['Action']).some((action) => ACTION.test(String(action))) && isPrincipal(statement['Principal'], caller);
}

function isPrincipal(principal: unknown, caller: UrlCaller | undefined): boolean {
  if (principal === '*') return true;
  const named = typeof principal === 'object' && principal !== null ? listOf((principal as Record<string, unknown>)['AWS']) : [];
  return named.some((one) => one === '*' || (caller !== undefined && (one === caller.arn || one === caller.account || isRootOf(String(one), caller.account))));
}

const isRootOf = (arn: string, account: string): boolean => /^arn:[a-z-]+:iam::(\d{12}):root$/.exec(arn)?.[1] === account;

/** Whether the conditions hold; undefined where one is of a kind that is not known here. */
function meets(statement: Statement, authType: string): boolean | undefined {
  let known = true;
  for (const [operator, keys] of Object.entries((statement['Condition'] ?? {}) as Record<string, Record<string, unknown>>)) {
    for (const [key, value] of Object.entries(keys)) {
      const texts = listOf(value).map(String);
      if (operator === 'StringEquals' && key.toLowerCase() === 'lambda:functionurlauthtype') {
        if (!texts.includes(authType)) return false;
      } else if (operator === 'Bool' && key.toLowerCase() === 'lambda:invokedviafunctionurl') {
        if (!texts.includes('true')) return false;
      } else known = false;
    }
  }
  return known ? true : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
