/** A small Intel: a root, a platform, its quoting enclave, and what is published of them. */
import { X509Certificate, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { fingerprintOf } from '../../../runtime/attest/certificate-chain.ts';
import { pemOf } from '../../../runtime/attested-tls/tls-identity.ts';
import type { TdxCollateral } from '../../../runtime/attest/tdx/collateral.schema.ts';
import {
  FROM_MS,
  TO_MS,
  entity,
  extension,
  integer,
  octets,
  oid,
  revocationList,
  sequence,
} from './der-kit.ts';
import type { Entity, Node } from './der-kit.ts';

const SGX = '1.2.840.113741.1.13.1';
const FMSPC = '00906ed50000';
const MR_SIGNER = 'dc'.repeat(32);
const ATTRIBUTES = '1100000000000000';

const pair = (id: string, value: Node): Node => sequence(oid(id), value);

export interface SyntheticIntel {
  readonly roots: ReadonlySet<string>;
  readonly root: Entity;
  readonly intermediate: Entity;
  readonly pck: Entity;
  readonly signer: Entity;
}

export function syntheticIntel(componentSvn = 5): SyntheticIntel {
  const root = entity('Intel SGX Root CA');
  const intermediate = entity('Intel SGX PCK Platform CA', { issuer: root });
  const svns = Array.from({ length: 16 }, (_, at) =>
    pair(`${SGX}.2.${at + 1}`, integer(componentSvn)),
  );
  const facts = sequence(
    pair(`${SGX}.2`, sequence(...svns, pair(`${SGX}.2.17`, integer(13)))),
    pair(`${SGX}.3`, octets(Buffer.alloc(2))),
    pair(`${SGX}.4`, octets(Buffer.from(FMSPC, 'hex'))),
  );
  const pck = entity('Intel SGX PCK Certificate', {
    issuer: intermediate,
    curve: 'P-256',
    isLeaf: true,
    extensions: [extension(SGX, facts)],
  });
  const signer = entity('Intel SGX TCB Signing', { issuer: root, curve: 'P-256', isLeaf: true });
  const roots = new Set([fingerprintOf(new X509Certificate(root.certificate))]);
  return { roots, root, intermediate, pck, signer };
}

const p1363 = (bytes: Uint8Array, key: KeyObject): Buffer =>
  sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export interface QuoteOptions {
  readonly reportData?: Uint8Array;
  readonly tdAttributes?: string;
  readonly moduleVersion?: number;
  readonly mrSigner?: string;
  /** Signs the enclave's report in place of the PCK. */
  readonly pckKey?: KeyObject;
  /** Signs the quote in place of the key that the enclave vouches for. */
  readonly quoteKey?: KeyObject;
  /** What the enclave binds, in place of its key. */
  readonly bound?: Uint8Array;
}

/** A quote of version 4. */
export function tdxQuote(intel: SyntheticIntel, options: QuoteOptions = {}): Buffer {
  const header = Buffer.alloc(48);
  header.set([4, 0, 2, 0, 0x81]);
  header.set(Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex'), 12);
  const body = Buffer.alloc(584);
  body.set([3, options.moduleVersion ?? 1, ...Array.from({ length: 14 }, () => 5)]);
  body.set(Buffer.from(options.tdAttributes ?? '0000001000000000', 'hex'), 120);
  body.set(options.reportData ?? Buffer.alloc(64, 7), 520);
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = key.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const authData = randomBytes(32);
  const qe = Buffer.alloc(384);
  qe.set(Buffer.from(ATTRIBUTES, 'hex'), 48);
  qe.set(Buffer.from(options.mrSigner ?? MR_SIGNER, 'hex'), 128);
  qe.set([2, 0, 4, 0], 256);
  qe.set(options.bound ?? createHash('sha256').update(point).update(authData).digest(), 320);
  const chain = [intel.pck, intel.intermediate, intel.root].map((one) => pemOf(one.certificate));
  const pem = Buffer.from(chain.join(''));
  const inner = Buffer.concat([
    qe,
    p1363(qe, options.pckKey ?? intel.pck.key),
    u16(authData.length),
    authData,
    u16(5),
    u32(pem.length),
    pem,
  ]);
  const signed = Buffer.concat([header, body]);
  const signature = p1363(signed, options.quoteKey ?? key.privateKey);
  const rest = Buffer.concat([signature, point, u16(6), u32(inner.length), inner]);
  return Buffer.concat([signed, u32(rest.length), rest]);
}

export interface PublishedOptions {
  readonly componentSvn?: number;
  readonly platformStatus?: string;
  readonly qeStatus?: string;
  readonly moduleStatus?: string;
  readonly fmspc?: string;
  readonly revokedPcks?: readonly Entity[];
  readonly revokedByRoot?: readonly Entity[];
  readonly documentSigner?: Entity;
}

/** What is published of the platform, by default: everything is up to date. */
export function published(intel: SyntheticIntel, options: PublishedOptions = {}): TdxCollateral {
  const times = {
    issueDate: new Date(FROM_MS).toISOString(),
    nextUpdate: new Date(TO_MS).toISOString(),
  };
  const components = Array.from({ length: 16 }, () => ({ svn: options.componentSvn ?? 5 }));
  const advisoryIDs = ['INTEL-SA-00001'];
  const mask = { attributes: '00'.repeat(8), attributesMask: 'ff'.repeat(8) };
  const module = { mrsigner: '00'.repeat(48), ...mask };
  const level = (tcb: object, tcbStatus = 'UpToDate') => ({
    tcb,
    tcbStatus,
    ...(tcbStatus !== 'UpToDate' && { advisoryIDs }),
  });
  const tcb = { sgxtcbcomponents: components, pcesvn: 11, tdxtcbcomponents: components };
  const tcbInfo = JSON.stringify({
    id: 'TDX',
    version: 3,
    ...times,
    fmspc: options.fmspc ?? FMSPC,
    pceId: '0000',
    tdxModule: module,
    tdxModuleIdentities: [
      { id: 'TDX_01', ...module, tcbLevels: [level({ isvsvn: 2 }, options.moduleStatus)] },
    ],
    tcbLevels: [level(tcb, options.platformStatus)],
  });
  const qeIdentity = JSON.stringify({
    id: 'TD_QE',
    version: 2,
    ...times,
    miscselect: '00000000',
    miscselectMask: 'ffffffff',
    attributes: `${ATTRIBUTES}0000000000000000`,
    attributesMask: 'fbffffffffffffff0000000000000000',
    mrsigner: MR_SIGNER,
    isvprodid: 2,
    tcbLevels: [level({ isvsvn: 4 }, options.qeStatus)],
  });
  const { key } = options.documentSigner ?? intel.signer;
  const signatureOf = (text: string): string => p1363(Buffer.from(text), key).toString('hex');
  const base64 = (bytes: Buffer): string => bytes.toString('base64');
  return {
    tcbInfo,
    tcbInfoSignature: signatureOf(tcbInfo),
    qeIdentity,
    qeIdentitySignature: signatureOf(qeIdentity),
    signerChain: pemOf(intel.signer.certificate) + pemOf(intel.root.certificate),
    pckCrl: base64(revocationList(intel.intermediate, options.revokedPcks ?? [])),
    rootCrl: base64(revocationList(intel.root, options.revokedByRoot ?? [])),
  };
}
