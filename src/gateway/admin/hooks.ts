/** What the admin API asks of the rest of the server; `server/compose.ts` gives it. */
export interface AdminHooks {
  readonly version: string;
  /** Refuses what only tests need: changing the clock. */
  readonly production: boolean;
  /** More fields for `/_croft/health`, e.g. the store's driver and the functions' isolation. */
  readonly health?: () => Record<string, unknown> | Promise<Record<string, unknown>>;
  /**
   * Moves virtual time on by `byMs`: to the next due time, fire, wait for quiet, repeat (design decision 6). Resolves with facts for
   * the answer. Absent: the clock jumps at once.
   */
  readonly advanceClock?: (byMs: number) => Promise<Record<string, unknown>>;
  /** Writes a consistent copy of all data to the new folder `folder` (`POST /_croft/backup`). Absent: 501. */
  readonly backup?: (folder: string) => Promise<Record<string, unknown>>;
  /** The coverage page as data. Absent: operations built and not, by service. */
  readonly coverage?: () => unknown;
}
