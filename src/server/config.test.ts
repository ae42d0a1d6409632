import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';
import { SETTINGS, variableOf } from './settings.ts';

const fileWith = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'croft-config-')), 'croft.config.json');
  writeFileSync(file, text);
  return file;
};

describe('configuration', () => {
  it('takes flag, then variable, then file, then default', () => {
    const file = fileWith('{"port": 1, "region": "eu-west-1", "logLevel": "warn"}');
    const config = loadConfig({ file, environment: { CROFT_PORT: '2', CROFT_LOG_LEVEL: 'debug' }, flags: { port: '3' } });
    expect(config).toMatchObject({ port: 3, region: 'eu-west-1', logLevel: 'debug', host: '127.0.0.1' });
  });

  it.each([
    [{ environment: { CROFT_PROT: '1' } }, /unknown variable CROFT_PROT/],
    [{ environment: { CROFT_PORT: '70000' } }, /CROFT_PORT must be a port/],
    [{ environment: { CROFT_AUTH: 'maybe' } }, /CROFT_AUTH must be one of off, verify/],
    [{ environment: { CROFT_TLS: 'yes' } }, /CROFT_TLS must be true or false/],
    [{ flags: { host: '0.0.0.0' } }, /would let anybody on the network/],
    [{ flags: { store: 'mysql://x' } }, /--store must be/],
    [{ flags: { auth: 'verify', rootAccessKeyId: 'AKIA' } }, /give both/],
  ])('refuses %j with a sentence', (sources, message) => {
    expect(() => loadConfig(sources)).toThrow(message);
  });

  it('refuses unknown names and broken files', () => {
    expect(() => loadConfig({ file: fileWith('{"prot": 1}') })).toThrow(/unknown setting "prot"/);
    expect(() => loadConfig({ file: fileWith('{') })).toThrow(/is not JSON/);
    expect(() => loadConfig({ file: fileWith('[]') })).toThrow(/one JSON object/);
    expect(() => loadConfig({ file: '/nowhere/croft.config.json', fileRequired: true })).toThrow(/cannot read/);
  });

  it('gives every flag a variable of its own', () => {
    expect(new Set(SETTINGS.map(variableOf)).size).toBe(SETTINGS.length);
    expect(loadConfig({ environment: { CROFT_EPHEMERAL: '1' } }).store).toBe('memory');
  });
});
