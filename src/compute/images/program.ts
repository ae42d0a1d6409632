import { accessSync, constants, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from '../failures.ts';
import type { ResolvedRuntime } from '../types.ts';

/** What an image runs: its own entry point and command, or what the function's `ImageConfig` says instead. */
export interface ImageProgram {
  /** Entry point and command, one after the other. */
  readonly args: readonly string[];
  readonly workingDirectory: string;
  /** The image's `ENV`. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The "runtime" of an image: it brings everything itself. */
export const IMAGE_RUNTIME: ResolvedRuntime = { name: 'image', family: 'image', executable: '', version: '', exact: true };

const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The path, within the image, of the program that is to be started. One without a slash is looked up in the image's `PATH`; a relative one
 * starts at the working directory. Throws {@link LaunchError} with AWS's type and words.
 */
export function programIn(root: string, { args, workingDirectory, variables }: ImageProgram): string {
  const [program] = args;
  if (program === undefined) throw invalid('entrypoint is empty and the image has no command');
  if (program.startsWith('/')) return found(root, program) ?? missing(program);
  if (program.includes('/')) return found(root, join('/', workingDirectory, program)) ?? missing(program);
  for (const folder of (variables['PATH'] ?? PATH_DEFAULT).split(':')) {
    const path = folder.startsWith('/') ? found(root, join(folder, program)) : undefined;
    if (path !== undefined) return path;
  }
  return missing(program);
}

/** A link is taken for a program: where it leads is known inside of the image only. */
function found(root: string, path: string): string | undefined {
  try {
    accessSync(join(root, path), constants.X_OK);
    return path;
  } catch (error) {
    // An absolute link is not to be followed on this machine.
    return isLink(join(root, path)) && (error as NodeJS.ErrnoException).code === 'ENOENT' ? path : undefined;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function missing(program: string): never {
  throw invalid(`exec: "${program}": no such file or directory`);
}

const invalid = (reason: string) => new LaunchError('Runtime.InvalidEntrypoint', reason);
