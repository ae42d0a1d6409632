import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serviceIndex } from './generated/index.ts';
import type { ServiceModel } from './model.ts';

export { serviceIndex };

const loaded = new Map<string, Promise<ServiceModel>>();
let modelsDir: string | undefined;

/**
 * The model of one service (a name of {@link serviceIndex}), read once and shared; treat it as frozen.
 * Rejects on an unknown name.
 */
export function loadModel(service: string): Promise<ServiceModel> {
  const known = loaded.get(service);
  if (known) return known;
  if (!serviceIndex.some((entry) => entry.service === service)) return Promise.reject(new Error(`no model of ${service}`));
  const model = readFile(join(findModels(), `${service}.json`), 'utf8').then((text) => JSON.parse(text) as ServiceModel);
  loaded.set(service, model);
  return model;
}

/**
 * The models lie beside this file in the source tree; a bundle in `dist/` finds them in `dist/models/generated`, where the
 * build copies them, or in `src/` of the same project.
 */
function findModels(): string {
  if (modelsDir) return modelsDir;
  const candidates = [join(import.meta.dirname, 'generated')];
  for (let dir = import.meta.dirname; ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) {
      candidates.push(join(dir, 'dist/models/generated'), join(dir, 'src/models/generated'));
      break;
    }
    if (dir === dirname(dir)) break;
  }
  modelsDir = candidates.find((dir) => existsSync(join(dir, 'sts.json')));
  if (!modelsDir) throw new Error(`the service models are missing: none of ${candidates.join(', ')}`);
  return modelsDir;
}
