/**
 * What a script gets of a Coordinator and its clients. Each is loaded when it is first called, so that
 * who imports the package for a tree of actors does not pay for certificates and gRPC; the system's
 * clock is the default everywhere.
 */
import type { KeyObject } from 'node:crypto';
import type { Issuer, Validator } from '../../actors/coordinator/ports/attestation.ts';
import type { ReferenceValues } from '../../machines/coordinator/mesh-manifest.schema.ts';
import { systemClock } from '../adapters/clock.system.ts';
import type { ProcessFacts } from '../attest/process-evidence.ts';
import type { AttestedConnectOptions, AttestedConnection } from '../attested-tls/connect.ts';
import type { TlsIdentity } from '../attested-tls/tls-identity.ts';
import type { MeshApiClient, UserApiClient, UserApiConnectOptions } from '../rpc/client.ts';
import type { CoordinatorOptions } from './compose-coordinator.ts';
import type { Coordinator } from './start-coordinator.ts';

type WithoutClock<Options extends { readonly clock: unknown }> = Omit<Options, 'clock'> &
  Partial<Pick<Options, 'clock'>>;

/** Starts a Coordinator in this process; see `start-coordinator.ts` for what it rejects with. */
export const startCoordinator = async (options: CoordinatorOptions): Promise<Coordinator> =>
  (await import('./start-coordinator.ts')).startCoordinator(options);

/** An attested connection to whatever speaks the protocol; see `attested-tls/connect.ts`. */
export const attestedConnect = async (
  options: WithoutClock<AttestedConnectOptions>,
): Promise<AttestedConnection> =>
  (await import('../attested-tls/connect.ts')).attestedConnect({ clock: systemClock, ...options });

/** MeshAPI and UserAPI over an attested connection; see `rpc/client.ts`. */
export const connectMeshApi = async (
  options: WithoutClock<AttestedConnectOptions>,
): Promise<MeshApiClient> =>
  (await import('../rpc/client.ts')).connectMeshApi({ clock: systemClock, ...options });

/** UserAPI, for owners and for whoever checks a mesh; see `rpc/client.ts`. */
export const connectUserApi = async (
  options: WithoutClock<UserApiConnectOptions>,
): Promise<UserApiClient> =>
  (await import('../rpc/client.ts')).connectUserApi({ clock: systemClock, ...options });

/** Evidence of a process, signed with the node key in that file: MESH_ERR_KEY_*. */
export const createProcessIssuer = async (
  keyFile: string,
  facts: ProcessFacts,
): Promise<Issuer> => {
  const { readKey } = await import('../adapters/keys.fs.ts');
  const { createProcessIssuer: create } = await import('../attest/process-evidence.ts');
  return create(readKey(keyFile), facts, systemClock);
};

/** Appraises the evidence of others by the reference values of a manifest. */
export const createValidator = async (references: ReferenceValues): Promise<Validator> =>
  (await import('../attest/validator.ts')).createValidator(references, { clock: systemClock });

/** A TLS key with a certificate that says nothing; by default a new key of P-256. */
export const createTlsIdentity = async (privateKey?: KeyObject): Promise<TlsIdentity> =>
  (await import('../attested-tls/tls-identity.ts')).createTlsIdentity(
    systemClock.now(),
    privateKey,
  );
