import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../process.ts';

const NOBODY = '65534';
const asNobody = (...command: string[]) => ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', ...command];

/** The tests run as root, and this machine lets ordinary users make user namespaces. */
const reason =
  process.getuid?.() !== 0
    ? 'the tests do not run as root: they are an ordinary user themselves'
    : await run('setpriv', asNobody('unshare', '-Ur', 'true')).then(
        ({ status, stderr }) => (status === 0 ? undefined : `an ordinary user cannot make a user namespace: ${stderr.trim()}`),
        (error: Error) => error.message,
      );
if (reason !== undefined) console.warn(`isolation as an ordinary user is not tested: ${reason}`);

it.skipIf(reason !== undefined)('isolates functions of an ordinary user too', { timeout: 120_000 }, async () => {
  const script = join(import.meta.dirname, 'ordinary-user.ts');
  const { status, stdout, stderr } = await run('setpriv', asNobody(process.execPath, script), {
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', TMPDIR: tmpdir() },
    cwd: '/',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { found, features } = JSON.parse(stdout) as { found: unknown; features: { user: string } };
  expect(found).toEqual({ 'cold python': [], 'pooled python': [], 'cold node': [], 'pooled node': [] });
  expect(features.user).toBe('namespace');
});
