import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CroftProcess, croft, hasSeedApps, SEED_APPS } from '../process.ts';
import { STORES, startOn } from './stores.ts';

const json = async (response: Response) => ({ status: response.status, body: await response.json() });

describe.skipIf(!hasSeedApps).each(STORES)('products-api on %s', (store) => {
  let server: CroftProcess | undefined;
  afterAll(() => server?.dispose());

  it('is deployed by one command, answers, and is all there after kill -9', { timeout: 120_000 }, async ({ skip }) => {
    server = await startOn(store);
    if (!server) return skip('no PostgreSQL on this machine');
    const deployed = await croft(server, ['deploy', join(SEED_APPS, 'products-api'), '--output', 'json']);
    expect(deployed.stderr + deployed.stdout).toContain('ProductsTable');
    expect(deployed.status).toBe(0);
    const url: string = JSON.parse(deployed.stdout).urls[0];

    const created = await json(await fetch(`${url}/products`, { method: 'POST', body: JSON.stringify({ name: 'Widget', price: 19.99 }) }));
    expect(created).toMatchObject({ status: 201, body: { message: 'Created' } });
    const { id } = created.body as { id: string };
    const list = await json(await fetch(`${url}/products`));
    expect(list).toEqual({ status: 200, body: [{ id, name: 'Widget', price: 19.99, category: 'uncategorized' }] });
    const one = { status: 200, body: { id, name: 'Widget', price: '19.99', category: 'uncategorized' } };
    expect(await json(await fetch(`${url}/products/${id}`))).toEqual(one);
    expect(await json(await fetch(`${url}/products/nothing`))).toEqual({ status: 404, body: { error: 'Product not found' } });
    for (const method of ['PUT', 'DELETE']) {
      expect(await json(await fetch(`${url}/products/${id}`, { method }))).toEqual({ status: 403, body: { message: 'Missing Authentication Token' } });
    }
    expect(await json(await fetch(`${url}/products`, { method: 'POST', body: '{' }))).toEqual({ status: 502, body: { message: 'Internal server error' } });
    expect((await json(await fetch(`${url}/products`, { method: 'POST', body: '{"name":"x"}' }))).status).toBe(500);

    await server.kill();
    server = await server.restart();
    expect(await json(await fetch(`${url}/products/${id}`))).toEqual(one);
    const again = await croft(server, ['deploy', join(SEED_APPS, 'products-api')]);
    expect(again.stdout).toContain('is up to date');

    await withTwoMoreEvents(server, url, id);
    const deleted = await croft(server, ['delete', 'products-api']);
    expect(deleted.stdout).toContain('Deleted products-api');
    expect((await fetch(`${url}/products`)).status).toBeGreaterThanOrEqual(403);
  });
});

/** The same stack, updated by a copy of the template with PUT and DELETE. */
async function withTwoMoreEvents(server: CroftProcess, url: string, id: string): Promise<void> {
  const folder = join(mkdtempSync(join(tmpdir(), 'products-')), 'products-api');
  cpSync(join(SEED_APPS, 'products-api'), folder, { recursive: true });
  const file = join(folder, 'template.yaml');
  const event = (name: string, method: string) =>
    `        ${name}:\n          Type: Api\n          Properties:\n            Path: /products/{id}\n            Method: ${method}\n`;
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('      Events:\n', `      Events:\n${event('UpdateProduct', 'put')}${event('DeleteProduct', 'delete')}`),
  );
  const updated = await croft(server, ['deploy', folder]);
  expect(updated.stderr).toContain('UPDATE_COMPLETE');
  const put = await fetch(`${url}/products/${id}`, { method: 'PUT', body: JSON.stringify({ price: 5, name: 'New' }) });
  expect(await json(put)).toEqual({ status: 200, body: { message: 'Updated' } });
  expect((await json(await fetch(`${url}/products/${id}`))).body).toMatchObject({ price: '5', name: 'New' });
  expect((await fetch(`${url}/products/unknown`, { method: 'PUT', body: '{"name":"made"}' })).status).toBe(200);
  expect(await json(await fetch(`${url}/products/${id}`, { method: 'DELETE' }))).toEqual({ status: 200, body: { message: 'Deleted' } });
  expect((await fetch(`${url}/products/${id}`)).status).toBe(404);
}
