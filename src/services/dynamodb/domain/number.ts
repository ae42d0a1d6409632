import { validation } from '../errors.ts';
import { NUMBER_DIGITS_MAX, NUMBER_EXPONENT_MAX, NUMBER_EXPONENT_MIN } from '../limits.ts';

/**
 * DynamoDB numbers: up to 38 significant digits, magnitude 1E-130 to 9.99…E+125, exact. They live as text in canonical form
 * (plain decimal, no exponent, no needless zero), so that equal numbers are equal texts. "Supported data types: Number".
 */
interface Decimal {
  readonly negative: boolean;
  /** Significant digits without leading or trailing zeros; empty for zero. */
  readonly digits: string;
  /** Power of ten of the first digit: 123 is `123` with exponent 2. */
  readonly exponent: number;
}

const ZERO: Decimal = { negative: false, digits: '', exponent: 0 };

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * The canonical form of a number's text.
 * Throws ValidationException where it is no number, has more than 38 significant digits, or is out of range.
 */
export function canonicalNumber(text: string): string {
  return isCanonicalInteger(text) ? text : formatDecimal(parseDecimal(text));
}

/** True for `0` and integers as they are mostly written, which need no work. */
function isCanonicalInteger(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > NUMBER_DIGITS_MAX) return false;
  let at = text.charCodeAt(0) === 0x2d ? 1 : 0;
  const first = text.charCodeAt(at);
  if (first === DIGIT_0) return length === 1;
  if (!(first > DIGIT_0 && first <= DIGIT_9)) return false;
  for (at++; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code < DIGIT_0 || code > DIGIT_9) return false;
  }
  return true;
}

const NUMBER_SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function parseDecimal(text: string): Decimal {
  if (text === '') throw validation('The parameter cannot be converted to a numeric value');
  const match = NUMBER_SHAPE.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || whole.length + fraction.length === 0) throw validation(`The parameter cannot be converted to a numeric value: ${text}`);
  const all = whole + fraction;
  let start = 0;
  while (start < all.length && all.charCodeAt(start) === DIGIT_0) start++;
  if (start === all.length) return ZERO;
  let end = all.length;
  while (all.charCodeAt(end - 1) === DIGIT_0) end--;
  const exponent = Number(match[4] ?? 0) + whole.length - 1 - start;
  return checkRange({ negative: match[1] === '-', digits: all.slice(start, end), exponent });
}

function checkRange(value: Decimal): Decimal {
  if (value.exponent > NUMBER_EXPONENT_MAX) {
    throw validation('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (value.exponent < NUMBER_EXPONENT_MIN) {
    throw validation('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  }
  if (value.digits.length > NUMBER_DIGITS_MAX) throw validation('Attempting to store more than 38 significant digits in a Number');
  return value;
}

function formatDecimal({ negative, digits, exponent }: Decimal): string {
  if (digits === '') return '0';
  const sign = negative ? '-' : '';
  const wholeLength = exponent + 1;
  if (wholeLength <= 0) return `${sign}0.${'0'.repeat(-wholeLength)}${digits}`;
  if (digits.length <= wholeLength) return sign + digits + '0'.repeat(wholeLength - digits.length);
  return `${sign}${digits.slice(0, wholeLength)}.${digits.slice(wholeLength)}`;
}

/** Reads a canonical text apart again; unlike {@link parseDecimal} it trusts its input. */
function decimalOf(canonical: string): Decimal {
  if (canonical === '0') return ZERO;
  const negative = canonical.charCodeAt(0) === 0x2d;
  const body = negative ? canonical.slice(1) : canonical;
  const point = body.indexOf('.');
  const whole = point < 0 ? body : body.slice(0, point);
  const all = point < 0 ? body : whole + body.slice(point + 1);
  let start = 0;
  while (all.charCodeAt(start) === DIGIT_0) start++;
  let end = all.length;
  while (all.charCodeAt(end - 1) === DIGIT_0) end--;
  return { negative, digits: all.slice(start, end), exponent: whole.length - 1 - start };
}

/** Texts this short hold at most 15 significant digits, which a double keeps exactly apart and in order. */
const EXACT_DOUBLE_CHARS = 15;

/** Negative, zero or positive, like a sort function; both texts canonical. */
export function compareNumbers(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length <= EXACT_DOUBLE_CHARS && b.length <= EXACT_DOUBLE_CHARS) return Number(a) - Number(b);
  const orderA = numberOrder(a);
  const orderB = numberOrder(b);
  return orderA < orderB ? -1 : orderA > orderB ? 1 : 0;
}

/** The exact sum in canonical form. Throws where it does not fit 38 digits or the range. Both texts canonical. */
export function addNumbers(a: string, b: string): string {
  if (a.length <= EXACT_DOUBLE_CHARS && b.length <= EXACT_DOUBLE_CHARS && !a.includes('.') && !b.includes('.')) return String(Number(a) + Number(b));
  const left = decimalOf(a);
  const right = decimalOf(b);
  // Both are integers times 10^scale: at most 38 digits shifted by at most 255 places.
  const scale = Math.min(lastPlace(left), lastPlace(right));
  const sum = scaled(left, scale) + scaled(right, scale);
  if (sum === 0n) return '0';
  const negative = sum < 0n;
  const all = (negative ? -sum : sum).toString();
  let end = all.length;
  while (all.charCodeAt(end - 1) === DIGIT_0) end--;
  return formatDecimal(checkRange({ negative, digits: all.slice(0, end), exponent: all.length - 1 + scale }));
}

/** The exact difference, like {@link addNumbers}. */
export function subtractNumbers(a: string, b: string): string {
  return addNumbers(a, b === '0' ? b : b.charCodeAt(0) === 0x2d ? b.slice(1) : `-${b}`);
}

function lastPlace(value: Decimal): number {
  return value.digits === '' ? 0 : value.exponent - value.digits.length + 1;
}

function scaled(value: Decimal, scale: number): bigint {
  if (value.digits === '') return 0n;
  const magnitude = BigInt(value.digits) * 10n ** BigInt(lastPlace(value) - scale);
  return value.negative ? -magnitude : magnitude;
}

/** Bytes AWS counts for a number: about one for two significant digits, and one more. "DynamoDB item sizes and formats". */
export function numberSize(canonical: string): number {
  if (canonical === '0') return 1;
  const { negative, digits, exponent } = decimalOf(canonical);
  const extra = digits.length % 2 !== 0 || exponent % 2 !== 0 ? 0 : 1;
  return 1 + Math.ceil(digits.length / 2) + extra + (negative ? 1 : 0);
}

const ORDER_NEGATIVE = '\x40';
const ORDER_ZERO = '\x80';
const ORDER_POSITIVE = '\xc0';
const EXPONENT_BIAS = -NUMBER_EXPONENT_MIN;

/**
 * A byte string that sorts as the number does, one for each number: a sign byte, the exponent, two digits a byte.
 * For negative numbers exponent and digits are complemented and a 0xFF closes them, so that the longer of two sorts first.
 */
export function numberOrder(canonical: string): string {
  const { negative, digits, exponent } = decimalOf(canonical);
  if (digits === '') return ORDER_ZERO;
  const biased = exponent + EXPONENT_BIAS;
  let out = negative ? ORDER_NEGATIVE + String.fromCharCode(255 - biased) : ORDER_POSITIVE + String.fromCharCode(biased);
  for (let at = 0; at < digits.length; at += 2) {
    const tens = digits.charCodeAt(at) - DIGIT_0;
    const ones = at + 1 < digits.length ? digits.charCodeAt(at + 1) - DIGIT_0 : 0;
    const pair = tens * 10 + ones + 1;
    out += String.fromCharCode(negative ? 255 - pair : pair);
  }
  return negative ? `${out}\xff` : out;
}
