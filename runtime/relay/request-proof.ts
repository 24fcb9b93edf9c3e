/**
 * How a request proves its peer: one field, `authorization: Mesh-Ed25519 …`, whose signature binds
 * the relay's address, method, path, body, time and nonce. Signed is the DSSE pre-authentication
 * encoding of these lines, under a payload type of its own:
 *
 *     http://127.0.0.1:7070     the address of the relay as its client knows it
 *     POST
 *     /envelopes                path and query, as sent
 *     e3b0c442…                 SHA-256 of the body, lower-case hex
 *     1800000000000             milliseconds since the epoch
 *     00112233…                 16 fresh octets, lower-case hex
 *
 * A signature for one relay is none for another, so a relay cannot ask for its clients' mail elsewhere.
 */
import { hash } from 'node:crypto';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import { preAuthEncoding } from '../../machines/workload/dsse.ts';
import { verifyEd25519 } from '../workers/ed25519.ts';
import { isKeyOf, peerIdOf } from '../workers/envelope-proof.ts';
import type { PeerKey } from '../gossip/envelope-codec.ts';

/** DSSE payload type: a signature over a request is none over an envelope. */
export const REQUEST_PAYLOAD_TYPE = 'application/vnd.mycelium-mesh.relay-request.v1';

/** What is signed of a request. */
export interface RequestFacts {
  /** Origin of the relay, without a slash at its end. */
  readonly relay: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly bodyHash: string;
  readonly timeMs: number;
  readonly nonce: string;
}

/** A proof as it stands in the field; nothing of it is proven yet. */
export interface RequestProof extends Pick<RequestFacts, 'bodyHash' | 'timeMs' | 'nonce'> {
  /** Raw public key, lower-case hex. */
  readonly key: string;
  readonly signature: Uint8Array;
}

const EMPTY_BODY = hash('sha256', '');

/** SHA-256 of a body, lower-case hex. */
export const requestBodyHash = (body: Uint8Array | undefined): string =>
  body === undefined ? EMPTY_BODY : hash('sha256', body);

function signedOctets(facts: RequestFacts): Uint8Array {
  const { relay, method, path, bodyHash, timeMs, nonce } = facts;
  const lines = [relay, method, path, bodyHash, String(timeMs), nonce];
  return preAuthEncoding(REQUEST_PAYLOAD_TYPE, Buffer.from(lines.join('\n')));
}

/** The value of the `authorization` field. */
export function signRequest(facts: RequestFacts, key: PeerKey): string {
  const signature = Buffer.from(key.sign(signedOctets(facts))).toString('base64');
  const publicKey = Buffer.from(key.publicKey).toString('hex');
  return (
    `Mesh-Ed25519 key=${publicKey},time=${facts.timeMs},nonce=${facts.nonce}` +
    `,body=${facts.bodyHash},signature=${signature}`
  );
}

const FIELD = new RegExp(
  '^Mesh-Ed25519 key=([0-9a-f]{64}),time=(0|[1-9][0-9]{0,15}),nonce=([0-9a-f]{32}),' +
    'body=([0-9a-f]{64}),signature=([A-Za-z0-9+/]{86}==)$',
);

/** Reads the field; MESH_ERR_RELAY_PROOF. */
export function parseProof(field: string | undefined): RequestProof {
  const [, key, time, nonce, bodyHash, signature] = FIELD.exec(field ?? '') ?? [];
  if (!key || !time || !nonce || !bodyHash || !signature)
    throw relayError(
      'MESH_ERR_RELAY_PROOF',
      `Reading a request: ${field === undefined ? 'it is not signed' : 'its proof has another form'}.`,
    );
  const octets = Buffer.from(signature, 'base64');
  return { key, timeMs: Number(time), nonce, bodyHash, signature: octets };
}

/**
 * The peer whose key signed exactly this, for one of the addresses of this relay;
 * MESH_ERR_RELAY_PROOF.
 */
export function provePeer(
  proof: RequestProof,
  request: Pick<RequestFacts, 'method' | 'path'>,
  relays: readonly string[],
): string {
  const key = Buffer.from(proof.key, 'hex');
  const peer = peerIdOf(key);
  const isSigned =
    isKeyOf(key, peer) &&
    relays.some((relay) =>
      verifyEd25519(key, signedOctets({ ...proof, ...request, relay }), proof.signature),
    );
  if (isSigned) return peer;
  throw relayError(
    'MESH_ERR_RELAY_PROOF',
    `Proving ${request.method} ${request.path} of ${peer}: the signature is not its over this ` +
      `request to ${relays.join(' or ')}.`,
  );
}
