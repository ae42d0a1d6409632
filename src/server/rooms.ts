import type { Service } from '../services/service.ts';

/** Every room of Croft, made once a process. */
export function allRooms(): Service[] {
  return [];
}
