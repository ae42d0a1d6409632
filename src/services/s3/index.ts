import type { Platform, Service } from '../service.ts';
import { cleanUp } from './cleanup.ts';
import { s3Resources } from './cloudformation.ts';
import { judgeCors } from './cors.ts';
import { postForm } from './forms.ts';
import { carryOut, LIFECYCLE_TARGET } from './lifecycle.ts';
import { LIFECYCLE_CONCURRENCY, NOTIFY_CONCURRENCY } from './limits.ts';
import { deliver, NOTIFY_TARGET } from './notify.ts';
import { endRestore, RESTORE_TARGET } from './operations/restore-object.ts';
import { CLEANUP_TARGET, keys } from './store.ts';
import { operations } from './table.ts';
import { S3_USAGE } from './usage.ts';
import { serveWebsite } from './website.ts';

/** Clean-ups under way at once: unlinking is cheap, and nobody waits for it. */
const CLEANUP_CONCURRENCY = 4;

/** The Simple Storage Service room. See README.md. */
export function createS3Room(): Service {
  return {
    name: 's3',
    operations,
    resources: s3Resources,
    usage: S3_USAGE,
    endpoints: { 's3-form': postForm, 's3-website': serveWebsite },
    cors: judgeCors,
    ownsBlob: async (platform, id) => (await platform.store.get(keys.blob(id))) !== undefined,
    start(platform: Platform) {
      platform.bus.register(CLEANUP_TARGET, { concurrency: CLEANUP_CONCURRENCY }, (attempt) => cleanUp(platform, attempt));
      platform.bus.register(LIFECYCLE_TARGET, { concurrency: LIFECYCLE_CONCURRENCY }, (attempt) => carryOut(platform, attempt));
      platform.bus.register(RESTORE_TARGET, { concurrency: CLEANUP_CONCURRENCY }, (attempt) => endRestore(platform, attempt));
      platform.bus.register(NOTIFY_TARGET, { concurrency: NOTIFY_CONCURRENCY }, (attempt) => deliver(platform, attempt));
    },
  };
}
