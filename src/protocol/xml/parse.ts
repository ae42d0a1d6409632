import { XML_ATTRIBUTES_MAX, XML_DEPTH_MAX } from '../limits.ts';

/** An element as parsed: its name without prefix, its attributes with theirs. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** The character data directly inside, entities resolved. */
  text: string;
}

/** The text is no well-formed XML, or uses what is refused here: document types, entities of its own, too many levels. */
export class XmlSyntaxError extends Error {}

const NAME = /[A-Za-z_:\u0080-\uffff][-A-Za-z0-9._:\u0080-\uffff]*/y;
const SPACE = /[ \t\r\n]*/y;
const ATTRIBUTE = /[ \t\r\n]+([A-Za-z_:\u0080-\uffff][-A-Za-z0-9._:\u0080-\uffff]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Parses a document and returns its root. Linear in the text, bounded in depth, without any entity but XML's own five and
 * character references. Throws {@link XmlSyntaxError}.
 */
export function parseXml(text: string): XmlElement {
  return new Parser(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).document();
}

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): XmlElement {
    if (this.text.startsWith('<?xml')) this.skipTo('?>');
    this.misc();
    if (this.text[this.at] !== '<') throw new XmlSyntaxError('no root element');
    const root = this.elements();
    this.misc();
    if (this.at !== this.text.length) throw new XmlSyntaxError('content after the root element');
    return root;
  }

  /** White space, comments and processing instructions around the root. */
  private misc(): void {
    for (;;) {
      this.match(SPACE);
      if (this.text.startsWith('<!--', this.at)) this.skipTo('-->');
      else if (this.text.startsWith('<?', this.at)) this.skipTo('?>');
      else return;
    }
  }

  /** The root with all it holds; an own stack instead of recursion. */
  private elements(): XmlElement {
    const open: { element: XmlElement; rawName: string }[] = [];
    for (;;) {
      const start = this.text.indexOf('<', this.at);
      const current = open.at(-1);
      if (start < 0) throw new XmlSyntaxError('an element is not closed');
      if (current && start > this.at) current.element.text += this.resolve(this.text.slice(this.at, start));
      this.at = start;
      if (this.text.startsWith('<![CDATA[', start) && current) current.element.text += this.cdata();
      else if (this.text.startsWith('<!--', start)) this.skipTo('-->');
      else if (this.text.startsWith('<?', start)) this.skipTo('?>');
      else if (this.text[start + 1] === '/') {
        if (!current) throw new XmlSyntaxError('an end without a start');
        this.closeTag(current.rawName);
        open.pop();
        if (open.length === 0) return current.element;
      } else {
        const opened = this.openTag();
        current?.element.children.push(opened.element);
        if (!opened.empty) open.push(opened);
        else if (!current) return opened.element;
        if (open.length > XML_DEPTH_MAX) throw new XmlSyntaxError('too many levels');
      }
    }
  }

  private openTag(): { element: XmlElement; rawName: string; empty: boolean } {
    this.at++;
    const rawName = this.match(NAME);
    if (rawName === undefined) throw new XmlSyntaxError('a tag without a name');
    const attributes = new Map<string, string>();
    ATTRIBUTE.lastIndex = this.at;
    for (let m = ATTRIBUTE.exec(this.text); m; m = ATTRIBUTE.exec(this.text)) {
      const [, name = '', double, single = ''] = m;
      if (attributes.has(name) || attributes.size >= XML_ATTRIBUTES_MAX) throw new XmlSyntaxError('a repeated attribute');
      attributes.set(name, this.resolve(double ?? single));
      this.at = ATTRIBUTE.lastIndex;
    }
    this.match(SPACE);
    const empty = this.text.startsWith('/>', this.at);
    if (!empty && this.text[this.at] !== '>') throw new XmlSyntaxError('a tag is not closed');
    this.at += empty ? 2 : 1;
    return { element: { name: localName(rawName), attributes, children: [], text: '' }, rawName, empty };
  }

  private closeTag(rawName: string): void {
    if (!this.text.startsWith(rawName, this.at + 2)) throw new XmlSyntaxError('an end that matches no start');
    this.at += 2 + rawName.length;
    this.match(SPACE);
    if (this.text[this.at] !== '>') throw new XmlSyntaxError('an end that matches no start');
    this.at++;
  }

  private cdata(): string {
    const end = this.text.indexOf(']]>', this.at);
    if (end < 0) throw new XmlSyntaxError('CDATA is not closed');
    const content = this.text.slice(this.at + 9, end);
    this.at = end + 3;
    return content;
  }

  private skipTo(mark: string): void {
    const end = this.text.indexOf(mark, this.at);
    if (end < 0) throw new XmlSyntaxError(`no ${mark}`);
    this.at = end + mark.length;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private resolve(raw: string): string {
    const text = raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw;
    if (!text.includes('&')) return text;
    return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{1,8}));|&/g, (_whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined && Object.hasOwn(ENTITIES, name)) return ENTITIES[name] as string;
      const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : -1;
      if (!isXmlCharacter(code)) throw new XmlSyntaxError('an unknown entity');
      return String.fromCodePoint(code);
    });
  }
}

function isXmlCharacter(code: number): boolean {
  return (
    code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
  );
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}
