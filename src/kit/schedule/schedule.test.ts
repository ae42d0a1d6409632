import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainRate, isTimeZone, nextAfter, parseSchedule, ScheduleSyntaxError } from './schedule.ts';

/** The next `count` times, as ISO texts without seconds. */
function times(expression: string, after: string, count: number, timeZone = 'UTC'): string[] {
  const schedule = parseSchedule(expression);
  const found: string[] = [];
  let afterMs = Date.parse(after);
  while (found.length < count) {
    const next = nextAfter(schedule, { afterMs, anchorMs: Date.parse(after), timeZone });
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 16));
    afterMs = next;
  }
  return found;
}

describe('cron', () => {
  test.each([
    ['cron(0 10 * * ? *)', ['2026-11-22T10:00', '2026-11-23T10:00']],
    ['cron(15 12 * * ? *)', ['2026-11-22T12:15', '2026-11-23T12:15']],
    // Monday to Friday: 22 November 2026 is a Sunday.
    ['cron(0 18 ? * MON-FRI *)', ['2026-11-23T18:00', '2026-11-24T18:00']],
    ['cron(0 18 ? * 2-6 *)', ['2026-11-23T18:00', '2026-11-24T18:00']],
    ['cron(0 8 1 * ? *)', ['2026-12-01T08:00', '2027-01-01T08:00']],
    ['cron(0/15 * * * ? *)', ['2026-11-22T00:15', '2026-11-22T00:30', '2026-11-22T00:45', '2026-11-22T01:00']],
    ['cron(*/20 8-9 * * ? *)', ['2026-11-22T08:00', '2026-11-22T08:20', '2026-11-22T08:40', '2026-11-22T09:00']],
    ['cron(5,35 14 * * ? *)', ['2026-11-22T14:05', '2026-11-22T14:35', '2026-11-23T14:05']],
    ['cron(0 0 L * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-31T00:00', '2027-02-28T00:00']],
    ['cron(0 0 L-1 * ? *)', ['2026-11-29T00:00', '2026-12-30T00:00']],
    // 31 January 2027 is a Sunday, 28 February too.
    ['cron(0 0 LW * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-29T00:00', '2027-02-26T00:00']],
    // 1 May 2027 is a Saturday: the nearest weekday of its month is Monday the 3rd.
    ['cron(0 0 1W 5 ? 2027)', ['2027-05-03T00:00']],
    ['cron(0 0 15W * ? 2026,2027)', ['2026-12-15T00:00', '2027-01-15T00:00', '2027-02-15T00:00', '2027-03-15T00:00']],
    ['cron(15 10 ? * 6L *)', ['2026-11-27T10:15', '2026-12-25T10:15']],
    ['cron(15 10 ? * FRIL *)', ['2026-11-27T10:15', '2026-12-25T10:15']],
    ['cron(0 0 ? * TUE#2 *)', ['2026-12-08T00:00', '2027-01-12T00:00']],
    ['cron(0 0 ? * 3#5 *)', ['2026-12-29T00:00', '2027-03-30T00:00']],
    ['cron(0 0 ? * 1 *)', ['2026-11-29T00:00', '2026-12-06T00:00']],
    ['cron(0 0 ? * L *)', ['2026-11-28T00:00', '2026-12-05T00:00']],
    ['cron(0 0 ? * FRI-MON *)', ['2026-11-23T00:00', '2026-11-27T00:00', '2026-11-28T00:00', '2026-11-29T00:00']],
    ['cron(0 23-1 * * ? *)', ['2026-11-22T01:00', '2026-11-22T23:00', '2026-11-23T00:00']],
    ['cron(0 0 29 FEB ? *)', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['cron(0 0 1 jan,jul ? 2027)', ['2027-01-01T00:00', '2027-07-01T00:00']],
    ['cron(0 0 1 1 ? 2020)', []],
    ['cron(0 0 30 2 ? *)', []],
    ['cron(0 0 1 1 ? 2198-2199)', ['2198-01-01T00:00', '2199-01-01T00:00']],
  ])('%s', (expression, expected) => {
    expect(times(expression, '2026-11-22T00:00:00Z', Math.max(expected.length, expected.at(-1)?.startsWith('2199') ? 3 : 0) || 1)).toEqual(expected);
  });

  test.each([
    'cron(0 1 * * * *)',
    'cron(0 1 ? * ? *)',
    'cron(7 20 * * NOT *)',
    'cron(INVALID)',
    'cron(0 dummy ? * MON-FRI *)',
    'cron(71 8 1 * ? *)',
    'cron(0 24 1 * ? *)',
    'cron(0 0 0 * ? *)',
    'cron(0 0 32 * ? *)',
    'cron(0 0 ? * 0 *)',
    'cron(0 0 ? * 8 *)',
    'cron(0 0 ? * MON#6 *)',
    'cron(0 0 ? * MON#1,TUE#2 *)',
    'cron(0 0 1 13 ? *)',
    'cron(0 0 1 1 ? 1969)',
    'cron(0 0 1 1 ? 2200)',
    'cron(0/0 * * * ? *)',
    'cron(*/61 * * * ? *)',
    'cron(1-2-3 * * * ? *)',
    'cron(1/2/3 * * * ? *)',
    'cron(,1 * * * ? *)',
    'cron(* * * * ?)',
    'cron(* * * * ? * *)',
    'cron()',
    'CRON(0 10 * * ? *)',
    ' cron(0 10 * * ? *)',
    'cron(0 10 * * ? *) ',
  ])('%s is none', (expression) => {
    expect(() => parseSchedule(expression)).toThrow(ScheduleSyntaxError);
  });

  test('a time that clocks skip is skipped, one that comes twice counts once', () => {
    // Berlin: 28 March 2027, 2:00 → 3:00; 31 October 2027, 3:00 → 2:00.
    expect(times('cron(30 2 * * ? *)', '2027-03-26T12:00:00Z', 2, 'Europe/Berlin')).toEqual(['2027-03-27T01:30', '2027-03-29T00:30']);
    expect(times('cron(30 2 * * ? *)', '2027-10-30T12:00:00Z', 2, 'Europe/Berlin')).toEqual(['2027-10-31T00:30', '2027-11-01T01:30']);
    expect(times('cron(0 9 * * ? *)', '2027-03-27T12:00:00Z', 1, 'Europe/Berlin')).toEqual(['2027-03-28T07:00']);
    expect(times('cron(0 9 * * ? *)', '2026-11-22T00:00:00Z', 1, 'Asia/Kolkata')).toEqual(['2026-11-22T03:30']);
    expect(times('cron(0 0 * * ? *)', '2026-11-22T00:00:00Z', 1, 'Pacific/Kiritimati')).toEqual(['2026-11-22T10:00']);
  });

  test('the next time is always later, and moves on', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2100, 0) }), fc.integer({ min: 0, max: 59 }), zones, (afterMs, minute, timeZone) => {
        const schedule = parseSchedule(`cron(${minute} */5 * * ? *)`);
        const next = nextAfter(schedule, { afterMs, anchorMs: 0, timeZone });
        expect(next).toBeGreaterThan(afterMs);
        expect((next ?? 0) - afterMs).toBeLessThan(11 * 3_600_000);
        // Nothing lies between: seen from just before it, it is still the next.
        expect(nextAfter(schedule, { afterMs: (next ?? 0) - 1, anchorMs: 0, timeZone })).toBe(next);
      }),
      { numRuns: 200 },
    );
  });
});

describe('rate', () => {
  test('counts from its anchor', () => {
    const rate = parseSchedule('rate(5 minutes)');
    expect(nextAfter(rate, { afterMs: 0, anchorMs: 0 })).toBe(300_000);
    expect(nextAfter(rate, { afterMs: 299_999, anchorMs: 0 })).toBe(300_000);
    expect(nextAfter(rate, { afterMs: 300_000, anchorMs: 0 })).toBe(600_000);
    expect(nextAfter(rate, { afterMs: 0, anchorMs: 1_000_000 })).toBe(1_300_000);
    expect(parseSchedule('rate(2 days)')).toMatchObject({ everyMs: 172_800_000 });
  });

  test('number and unit agree, or not', () => {
    const plain = (text: string) => {
      const rate = parseSchedule(text);
      return rate.kind === 'rate' && isPlainRate(rate);
    };
    expect(['rate(1 minute)', 'rate(2 minutes)', 'rate(1 minutes)', 'rate(10 minute)'].map(plain)).toEqual([true, true, false, false]);
  });

  test.each([
    'rate(10 seconds)',
    'rate(10 years)',
    'rate(-10 minutes)',
    'rate(0 minutes)',
    'rate()',
    'rate(10)',
    'rate(10 minutess)',
    'rate(foo minutes)',
    'rate(1.5 hours)',
    'rate(10 MINUTES)',
    'rate( 10 minutes )',
    'rate(10  minutes)',
    'RATE(10 minutes)',
    ' rate(10 minutes)',
  ])('%s is none', (expression) => {
    expect(() => parseSchedule(expression)).toThrow(ScheduleSyntaxError);
  });
});

describe('at', () => {
  test('comes once, in its time zone', () => {
    expect(times('at(2026-11-22T09:30:00)', '2026-11-22T00:00:00Z', 2)).toEqual(['2026-11-22T09:30']);
    expect(times('at(2026-11-22T09:30:00)', '2026-11-22T00:00:00Z', 2, 'America/New_York')).toEqual(['2026-11-22T14:30']);
    expect(times('at(2026-11-21T09:30:00)', '2026-11-22T00:00:00Z', 2)).toEqual([]);
    expect(nextAfter(parseSchedule('at(2026-11-22T09:30:17)'), { afterMs: 0, anchorMs: 0 })).toBe(Date.parse('2026-11-22T09:30:17Z'));
  });

  test('a time that clocks skip is when they do', () => {
    expect(times('at(2027-03-28T02:20:00)', '2027-03-01T00:00:00Z', 1, 'Europe/Berlin')).toEqual(['2027-03-28T01:00']);
  });

  test.each(['at(2026-02-31T00:00:00)', 'at(2026-11-22)', 'at(2026-11-22T25:00:00)', 'at(now)', 'at(2026-11-22T09:30:00Z)'])('%s is none', (expression) => {
    expect(() => parseSchedule(expression)).toThrow(ScheduleSyntaxError);
  });
});

test('names of time zones', () => {
  expect(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+1'].map(isTimeZone)).toEqual([true, true, true, true]);
  expect(['', 'Nowhere/City', '+02:00', 'x'.repeat(1000)].map(isTimeZone)).toEqual([false, false, false, false]);
});
