import type { ResourceType } from '../service.ts';
export const resources: readonly ResourceType[] = [];
