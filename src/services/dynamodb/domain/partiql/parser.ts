import { validation } from '../../errors.ts';
import { TABLE_NAME_CHARS_MAX, TABLE_NAME_CHARS_MIN } from '../../limits.ts';
import type { Condition } from '../expression/condition.ts';
import { type Path, PathSet } from '../expression/placeholders.ts';
import type { UpdateAction, UpdateOperand } from '../expression/update.ts';
import { type AttributeValue, type Item, typeOf } from '../value.ts';
import { malformed } from './lexer.ts';
import type { Delete, Exists, Insert, OrderTerm, Returning, Select, Source, Statement, Update } from './statement.ts';
import { WhereParser } from './where.ts';

/** "PartiQL statements for DynamoDB": one statement with its parameters put in. Throws ValidationException. */
export function parseStatement(text: string, parameters: readonly AttributeValue[]): Statement {
  return new StatementParser(text, parameters).whole();
}

const UNSUPPORTED_CLAUSES = ['LIMIT', 'GROUP', 'HAVING', 'OFFSET', 'UNION', 'JOIN'] as const;
const SOURCE_COMPONENTS_MAX = 2;
const NAME_SHAPE = /^[a-zA-Z0-9_.-]+$/;

class StatementParser extends WhereParser {
  whole(): Statement {
    const statement = this.#statement();
    this.expectEnd();
    return statement;
  }

  #statement(): Statement {
    if (this.takeWord('SELECT')) return this.#select();
    if (this.takeWord('INSERT')) return this.#insert();
    if (this.takeWord('UPDATE')) return this.#update(this.#source());
    if (this.takeWord('DELETE')) return this.#delete();
    if (this.takeWord('EXISTS')) return this.#exists();
    if (this.takeWord('FROM')) return this.#updateFrom();
    this.#refuseTypeTest();
    throw malformed('Expected data manipulation');
  }

  /** `x IS type` is an expression that PartiQL has and DynamoDB runs nowhere. */
  #refuseTypeTest(): void {
    if (this.isName() && this.next.kind === 'word' && this.next.text.toUpperCase() === 'IS') this.condition();
  }

  #select(): Select {
    const paths = this.takeSymbol('*') ? undefined : this.#projection();
    this.expectWord('FROM');
    const from = this.#source();
    const where = this.#where();
    const orderBy = this.#orderBy();
    for (const clause of UNSUPPORTED_CLAUSES) if (this.isWord(clause)) throw validation(`Unsupported clause: ${clause}`);
    return { kind: 'select', from, paths, where, orderBy };
  }

  #projection(): Path[] {
    const paths: Path[] = [];
    const names = new Set<string>();
    do {
      if (this.isSymbol('*')) throw validation("Other attributes should not be present in the projection when '*' is used.");
      const path = this.path();
      if (this.isSymbol('(')) throw validation(`Unsupported function: ${String(path[0]).toLowerCase()}`);
      if (this.isWord('AS') || this.isName()) throw validation('Aliasing is not supported');
      const name = projectedName(path);
      if (names.has(name)) throw validation(`Duplicate identifiers in select clause: ${name}`);
      names.add(name);
      paths.push(path);
    } while (this.takeSymbol(','));
    return paths;
  }

  /** `"table"."index"`. */
  #source(missing?: string): Source {
    if (missing !== undefined && !this.isName()) throw malformed(missing);
    const names = [this.name()];
    while (this.takeSymbol('.')) names.push(this.name());
    if (names.length > SOURCE_COMPONENTS_MAX) throw validation(`A path may contain at most ${SOURCE_COMPONENTS_MAX} components in the FROM clause`);
    if (names.includes('')) throw validation('Path component cannot be an empty string');
    const [table, index] = names as [string, string?];
    if (table.length < TABLE_NAME_CHARS_MIN || table.length > TABLE_NAME_CHARS_MAX || !NAME_SHAPE.test(table)) {
      throw validation(
        `Table name should be within the length [${TABLE_NAME_CHARS_MIN}, ${TABLE_NAME_CHARS_MAX}] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.`,
      );
    }
    return index === undefined ? { table } : { table, index };
  }

  #refuseAlias(): void {
    if (this.isWord('AS') || this.isName()) throw validation('Aliasing is not supported');
  }

  #where(): Condition | undefined {
    this.#refuseAlias();
    return this.takeWord('WHERE') ? this.condition() : undefined;
  }

  #orderBy(): OrderTerm[] {
    if (!this.takeWord('ORDER')) return [];
    this.expectWord('BY');
    const terms: OrderTerm[] = [];
    do {
      const attribute = this.name();
      const descending = this.takeWord('DESC');
      if (!descending) this.takeWord('ASC');
      terms.push({ attribute, descending });
    } while (this.takeSymbol(','));
    return terms;
  }

  #insert(): Insert {
    this.expectWord('INTO');
    const from = this.#source();
    if (from.index !== undefined) throw validation('FROM clause may only contain a single table name');
    if (this.isName()) throw malformed('Unexpected token after expression');
    this.expectWord('VALUE');
    return { kind: 'insert', from, item: this.#item() };
  }

  #item(): Item {
    if (this.takeSymbol('{')) return this.nested(() => this.members(() => 'root'));
    const { M } = this.value();
    if (M === undefined) throw malformed('Unexpected term');
    return M;
  }

  #update(from: Source): Update {
    this.#refuseAlias();
    const actions = this.#actions();
    const where = this.#where();
    return { kind: 'update', from: tableOnly(from), actions, where, returning: this.#returning() };
  }

  /** `FROM table WHERE … SET …`: the other order of the same clauses. */
  #updateFrom(): Update {
    const from = this.#source();
    const where = this.#where();
    const actions = this.#actions();
    return { kind: 'update', from: tableOnly(from), actions, where, returning: this.#returning() };
  }

  #actions(): UpdateAction[] {
    const actions: UpdateAction[] = [];
    const written = new PathSet();
    const refuse = (message: string): never => {
      throw validation(message);
    };
    const add = (action: UpdateAction) => {
      written.add(action.path, { overlap: refuse, conflict: refuse });
      actions.push(action);
    };
    for (;;) {
      if (this.takeWord('SET')) {
        do add(this.#assignment());
        while (this.takeSymbol(','));
      } else if (this.takeWord('REMOVE')) {
        do add({ type: 'remove', path: this.path() });
        while (this.takeSymbol(','));
      } else break;
    }
    if (actions.length === 0) throw malformed('Expected data manipulation');
    return actions;
  }

  #assignment(): UpdateAction {
    const path = this.path();
    this.expectSymbol('=');
    const name = this.token.kind === 'word' && this.next.text === '(' ? this.token.text.toLowerCase() : '';
    if (name !== 'set_add' && name !== 'set_delete') return { type: 'set', path, value: this.#sum() };
    this.advance();
    this.expectSymbol('(');
    const target = this.path();
    this.expectSymbol(',');
    const value = this.value();
    this.expectSymbol(')');
    if (JSON.stringify(target) !== JSON.stringify(path)) throw validation(`The first argument of ${name} must be the attribute that is set`);
    const type = typeOf(value);
    if (type !== 'SS' && type !== 'NS' && type !== 'BS') {
      throw validation(`Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`);
    }
    return { type: name === 'set_add' ? 'add' : 'delete', path, value };
  }

  #sum(): UpdateOperand {
    let left = this.#operandOfUpdate();
    for (;;) {
      const operator = this.isSymbol('+') ? '+' : this.isSymbol('-') ? '-' : undefined;
      if (operator === undefined) return left;
      this.advance();
      left = this.nested(() => ({ type: operator, left, right: this.#operandOfUpdate() }));
    }
  }

  #operandOfUpdate(): UpdateOperand {
    if (this.takeSymbol('(')) {
      const inner = this.nested(() => this.#sum());
      this.expectSymbol(')');
      return inner;
    }
    if (this.isValue()) return { type: 'value', value: this.value() };
    if (this.token.kind !== 'word' || this.next.text !== '(') return { type: 'path', path: this.path() };
    const name = this.advance().text.toLowerCase();
    if (name !== 'list_append' && name !== 'if_not_exists') throw validation(`Unsupported function: ${name}`);
    this.expectSymbol('(');
    const result = this.nested((): UpdateOperand => {
      if (name === 'if_not_exists') {
        const path = this.path();
        this.expectSymbol(',');
        return { type: 'if_not_exists', path, otherwise: this.#sum() };
      }
      const left = this.#sum();
      this.expectSymbol(',');
      return { type: 'list_append', left, right: this.#sum() };
    });
    this.expectSymbol(')');
    return result;
  }

  #delete(): Delete {
    this.expectWord('FROM');
    const from = this.#source('Expected identifier for simple path');
    const where = this.#where();
    const returning = this.#returning();
    if (returning && (returning.scope !== 'ALL' || returning.image !== 'OLD')) {
      throw validation(
        `Invalid returning clause: RETURNING ${returning.scope} ${returning.image} *. Only RETURNING ALL OLD * is allowed in DELETE statements.`,
      );
    }
    return { kind: 'delete', from: tableOnly(from), where, returning };
  }

  #returning(): Returning | undefined {
    if (!this.takeWord('RETURNING')) return undefined;
    const scope = this.takeWord('ALL') ? 'ALL' : this.takeWord('MODIFIED') ? 'MODIFIED' : undefined;
    const image = this.takeWord('OLD') ? 'OLD' : this.takeWord('NEW') ? 'NEW' : undefined;
    if (scope === undefined || image === undefined) throw this.unexpected();
    this.expectSymbol('*');
    return { scope, image };
  }

  #exists(): Exists {
    this.expectSymbol('(');
    this.expectWord('SELECT');
    const { from, where } = this.#select();
    this.expectSymbol(')');
    if (from.index !== undefined) throw validation('Operations on indices are not supported in transactions');
    return { kind: 'exists', from, where };
  }
}

function tableOnly(from: Source): Source {
  if (from.index !== undefined) throw validation('This operation is not supported on an index');
  return from;
}

/** The name that a selected path is answered under: its last step that has a name, with the list indexes behind it. */
export function projectedName(path: Path): string {
  let at = path.length - 1;
  while (typeof path[at] === 'number') at--;
  return path
    .slice(at)
    .map((step, position) => (position === 0 ? String(step) : `[${step}]`))
    .join('');
}
