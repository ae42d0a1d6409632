import { basename, dirname, join } from 'node:path';
import type { Command } from '../command.ts';
import type { ResolvedRuntime } from '../types.ts';

/**
 * Runtimes that are started before there is a function for them, and then become one: their code arrives by mount, their variables
 * by the connection on which they wait.
 */

/** The program that waits, by family, and the file it stands for. */
const WAITING: Partial<Record<ResolvedRuntime['family'], { readonly bootstrap: string; readonly args: (bootstrap: string) => readonly string[] }>> = {
  python: { bootstrap: 'bootstrap.py', args: (bootstrap) => ['-S', '-u', bootstrap, '--pool'] },
  nodejs: { bootstrap: 'bootstrap.mjs', args: (bootstrap) => [join(dirname(bootstrap), 'pool.mjs')] },
};

/** Variables that an interpreter, or the loader under it, reads before the first line of a program runs. */
const READ_AT_START = /^(PYTHON(?!PATH$)|NODE_(?!PATH$)|UV_|V8_|LD_|LC_|LANG|LANGUAGE|ICU_|SSL_|OPENSSL_|MALLOC_|GLIBC_|GCONV_|LOCPATH|TZDIR)/;

/** What a waiting runtime has of the variables of the first function of its kind: what is the same for all of them, and nobody's secret. */
const COMMON = ['PATH', 'LANG', 'TZ', 'LD_LIBRARY_PATH', 'LC_CTYPE', 'NODE_PATH', 'LAMBDA_RUNTIME_DIR', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_RUNTIME_API'];

/** Whether runtimes of this family can wait. */
export function canWait(runtime: ResolvedRuntime): boolean {
  return WAITING[runtime.family] !== undefined;
}

/** How a runtime is started that waits; `like` is how it was started for a function. Undefined where it cannot wait. */
export function waitingCommand(runtime: ResolvedRuntime, like: Command): Command | undefined {
  const waiting = WAITING[runtime.family];
  const bootstrap = waiting && like.args.find((arg) => basename(arg) === waiting.bootstrap);
  if (!waiting || bootstrap === undefined) return undefined;
  const variables = Object.fromEntries(COMMON.flatMap((name) => (like.variables[name] === undefined ? [] : [[name, like.variables[name]]])));
  return { ...like, variables, args: waiting.args(bootstrap), directory: '/' };
}

/** What a waiting runtime is told to become the one of `command`; undefined where it cannot. */
export function launchMessage(runtime: ResolvedRuntime, waiting: Command, command: Command): Buffer | undefined {
  const at = command.args.findIndex((arg) => basename(arg) === WAITING[runtime.family]?.bootstrap);
  // Something else is started, e.g. a wrapper around the runtime.
  if (command.file !== waiting.file || at < 0 || command.frames !== waiting.frames) return undefined;
  const names = new Set([...Object.keys(command.variables), ...Object.keys(waiting.variables)]);
  for (const name of names) if (READ_AT_START.test(name) && command.variables[name] !== waiting.variables[name]) return undefined;
  return Buffer.from(`${JSON.stringify({ variables: command.variables, directory: command.directory, args: command.args.slice(at + 1) })}\n`);
}
