import { connect, type Socket } from 'node:net';

/** How long a port of the machine may take to say that somebody listens. */
const CONNECT_MS = 200;
/** More ports than a function has reason to name. */
const PORTS_MAX = 16;
/** `http://127.0.0.1:8000/data`, `postgres://user@localhost:5432/db`. */
const NAMED = /(?:^|[/@,;=\s])(?:127\.0\.0\.1|localhost):(\d{1,5})(?!\d)/g;

/** The ports of the machine's loopback that a function's variables name. */
export function namedPorts(variables: Readonly<Record<string, string>>): number[] {
  const ports = Object.values(variables).flatMap((value) => [...value.matchAll(NAMED)].map(([, port]) => Number(port)));
  return [...new Set(ports)].filter((port) => port >= 1 && port <= 65_535).slice(0, PORTS_MAX);
}

/** Of `ports`, those where somebody listens on this machine: another may be meant for a server that the function itself starts. */
export async function listeningPorts(ports: readonly number[]): Promise<number[]> {
  const answers = await Promise.all(ports.map(listens));
  return ports.filter((_, index) => answers[index]);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS, () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}

/** Joins a connection from inside of a sandbox to a port of the machine's loopback. */
export function forward(inside: Socket, port: number): void {
  const outside = connect({ host: '127.0.0.1', port });
  const cut = () => {
    inside.destroy();
    outside.destroy();
  };
  for (const socket of [inside, outside]) socket.on('error', cut).on('close', cut);
  inside.pipe(outside);
  outside.pipe(inside);
}
