import { UnsupportedTemplate } from './nodes.ts';

/** A place in a text. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  startsWith(part: string): boolean {
    return this.text.startsWith(part, this.at);
  }

  /** Matches a sticky pattern here and steps over it. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at += match[0].length;
    return match;
  }

  blanks(): void {
    this.take(/\s*/y);
  }

  /** Steps over blanks and `part`, if it is there. */
  accept(part: string): boolean {
    const before = this.at;
    this.blanks();
    if (this.startsWith(part)) {
      this.at += part.length;
      return true;
    }
    this.at = before;
    return false;
  }

  expect(part: string): void {
    if (!this.accept(part)) throw new UnsupportedTemplate(`"${this.text.slice(this.at, this.at + 20)}" where "${part}" must be`);
  }
}
