/**
 * The exchange that attests both ends of a TLS 1.3 session before any application byte:
 *
 *     client → hello
 *     client ← hello
 *     client → evidence            the server appraises it before it makes its own
 *     client ← accepted, evidence
 *     client → accepted
 *
 * Whoever refuses says so with a code and closes. Evidence is bound by `reportDataOf` to the session,
 * so a relay that terminates TLS is refused by both ends.
 */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type {
  Issuer,
  ProvenIdentity,
  Validator,
} from '../../actors/coordinator/ports/attestation.ts';
import type { Evidence } from '../../machines/coordinator/evidence.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { transportError } from './errors.ts';
import { encodeFrame, readFrame, writeLastFrame } from './frames.ts';
import { NONCE_BYTES, OID_BYTES_MAX } from './limits.ts';
import { peerPublicKeyOf } from './peer-key.ts';
import { exportedKeysOf, reportDataOf } from './report-data.ts';
import type { BoundEnd, ExportedKeys } from './report-data.ts';

type Role = BoundEnd['role'];

const VERSION = 1;
const OID = /^[0-9]+(\.[0-9]+)+$/;

/** What one end brings. */
export interface Attestor {
  readonly issuer: Issuer;
  /** Decides whether the other end's evidence counts. */
  readonly validator: Validator;
}

/** The other end, attested. */
export interface AttestedPeer extends ProvenIdentity {
  /** SubjectPublicKeyInfo of its TLS key, DER. */
  readonly publicKey: Uint8Array;
}

/** Nonces, keys and sockets of one exchange. */
interface Session {
  readonly socket: TLSSocket;
  readonly role: Role;
  readonly exported: ExportedKeys;
  readonly ownNonce: Buffer;
  readonly peerNonce: Buffer;
  readonly ownPublicKey: Uint8Array;
  readonly peerPublicKey: Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * Attests both ends. On any failure the other end is told a code, and the socket is closed.
 * MESH_ERR_TRANSPORT_CERTIFICATE, _FRAME, _NONCE, _CLOSED, _PEER_REFUSED; MESH_ERR_ATTEST_*; the
 * signal's reason.
 */
export async function exchangeEvidence(
  socket: TLSSocket,
  role: Role,
  ownPublicKey: Uint8Array,
  { issuer, validator }: Attestor,
  signal: AbortSignal,
): Promise<AttestedPeer> {
  try {
    const session = await greet(socket, role, ownPublicKey, signal);
    const proven =
      role === 'client'
        ? await attestAsClient(session, issuer, validator)
        : await attestAsServer(session, issuer, validator);
    return { ...proven, publicKey: session.peerPublicKey };
  } catch (error) {
    refuse(socket, error);
    throw error;
  }
}

async function attestAsClient(
  session: Session,
  issuer: Issuer,
  validator: Validator,
): Promise<ProvenIdentity> {
  const { socket, signal } = session;
  socket.write(await evidenceFrame(session, issuer));
  await readFrame(socket, 'accepted', signal);
  const proven = await appraisePeer(session, validator);
  await writeLastFrame(socket, encodeFrame('accepted'), signal);
  return proven;
}

async function attestAsServer(
  session: Session,
  issuer: Issuer,
  validator: Validator,
): Promise<ProvenIdentity> {
  const { socket, signal } = session;
  const proven = await appraisePeer(session, validator);
  const evidence = await evidenceFrame(session, issuer);
  const answer = Buffer.concat([encodeFrame('accepted'), evidence]);
  await Promise.all([
    writeLastFrame(socket, answer, signal),
    readFrame(socket, 'accepted', signal),
  ]);
  return proven;
}

async function greet(
  socket: TLSSocket,
  role: Role,
  ownPublicKey: Uint8Array,
  signal: AbortSignal,
): Promise<Session> {
  const peerPublicKey = peerPublicKeyOf(socket);
  const ownNonce = randomBytes(NONCE_BYTES);
  const ownHello = Buffer.concat([Buffer.of(VERSION), ownNonce]);
  socket.write(encodeFrame('hello', ownHello));
  const hello = await readFrame(socket, 'hello', signal);
  if (hello.length !== 1 + NONCE_BYTES || hello[0] !== VERSION)
    throw transportError('MESH_ERR_TRANSPORT_FRAME', 'Reading a hello: its version is not known.');
  const peerNonce = hello.subarray(1);
  if (peerNonce.equals(ownNonce))
    throw transportError('MESH_ERR_TRANSPORT_NONCE', 'Reading a hello: the nonce is our own.');
  const exported = exportedKeysOf(socket);
  return { socket, role, exported, ownNonce, peerNonce, ownPublicKey, peerPublicKey, signal };
}

async function evidenceFrame(session: Session, issuer: Issuer): Promise<Buffer> {
  const { exported, role, ownNonce, peerNonce, ownPublicKey, signal } = session;
  const reportData = reportDataOf(exported, { role, ownNonce, peerNonce, ownPublicKey });
  const { type, bytes } = await issuer.issue(reportData, signal);
  const oid = Buffer.from(type, 'latin1');
  return encodeFrame('evidence', Buffer.concat([Buffer.of(oid.length), oid, bytes]));
}

async function appraisePeer(session: Session, validator: Validator): Promise<ProvenIdentity> {
  const { socket, signal } = session;
  const evidence = decodeEvidence(await readFrame(socket, 'evidence', signal));
  const reportData = reportDataOf(session.exported, {
    role: session.role === 'client' ? 'server' : 'client',
    ownNonce: session.peerNonce,
    peerNonce: session.ownNonce,
    ownPublicKey: session.peerPublicKey,
  });
  const proven = await validator.validate(evidence, reportData, signal);
  signal.throwIfAborted();
  return proven;
}

function decodeEvidence(payload: Buffer): Evidence {
  const length = payload[0] ?? 0;
  const type = payload.subarray(1, 1 + length).toString('latin1');
  if (length > OID_BYTES_MAX || type.length !== length || !OID.test(type))
    throw transportError('MESH_ERR_TRANSPORT_FRAME', 'Reading evidence: its type is no OID.');
  return { type, bytes: payload.subarray(1 + length) };
}

/** Tells the other end why, as far as the socket still goes, and closes it. Idempotent. */
export function refuse(socket: TLSSocket, error: unknown): void {
  // What was said before is on its way; closing now would lose it.
  if (socket.writableEnded) return;
  const code = codeOf(error);
  if (socket.writable && code?.startsWith('MESH_ERR_'))
    socket.end(encodeFrame('refused', Buffer.from(code, 'latin1')), () => socket.destroySoon());
  else socket.destroy();
}
