/** Binds the edge to its listener, and the routing table to the endpoints of the fabric. */
import { fromCallback, fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { edgeMachine } from '../../machines/workload/edge.machine.ts';
import type { EdgeEvent } from '../../machines/workload/edge.machine.ts';
import type { Endpoint, Plan } from '../../machines/workload/plan.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { EdgeListener, EdgeTarget, Routes } from './ports/edge.ts';
import type { Fabric } from './ports/fabric.ts';

type Provided = NonNullable<Parameters<typeof edgeMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

export interface EdgeActorPorts {
  readonly fabric: Fabric;
  readonly routes: Routes;
  /** A new listener for each start; one that was closed stays closed. */
  readonly openListener: () => EdgeListener;
  /** Told of the targets after each change, for whoever watches over them. */
  readonly onTargets: (targets: readonly EdgeTarget[]) => void;
}

const targetOf = ({ app, instance, url }: Endpoint): EdgeTarget => {
  const { hostname, port, protocol } = new URL(url);
  const target = { app, instance, host: hostname, port: Number(port) };
  return protocol === 'https:' ? { ...target, tls: 'mesh' } : target;
};

/**
 * Publishes in the turn of the commit, before any mailbox: an endpoint that was removed must not be
 * picked by the next request.
 */
const createRoutePublisher = ({ fabric, routes, onTargets }: EdgeActorPorts) =>
  fromCallback<EdgeEvent, Record<string, never>>(({ sendBack }) => {
    let apps = new Set<string>();
    let targets: readonly EdgeTarget[] = [];
    const publish = (): void => {
      try {
        for (const app of apps)
          routes.publish(
            app,
            targets.filter((target) => target.app === app),
          );
        onTargets(targets);
        sendBack({ type: 'routes.published', apps: apps.size, targets: targets.length });
      } catch (error) {
        sendBack({ type: 'routes.failed', message: String(error) });
      }
    };
    const stopPlans = fabric.watchPlans((plans: readonly Plan[]) => {
      const known = new Set(plans.map(({ app }) => app));
      for (const app of apps) if (!known.has(app)) routes.publish(app, null);
      apps = known;
      publish();
    });
    const stopEndpoints = fabric.watchEndpoints((endpoints) => {
      targets = endpoints.map(targetOf);
      publish();
    });
    return () => {
      stopPlans();
      stopEndpoints();
    };
  });

export function createEdgeLogic(ports: EdgeActorPorts) {
  let listener: EdgeListener | undefined;
  const actors: Bindings = {
    crash,
    openEdge: fromPromise(async () => {
      // A crashed incarnation could not close its own.
      await listener?.close(0);
      listener = ports.openListener();
      return listener.listen();
    }),
    publishRoutes: createRoutePublisher(ports),
    closeEdge: fromPromise(async ({ input }) => {
      await listener?.close(input.deadlineMs);
    }),
  };
  return edgeMachine.provide({ actors });
}

/** Ready once the port is open. */
export const edgeChildSpec = (logic: ReturnType<typeof createEdgeLogic>) =>
  childSpec({
    id: 'listener',
    logic,
    ready: (snapshot) => snapshot.matches('listening'),
    shutdown: 10_000,
    backoff: { minMs: 50, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
