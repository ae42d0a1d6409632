import { PARALLEL_RESOURCES_MAX } from '../limits.ts';

/** What became of one node's work. */
export type Done = 'ok' | 'failed';

/**
 * Works through a graph: each node after those it waits for, up to {@link PARALLEL_RESOURCES_MAX} at once, in the order given.
 * A node that waits for a failed one is not begun; nor is any once `halted` says so. Resolves when nothing runs any more.
 */
export async function schedule(
  nodes: readonly string[],
  waitsFor: (node: string) => readonly string[],
  work: (node: string) => Promise<Done>,
  halted: () => boolean,
): Promise<void> {
  const ids = new Set(nodes);
  const state = new Map<string, Done | 'running'>();
  const running = new Set<Promise<void>>();
  let broken: { error: unknown } | undefined;
  const ready = (node: string) => !state.has(node) && waitsFor(node).every((other) => !ids.has(other) || other === node || state.get(other) === 'ok');
  for (;;) {
    while (!broken && !halted() && running.size < PARALLEL_RESOURCES_MAX) {
      const next = nodes.find(ready);
      if (next === undefined) break;
      state.set(next, 'running');
      const one: Promise<void> = work(next)
        .then((done) => {
          state.set(next, done);
        })
        .catch((error: unknown) => {
          broken ??= { error };
        })
        .finally(() => running.delete(one));
      running.add(one);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (broken) throw broken.error;
}
