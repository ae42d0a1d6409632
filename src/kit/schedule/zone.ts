import type { LocalTime } from './cron.ts';

const HOUR_MS = 3_600_000;
const ZONES_MAX = 1000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether `name` is a time zone of the IANA database (`Europe/Berlin`, `UTC`). Offsets (`+02:00`) are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The instant of a local time in a zone: of two, the first; undefined where clocks skip it. */
export function instantOf(local: LocalTime, timeZone: string): number | undefined {
  const wallMs = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute);
  if (isUtc(timeZone)) return wallMs;
  // Offsets a day before and after: around a change of clocks they are the two that may hold here.
  const offsets = new Set([offsetMs(wallMs - 24 * HOUR_MS, timeZone), offsetMs(wallMs, timeZone), offsetMs(wallMs + 24 * HOUR_MS, timeZone)]);
  const instants = [...offsets].map((offset) => wallMs - offset).filter((instant) => instant + offsetMs(instant, timeZone) === wallMs);
  return instants.length > 0 ? Math.min(...instants) : undefined;
}

/** What clocks of a zone show at an instant. */
export function localOf(instantMs: number, timeZone: string): LocalTime {
  const wall = new Date(isUtc(timeZone) ? instantMs : instantMs + offsetMs(instantMs, timeZone));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
  };
}

/** How far a zone's clocks are ahead of UTC at an instant. */
function offsetMs(instantMs: number, timeZone: string): number {
  const whole = Math.floor(instantMs / 1000) * 1000;
  const shown: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

function isUtc(timeZone: string): boolean {
  return timeZone === 'UTC' || timeZone === 'Etc/UTC';
}

/** Making a format takes far longer than using one. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size >= ZONES_MAX) formats.clear();
    formats.set(timeZone, format);
  }
  return format;
}
