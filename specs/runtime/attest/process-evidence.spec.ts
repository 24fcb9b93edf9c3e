import { randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { EVIDENCE_SKEW_MS } from '../../../machines/coordinator/appraisal.ts';
import { EVIDENCE_TYPES } from '../../../machines/coordinator/evidence.ts';
import type { Evidence } from '../../../machines/coordinator/evidence.ts';
import type { ReferenceValues } from '../../../machines/coordinator/mesh-manifest.schema.ts';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';

const NOW_MS = 1_800_000_000_000;
const spore = '11'.repeat(32);
const binary = '22'.repeat(32);
const facts = { spore, binary, instance: 'hello-1' };
const key = nacl.sign.keyPair();
const nodeKey = Buffer.from(key.publicKey).toString('hex');
const accepting: ReferenceValues = { hardware: 'optional', process: { nodeKeys: [nodeKey] } };
const reportData = randomBytes(64);
const { signal } = new AbortController();

const issue = (nowMs = NOW_MS) =>
  createProcessIssuer(key, facts, { now: () => nowMs }).issue(reportData, signal);
const validate = (evidence: Evidence, references = accepting, bound: Uint8Array = reportData) =>
  createValidator(references, { clock: { now: () => NOW_MS } }).validate(evidence, bound, signal);
const refused = (code: string) => expect.objectContaining({ code });
const rewritten = ({ type, bytes }: Evidence, edit: (text: string) => string): Evidence => ({
  type,
  bytes: Buffer.from(edit(Buffer.from(bytes).toString())),
});

describe('createProcessIssuer', () => {
  it('proves the spore of an instance, and says that it is software only', async () => {
    await expect(validate(await issue())).resolves.toEqual({
      identity: spore,
      isHardware: false,
      attested: {
        kind: 'process',
        claims: { nodeKey, ...facts, issuedAtMs: NOW_MS },
      },
    });
  });

  it('is refused where the manifest requires hardware', async () => {
    const references: ReferenceValues = { ...accepting, hardware: 'required' };
    await expect(validate(await issue(), references)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_SOFTWARE_ONLY'),
    );
  });

  it('is refused where the manifest names no node key, or another one', async () => {
    const evidence = await issue();
    await expect(validate(evidence, { hardware: 'optional' })).rejects.toEqual(
      refused('MESH_ERR_ATTEST_TYPE'),
    );
    const other: ReferenceValues = {
      hardware: 'optional',
      process: { nodeKeys: ['00'.repeat(32)] },
    };
    await expect(validate(evidence, other)).rejects.toEqual(refused('MESH_ERR_ATTEST_UNKNOWN_KEY'));
  });

  it('is refused for the report data of another session', async () => {
    await expect(validate(await issue(), accepting, randomBytes(64))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_REPORT_DATA'),
    );
    await expect(validate(await issue(), accepting, randomBytes(8))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_REPORT_DATA'),
    );
  });

  it.each([
    ['expired', -EVIDENCE_SKEW_MS - 1],
    ['from the future', EVIDENCE_SKEW_MS + 1],
  ])('is refused when it is %s', async (_, offsetMs) => {
    await expect(validate(await issue(NOW_MS + offsetMs))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_EXPIRED'),
    );
    const within = offsetMs - Math.sign(offsetMs);
    await expect(validate(await issue(NOW_MS + within))).resolves.toBeDefined();
  });

  it('is refused when its statement was changed', async () => {
    const evidence = await issue();
    const envelope = JSON.parse(Buffer.from(evidence.bytes).toString()) as { payload: string };
    const statement = Buffer.from(envelope.payload, 'base64').toString();
    const payload = Buffer.from(statement.replace(spore, binary)).toString('base64');
    const changed = rewritten(evidence, (text) => text.replace(envelope.payload, payload));
    await expect(validate(changed)).rejects.toEqual(refused('MESH_ERR_ATTEST_SIGNATURE'));
  });

  it.each<[string, (text: string) => string]>([
    ['white space', (text) => text.replace(',', ', ')],
    ['another field', (text) => text.replace('{', '{"a":1,')],
    ['a field twice', (text) => text.replace('{', '{"payload":"",')],
    ['another payload type', (text) => text.replace('.v1+json', '.v2+json')],
    ['another key id', (text) => text.replace(/"keyid":".{64}"/, `"keyid":"${'0'.repeat(64)}"`)],
    ['no signature', (text) => text.replace(/"signatures":\[.*\]/, '"signatures":[]')],
    ['too many bytes', (text) => text.padEnd(5000)],
    ['its end cut off', (text) => text.slice(0, -1)],
    ['no bytes', () => ''],
  ])('is refused with %s', async (_, edit) => {
    await expect(validate(rewritten(await issue(), edit))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_MALFORMED'),
    );
  });

  it('is refused as evidence of a type that nobody knows', async () => {
    const { bytes } = await issue();
    await expect(validate({ type: '1.2.3', bytes })).rejects.toEqual(
      refused('MESH_ERR_ATTEST_TYPE'),
    );
    const large = { type: EVIDENCE_TYPES.process, bytes: randomBytes(200_000) };
    await expect(validate(large)).rejects.toEqual(refused('MESH_ERR_ATTEST_MALFORMED'));
  });
});
