import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query, startPostgres, type TestPostgres } from '../../../test/postgres.ts';
import { counter, soak, string } from '../conformance/helpers.ts';
import { describeStore } from '../conformance.ts';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';
import type { PeerReport } from './peer.fixture.ts';

/** Empty ranges that the two processes race for in each round. */
const SLOTS = 10;

const started = await startPostgres();
afterAll(() => started?.stop());

describe.skipIf(!started)('on a real server', () => {
  const server = started as TestPostgres;
  let databases = 0;
  describeStore('postgres', async () => {
    const url = await server.createDatabase(`conformance${databases++}`);
    return {
      open: (options = {}) => openStore({ store: url, ...options }),
      durable: true,
      async sabotage(key) {
        const hex = Buffer.from(key, 'latin1').toString('hex');
        await query(url, `CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'sabotage'; END $$`);
        await query(url, `CREATE TRIGGER sabotage BEFORE INSERT ON croft_kv FOR EACH ROW WHEN (NEW.key = '\\x${hex}') EXECUTE FUNCTION sabotage()`);
        return async () => {
          await query(url, 'DROP TRIGGER sabotage ON croft_kv');
        };
      },
      remove: async () => undefined,
    };
  });

  describe('two processes at once', () => {
    const rounds = soak ? 300 : 25;
    const reports: PeerReport[] = [];
    let store: Store;
    /** What this third process saw of the sequence while they ran, and the sums of the accounts. */
    const seen: string[][] = [];
    const sums = new Set<bigint>();

    beforeAll(async () => {
      const url = await server.createDatabase('two_processes');
      store = await openStore({ store: url });
      const peers = ['a', 'b'].map((name) => startPeer(url, name));
      await Promise.all(peers.map((peer) => peer.answer()));
      let running = true;
      const finished = (async () => {
        // Side by side, round after round: left alone, one would soon be ahead of the other and they would never meet.
        for (let round = 0; round < rounds; round++) {
          for (const kind of ['sides', 'slots', 'count', 'draw', 'transfer']) await Promise.all(peers.map((peer) => peer.ask(`${kind} ${round}`)));
        }
        return Promise.all(peers.map((peer) => peer.finish()));
      })().finally(() => {
        running = false;
      });
      const accounts = [0, 1, 2, 3, 4].map((n) => `account/${n}`);
      while (running) {
        seen.push((await store.range({ from: 'drawn/', to: 'drawn0', limit: 100_000 })).entries.map(([key]) => key));
        sums.add((await store.getMany(accounts)).reduce((total, value) => total + counter(value), 0n));
      }
      reports.push(...(await finished));
    }, 300_000);
    afterAll(() => store.close());

    it('loses no update of a counter', async () => {
      const counted = reports.flatMap((report) => report.counted);
      expect(new Set(counted).size).toBe(2 * rounds * 6);
      expect(counter(await store.get('counter'))).toBe(BigInt(2 * rounds * 6));
    });

    it('makes sequence numbers visible in their order', async () => {
      seen.push((await store.range({ from: 'drawn/', to: 'drawn0', limit: 100_000 })).entries.map(([key]) => key));
      expect(seen.at(-1)).toEqual(reports.flatMap((report) => report.drawn).sort());
      for (const [n, now] of seen.entries()) {
        const before = seen[n - 1] ?? [];
        expect(now.slice(0, before.length)).toEqual(before);
      }
    });

    it('lets no phantom into a range that was found empty', async () => {
      const won = reports.map((report) => new Set(report.slotsWon));
      for (let slot = 0; slot < rounds * SLOTS; slot++) expect(won.filter((slots) => slots.has(slot))).toHaveLength(1);
      expect((await store.range({ from: 'slot', to: 'slou', limit: 100_000 })).entries).toHaveLength(rounds * SLOTS);
    });

    it('lets no two transactions each miss what the other writes', () => {
      const [a, b] = reports.map((report) => new Set(report.sidesWon));
      expect([...(a ?? [])].filter((round) => b?.has(round))).toEqual([]);
      expect((a?.size ?? 0) + (b?.size ?? 0)).toBe(rounds * SLOTS);
    });

    it('shows commits of others whole', () => {
      expect([...sums]).toEqual([0n]);
    });
  });

  describe('connections', () => {
    it('learns the outcome of a COMMIT whose answer was lost, and applies it once', async () => {
      const url = await server.createDatabase('lost_answer');
      const proxy = await startProxy(url);
      const store = await openStore({ store: proxy.url });
      for (const forward of [true, false]) {
        proxy.cutNextCommit({ forward });
        const number = await store.transact({ keys: ['counter'], commitId: `id ${forward}` }, (tx) => {
          tx.add('counter', 1n);
          return tx.sequence('s');
        });
        expect({ forward, number }).toEqual({ forward, number: forward ? 1n : 2n });
        expect(await store.outcome(`id ${forward}`)).toBe('committed');
      }
      expect(proxy.cuts).toBe(2);
      expect(counter(await store.get('counter'))).toBe(2n);
      await store.close();
      await proxy.close();
    });

    it('goes on after the server has ended its connections', async () => {
      const url = await server.createDatabase('ended');
      const store = await openStore({ store: url });
      await store.transact({}, (tx) => tx.put('a', Buffer.from('1')));
      await query(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ended' AND pid <> pg_backend_pid()");
      expect(string(await store.get('a'))).toBe('1');
      await store.transact({}, (tx) => tx.put('a', Buffer.from('2')));
      expect(string(await store.get('a'))).toBe('2');
      await store.close();
    });

    it('refuses a server that may lose what it has acknowledged', async () => {
      const url = await server.createDatabase('unsafe');
      await query(url, 'ALTER DATABASE unsafe SET synchronous_commit = off');
      await expect(openStore({ store: url })).rejects.toThrow('PostgreSQL runs with synchronous_commit = off');
    });

    it('refuses a newer format', async () => {
      const url = await server.createDatabase('newer');
      await (await openStore({ store: url })).close();
      await query(url, 'UPDATE croft_format SET version = 99');
      await expect(openStore({ store: url })).rejects.toThrow('The data in this database has format 99; this Croft reads up to 1.');
    });

    it('says that a server cannot be reached', async () => {
      await expect(openStore({ store: 'postgres://croft@127.0.0.1:1/croft' })).rejects.toThrow('PostgreSQL cannot be reached');
    });
  });
});

interface Peer {
  answer(): Promise<string>;
  ask(work: string): Promise<string>;
  finish(): Promise<PeerReport>;
}

function startPeer(url: string, name: string): Peer {
  const script = fileURLToPath(new URL('./peer.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [script, url, name, String(SLOTS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`process ${name} has ended`);
    return line.value;
  };
  const ask = (text: string) => {
    child.stdin.write(`${text}\n`);
    return answer();
  };
  return { answer, ask, finish: async () => JSON.parse(await ask('finish')) as PeerReport };
}

/** A TCP proxy before the server that can cut a connection at its next COMMIT: before the server has it, or before the client has the answer. */
async function startProxy(target: string) {
  const { hostname, port, username, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  let cut: { forward: boolean } | undefined;
  let cuts = 0;
  const proxy = createServer((client) => {
    const upstream = connectTo(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('data', (data) => {
      if (cut && data.includes('COMMIT\0')) {
        const { forward } = cut;
        cut = undefined;
        cuts++;
        client.destroy();
        if (forward) upstream.end(data);
        else upstream.destroy();
      } else upstream.write(data);
    });
    upstream.on('data', (data) => client.writable && client.write(data));
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `postgres://${username}@127.0.0.1:${address.port}${pathname}`,
    cutNextCommit(how: { forward: boolean }) {
      cut = how;
    },
    get cuts() {
      return cuts;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
