import type { ResolvedRuntime } from './types.ts';

export type RuntimeFamily = Exclude<ResolvedRuntime['family'], 'image'>;
/** Families that need an interpreter of the machine. */
export type InterpretedFamily = Exclude<RuntimeFamily, 'provided'>;

/** The names that `croft runtimes list` and `croft doctor` show, in their order. */
export const RUNTIME_NAMES: readonly string[] = [
  'python3.9', 'python3.10', 'python3.11', 'python3.12', 'python3.13', 'python3.14', 'nodejs18.x', 'nodejs20.x', 'nodejs22.x', 'nodejs24.x', 'nodejs26.x',
  'java11', 'java17', 'java21', 'java25', 'ruby3.2', 'ruby3.3', 'ruby3.4', 'dotnet8', 'dotnet10', 'provided.al2', 'provided.al2023',
]; // biome-ignore format: a list

interface Family {
  readonly title: string;
  /** Names of AWS's, with the level that they ask for. */
  readonly name: RegExp;
  /** How many numbers of a version AWS's names tell apart. */
  readonly depth: 1 | 2;
  /** Older interpreters cannot run the bootstrap. */
  readonly oldest: readonly number[];
  /** Files of the interpreter in a folder of programs. */
  readonly program: RegExp;
  readonly versionArgs: readonly string[];
  /** Finds the versions in what it says. */
  readonly version: RegExp;
}

export const FAMILIES: Readonly<Record<InterpretedFamily, Family>> = {
  python: {
    title: 'Python', name: /^python(3\.\d+)$/, depth: 2, oldest: [3, 8], program: /^python3(\.\d+)?$/, versionArgs: ['--version'], version: /Python (\d+\.\d+\.\d+)/g,
  },
  nodejs: { title: 'Node.js', name: /^nodejs(\d+)\.x$/, depth: 1, oldest: [18], program: /^node(js)?$/, versionArgs: ['--version'], version: /v(\d+\.\d+\.\d+)/g },
  java: { title: 'Java', name: /^java(\d+)(?:\.al2)?$/, depth: 1, oldest: [8], program: /^java$/, versionArgs: ['-version'], version: /version "(?:1\.)?(\d+[^"]*)"/g },
  ruby: { title: 'Ruby', name: /^ruby(\d+\.\d+)$/, depth: 2, oldest: [3, 0], program: /^ruby(\d+\.\d+)?$/, versionArgs: ['--version'], version: /ruby (\d+\.\d+\.\d+)/g },
  dotnet: {
    title: '.NET', name: /^dotnet(\d+)$/, depth: 1, oldest: [8], program: /^dotnet$/, versionArgs: ['--list-runtimes'], version: /Microsoft\.NETCore\.App (\d+\.\d+\.\d+)/g,
  },
}; // biome-ignore format: a table

/** The family of a runtime name; undefined where it is none that Croft runs. */
export function familyOf(name: string): RuntimeFamily | undefined {
  if (/^provided(\.al2|\.al2023)?$/.test(name)) return 'provided';
  return (Object.keys(FAMILIES) as InterpretedFamily[]).find((family) => FAMILIES[family].name.test(name));
}

/** `[3, 12]` of `python3.12`, `[22]` of `nodejs22.x`. */
export function wantedLevel(name: string, family: InterpretedFamily): readonly number[] {
  return (FAMILIES[family].name.exec(name)?.[1] ?? '').split('.').map(Number);
}

/** Of a version, the numbers that AWS's names tell apart. */
export function levelOf(version: string, family: InterpretedFamily): readonly number[] {
  const numbers = version.split(/[^\d]+/).map(Number);
  return Array.from({ length: FAMILIES[family].depth }, (_, index) => numbers[index] ?? 0);
}

export function compareLevels(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What brings a runtime onto this machine, for a sentence that begins with "install it: ". */
export function howToInstall(name: string): string {
  const family = familyOf(name);
  const level = family && family !== 'provided' ? wantedLevel(name, family).join('.') : '';
  switch (family) {
    case 'nodejs':
      return `\`croft runtimes install ${name}\``;
    case 'python':
      return `\`pyenv install ${level}\`, \`uv python install ${level}\`, or the system's package python${level}`;
    case 'java':
      return `the system's package openjdk-${level}-jre-headless (any JDK in /usr/lib/jvm, JAVA_HOME or on the PATH is found), then \`croft runtimes install ${name}\``;
    case 'ruby':
      return `\`rbenv install ${level}\`, or the system's package ruby`;
    case 'dotnet':
      return `the system's package dotnet-runtime-${level}.0`;
    default:
      return 'an interpreter';
  }
}
