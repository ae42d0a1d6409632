/** Label names and values of one series, e.g. `{ service: 'sqs', operation: 'SendMessage' }`. */
export type Labels = Readonly<Record<string, string>>;

/** A series that only grows. */
export interface Counter {
  add(quantity?: number): void;
}

/** A distribution over fixed bounds. */
export interface Histogram {
  observe(value: number): void;
}

/**
 * The figures of this process in the OpenMetrics text form ("OpenMetrics 1.0"). Ask for a series once and keep it: `add` and
 * `observe` allocate nothing.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: Labels): Counter;
  histogram(name: string, help: string, bounds: readonly number[], labels?: Labels): Histogram;
  /** Read at each scrape; one value, or several with labels. */
  gauge(name: string, help: string, read: () => number | readonly (readonly [Labels, number])[]): void;
  /** Run before each scrape, for figures that have to be asked for; a failure leaves the old values. */
  collect(refresh: () => Promise<void>): void;
  /** The whole text, ending in `# EOF`. */
  render(): Promise<string>;
}

export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

interface Family {
  readonly type: 'counter' | 'histogram' | 'gauge';
  readonly help: string;
  readonly series: Map<string, Series>;
}

interface Series {
  readonly labels: string;
  write(name: string, out: string[]): void;
}

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const collectors: (() => Promise<void>)[] = [];
  const family = (name: string, type: Family['type'], help: string): Family => {
    let found = families.get(name);
    if (!found) {
      found = { type, help, series: new Map() };
      families.set(name, found);
    }
    if (found.type !== type) throw new Error(`metric ${name} is a ${found.type}, not a ${type}`);
    return found;
  };
  const series = <S extends Series>(of: Family, labels: Labels | undefined, make: (text: string) => S): S => {
    const text = labels ? labelText(labels) : '';
    const known = of.series.get(text);
    if (known) return known as S;
    const made = make(text);
    of.series.set(text, made);
    return made;
  };
  return {
    counter: (name, help, labels) => series(family(name, 'counter', help), labels, counterSeries),
    histogram: (name, help, bounds, labels) => series(family(name, 'histogram', help), labels, (text) => histogramSeries(text, bounds)),
    gauge(name, help, read) {
      family(name, 'gauge', help).series.set('', { labels: '', write: (_, out) => writeGauge(name, read(), out) });
    },
    collect(refresh) {
      collectors.push(refresh);
    },
    async render() {
      await Promise.allSettled(collectors.map((refresh) => refresh()));
      const out: string[] = [];
      for (const [name, { type, help, series: all }] of families) {
        out.push(`# HELP ${name} ${escapeText(help)}`, `# TYPE ${name} ${type}`);
        for (const one of all.values()) one.write(name, out);
      }
      out.push('# EOF');
      return `${out.join('\n')}\n`;
    },
  };
}

function counterSeries(labels: string): Series & Counter {
  let total = 0;
  return {
    labels,
    add(quantity = 1) {
      total += quantity;
    },
    write(name, out) {
      out.push(`${name}_total${wrap(labels)} ${total}`);
    },
  };
}

function histogramSeries(labels: string, bounds: readonly number[]): Series & Histogram {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    labels,
    observe(value) {
      let at = 0;
      while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += value;
    },
    write(name, out) {
      let cumulated = 0;
      const prefix = labels ? `${labels},` : '';
      for (let at = 0; at <= bounds.length; at++) {
        cumulated += counts[at] ?? 0;
        out.push(`${name}_bucket{${prefix}le="${bounds[at] ?? '+Inf'}"} ${cumulated}`);
      }
      out.push(`${name}_count${wrap(labels)} ${cumulated}`, `${name}_sum${wrap(labels)} ${sum}`);
    },
  };
}

function writeGauge(name: string, value: number | readonly (readonly [Labels, number])[], out: string[]): void {
  if (typeof value === 'number') out.push(`${name} ${value}`);
  else for (const [labels, one] of value) out.push(`${name}${wrap(labelText(labels))} ${one}`);
}

function wrap(labels: string): string {
  return labels ? `{${labels}}` : '';
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`)
    .join(',');
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
