import type { MakeFabricWorld } from '../support/fabric-world.ts';
import { fabricLeasesSuite } from './fabric-leases.suite.ts';
import { fabricPlansSuite } from './fabric-plans.suite.ts';
import { fabricWatchesSuite } from './fabric-watches.suite.ts';

/** Every sentence of the port `Fabric`, for any implementation of it. */
export function fabricSuite(name: string, make: MakeFabricWorld): void {
  fabricPlansSuite(name, make);
  fabricLeasesSuite(name, make);
  fabricWatchesSuite(name, make);
}
