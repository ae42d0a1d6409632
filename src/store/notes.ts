import { type Key, keyOf, prefixEnd, readUint64, uint64 } from '../kit/key.ts';
import type { Entry } from './store.ts';

/** A note is at most this long. */
export const NOTE_LENGTH_MAX = 2000;
/** Notes of one group commit are cut into rows of about this size. */
const ROW_BYTES = 256 * 1024;

const PREFIX: Key = keyOf('notes');

/** Where the notes of commits are kept, in order of time. */
export const NOTES = { from: PREFIX, to: prefixEnd(PREFIX) };

/**
 * The rows that keep the notes of one group commit: one row for many commits, so that a note costs its bytes and not a row of its own.
 * Keys: `notes`, uint64 real ms, `batch` (unique), uint64 number of the row. Values: the notes, a line each.
 */
export function* noteRows(notes: readonly string[], realMs: number, batch: string): Generator<Entry, void> {
  const prefix = PREFIX + uint64(realMs) + keyOf(batch);
  let lines: string[] = [];
  let length = 0;
  let row = 0;
  for (const note of notes) {
    lines.push(note);
    length += note.length;
    if (length >= ROW_BYTES) {
      yield [prefix + uint64(row++), Buffer.from(lines.join('\n'), 'utf8')];
      lines = [];
      length = 0;
    }
  }
  if (lines.length > 0) yield [prefix + uint64(row), Buffer.from(lines.join('\n'), 'utf8')];
}

/** The notes in a row of {@link NOTES}, in the order of their commits. */
export function notesOf([, value]: Entry): string[] {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8').split('\n');
}

/** When the commits of a row of {@link NOTES} were made: real time. */
export function notedAtMs([key]: Entry): number {
  return Number(readUint64(key, PREFIX.length));
}

/** Throws RangeError for what cannot be a note. */
export function checkNote(note: string): string {
  if (note.length > NOTE_LENGTH_MAX || note.includes('\n')) throw new RangeError(`a note is one line of at most ${NOTE_LENGTH_MAX} characters`);
  return note;
}
