import { createServer, type Socket } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import type { ResolvedRuntime } from '../types.ts';
import { type Door, nodeDoor, pythonDoor } from './doors.ts';
import { DebugSession } from './session.ts';

/** 0 takes a free one; absent: nobody looks into that language's runtimes. */
export interface DebuggerPorts {
  readonly nodejs?: number | undefined;
  readonly python?: number | undefined;
}

/** Stable debugger ports, one a language: whoever attaches looks at the environment of that language that started last. */
export class Debuggers {
  #ports: DebuggerPorts;
  #clock: Clock;
  #doors = new Map<ResolvedRuntime['family'], Door>();

  constructor(ports: DebuggerPorts, clock: Clock) {
    this.#ports = ports;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    const { nodejs, python } = this.#ports;
    if (nodejs !== undefined) this.#doors.set('nodejs', await nodeDoor(nodejs, this.#clock));
    if (python !== undefined) this.#doors.set('python', await pythonDoor(python, this.#clock));
  }

  /** Where debuggers of a language attach. */
  portOf(family: ResolvedRuntime['family']): number | undefined {
    return this.#doors.get(family)?.port;
  }

  /** A runtime is about to start; undefined where nobody looks into those of its language. */
  async begin(family: ResolvedRuntime['family'], open: (port: number) => Promise<Socket>): Promise<DebugSession | undefined> {
    const guests = this.#doors.get(family)?.guests;
    if (!guests) return undefined;
    const session = new DebugSession({ port: await freePort(), wait: guests.expected, clock: this.#clock, open });
    guests.offer(session);
    return session;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#doors.values()].map((door) => door.close()));
    this.#doors.clear();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
