/**
 * Binds one NewMeshCert connection. What is secret (the state, the answer) stays in the binding of
 * this one connection; the machine sees names.
 */
import { fromCallback, fromPromise } from 'xstate';
import { meshCertMachine } from '../../machines/coordinator/mesh-cert.machine.ts';
import type { MeshCertFact } from '../../machines/coordinator/mesh-cert.machine.ts';
import { childSpec } from '../../supervisor/index.ts';
import { summaryOf } from './coordinator-state.ts';
import type { CoordinatorState } from './coordinator-state.ts';
import type { ProvenIdentity } from './ports/attestation.ts';
import type { MeshCertConnection, NewMeshCertResponse } from './ports/connection.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { issueMeshCert } from './serve-requests.ts';

type Provided = NonNullable<Parameters<typeof meshCertMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Ports = Pick<CoordinatorPorts, 'cell' | 'validators'>;

/** The one value of a step that another step needs; reading it too early is a fault of the program. */
function createSlot<Value>(name: string) {
  let kept: { readonly value: Value } | undefined;
  return {
    put: (value: Value): Value => {
      kept = { value };
      return value;
    },
    get: (): Value => {
      if (kept === undefined) throw new Error(`The connection has no ${name} yet.`);
      return kept.value;
    },
  };
}

export function createMeshCertLogic({ cell, validators }: Ports, connection: MeshCertConnection) {
  const state = createSlot<CoordinatorState>('state');
  const peer = createSlot<ProvenIdentity & { readonly publicKey: Uint8Array }>('peer');
  const answer = createSlot<NewMeshCertResponse>('answer');
  const actors: Bindings = {
    takeState: fromPromise(async () => summaryOf(state.put(cell.take()))),
    watchState: fromCallback<MeshCertFact, { connection: string }>(({ sendBack }) => {
      const own = state.get();
      const tell = (): void => {
        if (cell.held !== own || cell.published.status !== 'ready')
          sendBack({ type: 'state.changed' });
      };
      const stops = [
        cell.onStatus(tell),
        cell.onFact(tell),
        connection.onClose(() => sendBack({ type: 'connection.closed' })),
      ];
      tell();
      return () => {
        for (const stop of stops) stop();
      };
    }),
    attestPeer: fromPromise(async ({ signal }) => {
      const validator = validators.validatorFor(state.get().manifest.referenceValues);
      const { identity } = peer.put(await connection.attest(validator, signal));
      return { identity };
    }),
    awaitRequest: fromPromise(({ signal }) => connection.request(signal)),
    issueCertificate: fromPromise(async () => {
      const { issued, response } = issueMeshCert(state.get(), peer.get(), peer.get().publicKey);
      answer.put(response);
      return issued;
    }),
    sendReply: fromPromise(({ signal }) => connection.reply(answer.get(), signal)),
  };
  return meshCertMachine.provide({
    actors,
    actions: { closeConnection: (_, { refusal }) => connection.close(refusal) },
  });
}

/** `temporary`: a connection that fails is the client's to open again. */
export const meshCertChildSpec = (
  logic: ReturnType<typeof createMeshCertLogic>,
  { id }: Pick<MeshCertConnection, 'id'>,
) => childSpec({ id, logic, input: { connection: id }, restart: 'temporary' });
