import type { Key } from '../../kit/key.ts';

/** Gathers the single reads of one turn of the event loop into one statement. */
export function createGets(select: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Uint8Array>>): { get(key: Key): Promise<Uint8Array | undefined> } {
  let gathering: { readonly keys: Set<Key>; readonly values: Promise<ReadonlyMap<Key, Uint8Array>> } | undefined;
  const gather = () => {
    const keys = new Set<Key>();
    const values = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      gathering = undefined;
      return select([...keys]);
    });
    return { keys, values };
  };
  return {
    async get(key) {
      gathering ??= gather();
      const { keys, values } = gathering;
      keys.add(key);
      return (await values).get(key);
    },
  };
}
