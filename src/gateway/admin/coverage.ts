import type { ServiceIndexEntry } from '../../models/model.ts';
import type { Service } from '../../services/service.ts';

/** What of one service is built. */
export interface ServiceCoverage {
  readonly service: string;
  readonly implemented: readonly string[];
  /** Modelled operations that answer 501. */
  readonly notImplemented: readonly string[];
  /** Parameters that are kept but have no effect, by operation. */
  readonly recorded: Readonly<Record<string, readonly string[]>>;
}

/** Every modelled operation, built or not: `/_croft/coverage` and the coverage page. */
export function coverageOf(index: readonly ServiceIndexEntry[], rooms: readonly Service[]): { services: ServiceCoverage[] } {
  const roomOf = new Map(rooms.map((room) => [room.name, room]));
  const services = index.map(({ service, operations }): ServiceCoverage => {
    const built = roomOf.get(service)?.operations ?? {};
    const recorded = Object.entries(built).flatMap(([name, entry]) => (entry.recorded?.length ? [[name, entry.recorded] as const] : []));
    return {
      service,
      implemented: operations.filter((name) => Object.hasOwn(built, name)),
      notImplemented: operations.filter((name) => !Object.hasOwn(built, name)),
      recorded: Object.fromEntries(recorded),
    };
  });
  return { services };
}
