/** What a mapping template is made of, once parsed. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reference'; readonly reference: Reference }
  | { readonly kind: 'set'; readonly target: Reference; readonly value: Expression }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: readonly Node[] }
  | { readonly kind: 'foreach'; readonly variable: string; readonly items: Expression; readonly body: readonly Node[] }
  | { readonly kind: 'break' }
  | { readonly kind: 'stop' };

export interface Branch {
  readonly condition: Expression;
  readonly body: readonly Node[];
}

export interface Reference {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** `.name`, `.name(…)` or `[…]`. */
export type Step =
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'index'; readonly index: Expression };

export type Operator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'template'; readonly nodes: readonly Node[] }
  | { readonly kind: 'reference'; readonly reference: Reference }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'range'; readonly from: Expression; readonly to: Expression }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'negative'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression };

/** A template that is no Velocity, or that uses what the evaluator lacks. */
export class UnsupportedTemplate extends Error {
  override readonly name = 'UnsupportedTemplate';
}

/** A template that would run too long or make too much. */
export class TemplateLimit extends Error {
  override readonly name = 'TemplateLimit';
}
