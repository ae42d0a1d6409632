/** A cron expression that cannot be one; the message says which field, and why. */
export class ScheduleSyntaxError extends Error {}

/** Which days of a month a cron expression means. */
interface Days {
  readonly matches: (year: number, month: number, day: number) => boolean;
}

/** `cron(minutes hours day-of-month month day-of-week year)`, read. */
export interface Cron {
  readonly kind: 'cron';
  /** Ascending. */
  readonly minutes: readonly number[];
  /** Ascending. */
  readonly hours: readonly number[];
  /** Ascending, 1–12. */
  readonly months: readonly number[];
  /** Ascending, 1970–2199. */
  readonly years: readonly number[];
  /** Whether a day, counted from 1, is meant. */
  readonly matchesDay: (year: number, month: number, day: number) => boolean;
}

/** A day and a time of day without a time zone. */
export interface LocalTime {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** What the smallest value is called, and those after it. */
  readonly names?: readonly string[];
}

const MINUTES: Field = { name: 'Minutes', min: 0, max: 59 };
const HOURS: Field = { name: 'Hours', min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: 'Day-of-month', min: 1, max: 31 };
const MONTH: Field = { name: 'Month', min: 1, max: 12, names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] };
const DAY_OF_WEEK: Field = { name: 'Day-of-week', min: 1, max: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] };
const YEAR: Field = { name: 'Year', min: 1970, max: 2199 };

const SATURDAY = 7;
const DAY_MS = 86_400_000;

/** Reads what stands between the parentheses of `cron(…)`. Throws {@link ScheduleSyntaxError}. "Cron expressions reference". */
export function parseCron(text: string): Cron {
  const fields = text.split(/[ \t]+/);
  const [minutes, hours, dayOfMonth, month, dayOfWeek, year] = fields;
  if (fields.length !== 6 || !minutes || !hours || !dayOfMonth || !month || !dayOfWeek || !year) {
    throw new ScheduleSyntaxError('A cron expression has six fields: minutes hours day-of-month month day-of-week year');
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new ScheduleSyntaxError('One of the fields Day-of-month and Day-of-week must be ?, and only one');
  }
  const days = dayOfWeek === '?' ? daysOfMonth(dayOfMonth) : daysOfWeek(dayOfWeek);
  return {
    kind: 'cron',
    minutes: valuesOf(MINUTES, minutes),
    hours: valuesOf(HOURS, hours),
    months: valuesOf(MONTH, month),
    years: valuesOf(YEAR, year),
    matchesDay: days.matches,
  };
}

/** The times that `cron` means, from `from` on, in the order of the wall clock. Ends after the year 2199. */
export function* localTimes(cron: Cron, from: LocalTime): Generator<LocalTime> {
  for (const year of cron.years) {
    if (year < from.year) continue;
    for (const month of cron.months) {
      if (year === from.year && month < from.month) continue;
      const isFirstMonth = year === from.year && month === from.month;
      for (let day = isFirstMonth ? from.day : 1; day <= daysIn(year, month); day++) {
        if (cron.matchesDay(year, month, day)) yield* timesOf(cron, { year, month, day }, isFirstMonth && day === from.day ? from : undefined);
      }
    }
  }
}

function* timesOf(cron: Cron, date: Pick<LocalTime, 'year' | 'month' | 'day'>, from: LocalTime | undefined): Generator<LocalTime> {
  for (const hour of cron.hours) {
    if (from && hour < from.hour) continue;
    for (const minute of cron.minutes) {
      if (!from || hour > from.hour || minute >= from.minute) yield { ...date, hour, minute };
    }
  }
}

/** `*`, lists, ranges and steps, as ascending values. */
function valuesOf(field: Field, text: string): readonly number[] {
  const values = new Set<number>();
  for (const item of text.split(',')) for (const value of itemValues(field, item)) values.add(value);
  return [...values].sort((a, b) => a - b);
}

function* itemValues(field: Field, item: string): Generator<number> {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) throw invalid(field, item);
  const [first = '', last, ...rest] = range.split('-');
  if (rest.length > 0) throw invalid(field, item);
  const span = field.max - field.min + 1;
  const every = step === undefined ? 1 : wholeNumber(step);
  if (every === undefined || every < 1 || every > span) throw invalid(field, item);
  const everything = range === '*';
  const from = everything ? field.min : readValue(field, first, item);
  const to = everything ? field.max : last !== undefined ? readValue(field, last, item) : step === undefined ? from : field.max;
  // A range may go over the end: FRI-MON, 22-2.
  const length = (to >= from ? to - from : to - from + span) + 1;
  if (to < from && field === YEAR) throw invalid(field, item);
  for (let i = 0; i < length; i += every) yield field.min + ((from - field.min + i) % span);
}

function readValue(field: Field, text: string, item: string): number {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? named + field.min : wholeNumber(text);
  if (value === undefined || value < field.min || value > field.max) throw invalid(field, item);
  return value;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

function invalid(field: Field, item: string): ScheduleSyntaxError {
  return new ScheduleSyntaxError(`The field ${field.name} cannot be ${item}`);
}

/** Day-of-month: values, `L`, `LW`, `L-3`, `15W`. */
function daysOfMonth(text: string): Days {
  const upper = text.toUpperCase();
  if (upper === 'L') return { matches: (year, month, day) => day === daysIn(year, month) };
  if (upper === 'LW') return { matches: (year, month, day) => day === nearestWeekday(year, month, daysIn(year, month)) };
  const before = /^L-(\d{1,2})$/.exec(upper)?.[1];
  if (before !== undefined) {
    const offset = Number(before);
    if (offset < 1 || offset > 30) throw invalid(DAY_OF_MONTH, text);
    return { matches: (year, month, day) => day === daysIn(year, month) - offset };
  }
  const near = /^(\d{1,2})W$/.exec(upper)?.[1];
  if (near !== undefined) {
    const wanted = readValue(DAY_OF_MONTH, near, text);
    return { matches: (year, month, day) => wanted <= daysIn(year, month) && day === nearestWeekday(year, month, wanted) };
  }
  const values = new Set(valuesOf(DAY_OF_MONTH, text));
  return { matches: (_year, _month, day) => values.has(day) };
}

/** Day-of-week: values, `L` (Saturday), `6L` (the month's last Friday), `TUE#2` (its second Tuesday). */
function daysOfWeek(text: string): Days {
  if (text.toUpperCase() === 'L') return { matches: (year, month, day) => weekday(year, month, day) === SATURDAY };
  const last = /^(\w{1,3})L$/i.exec(text)?.[1];
  if (last !== undefined) {
    const wanted = readValue(DAY_OF_WEEK, last, text);
    return { matches: (year, month, day) => weekday(year, month, day) === wanted && day > daysIn(year, month) - 7 };
  }
  const [name = '', nth, ...more] = text.split('#');
  if (nth !== undefined) {
    const wanted = readValue(DAY_OF_WEEK, name, text);
    const count = wholeNumber(nth) ?? 0;
    if (more.length > 0 || count < 1 || count > 5) throw invalid(DAY_OF_WEEK, text);
    return { matches: (year, month, day) => weekday(year, month, day) === wanted && Math.ceil(day / 7) === count };
  }
  const values = new Set(valuesOf(DAY_OF_WEEK, text));
  return { matches: (year, month, day) => values.has(weekday(year, month, day)) };
}

/** The Monday to Friday nearest to a day, within its month. */
function nearestWeekday(year: number, month: number, day: number): number {
  const on = weekday(year, month, day);
  if (on === SATURDAY) return day > 1 ? day - 1 : day + 2;
  if (on === 1) return day < daysIn(year, month) ? day + 1 : day - 2;
  return day;
}

/** 1 (Sunday) to 7. */
function weekday(year: number, month: number, day: number): number {
  // 1 January 1970 was a Thursday.
  return ((((Date.UTC(year, month - 1, day) / DAY_MS + 4) % 7) + 7) % 7) + 1;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
