import { errorsOf } from '../kernel/coded-error.ts';

/** Everything that can be wrong with a spore, its keys, its trust store and its repo. */
export const SPORE_ERRORS = {
  MESH_ERR_SPORE_UNREADABLE: {
    hint: 'Give the path of a regular file that this user may read.',
    explain:
      'A spore, a manifest or a binary could not be opened or read: it does not exist, it is a ' +
      'folder, a device or a symbolic link, or its permissions forbid it. Spores are never ' +
      'opened through symbolic links.',
  },
  MESH_ERR_SPORE_CONTAINER: {
    hint: 'Pack the binary again with mesh build; other zip tools do not write spores.',
    explain:
      'The file is not the one zip layout that a spore has: manifest.json (stored), binary ' +
      '(deflated), both regular files, then the central directory, with nothing before, between ' +
      'or after. Comments, extra fields, data descriptors, encryption, ZIP64, other names, other ' +
      'methods and headers that differ are refused before any zip library sees the file. The ' +
      'reason is in the message.',
  },
  MESH_ERR_SPORE_TOO_LARGE: {
    hint: 'Make the binary smaller, or raise the configured limit.',
    explain:
      'The manifest, the binary or the whole spore is larger than the format or the configured ' +
      'limits allow. Sizes are checked before anything is inflated, and inflating stops at the ' +
      'declared size.',
  },
  MESH_ERR_SPORE_DATA: {
    hint: 'Fetch the spore again: its bytes were damaged.',
    explain:
      'The compressed binary does not inflate to the size and CRC-32 that its headers declare, ' +
      'or bytes follow the end of the compressed data.',
  },
  MESH_ERR_SPORE_JSON: {
    hint: 'Correct the manifest at the place that the message names.',
    explain:
      'A manifest is JSON with stricter rules, so that two readers never see different contents: ' +
      'UTF-8 without BOM, no duplicate keys, whole numbers only, no lone surrogates, at most 32 ' +
      'levels deep.',
  },
  MESH_ERR_SPORE_MANIFEST: {
    hint: 'Correct the fields that the message names.',
    explain:
      'The manifest is well-formed JSON but not a spore manifest: a field is missing, unknown, ' +
      'of the wrong type or out of its range. Every finding is listed in the message.',
  },
  MESH_ERR_SPORE_DIGEST: {
    hint: 'Fetch the spore again from a source you trust; do not run this one.',
    explain:
      'The SHA-256 of the spore is not the digest that was asked for, or the binary inside has ' +
      'another SHA-256 or size than the signed manifest says. The bytes were changed after they ' +
      'were published.',
  },
  MESH_ERR_SPORE_SIGNATURE: {
    hint: 'Ask the publisher for an unchanged spore; do not run this one.',
    explain:
      "The Ed25519 signature in the manifest is not its public key's over the DSSE " +
      'pre-authentication encoding of the canonical manifest. The manifest was changed after ' +
      'signing, or signed by other software.',
  },
  MESH_ERR_SPORE_UNTRUSTED: {
    hint: 'If you trust this key, add it with mesh trust add NAME.pub.',
    explain:
      'The signature is valid, but its key is not in the trust store, or is trusted for other ' +
      'apps only. A key inside a package proves nothing by itself.',
  },
  MESH_ERR_SPORE_POLICY: {
    hint: 'Change the manifest, or the policy of this node.',
    explain:
      'The spore asks for something that this node does not allow or cannot enforce: more CPU, ' +
      'memory or bytes than the policy allows, a command that is not allowed, an LSM profile or ' +
      'a read-only file system that this node would not really enforce. A security request is ' +
      'never ignored in silence.',
  },
  MESH_ERR_SPORE_UNCHECKED: {
    hint: 'Correct what the failed check before this one names.',
    explain:
      'In a report: this check was not reached, because an earlier one failed and left nothing ' +
      'to check.',
  },
  MESH_ERR_SPORE_INPUT_CHANGED: {
    retryable: true,
    hint: 'Pack again when nothing writes to the binary.',
    explain: 'The binary changed or was replaced while it was being packed; nothing was written.',
  },
  MESH_ERR_SPORE_WRITE: {
    hint: 'Check that the folder exists, is writable and does not hold what is to be created.',
    explain:
      'A packed spore or an extracted binary could not be written. Nothing half-written is left ' +
      'behind.',
  },
  MESH_ERR_SPORE_NO_SPACE: {
    retryable: true,
    hint: 'Free some space on the file system, then try again.',
    explain:
      'The file system was full while a spore was packed, stored or extracted. Nothing ' +
      'half-written is left behind.',
  },
  MESH_ERR_KEY_EXISTS: {
    hint: 'Choose another name, or move the existing key away first.',
    explain:
      'A key file of this name exists. Keys are never overwritten: they cannot be made again.',
  },
  MESH_ERR_KEY_NAME: {
    hint: 'Use lower-case letters, digits and hyphens, at most 63 characters.',
    explain: 'The name of a key is one DNS label, like the names of apps and nodes.',
  },
  MESH_ERR_KEY_UNREADABLE: {
    hint: 'Give the path of a key file that this user may read.',
    explain: 'A key file could not be opened or read, or could not be written.',
  },
  MESH_ERR_KEY_EXPOSED: {
    hint: 'Run chmod 600 on the key file, and think about who may have read it.',
    explain: 'A private key file that others may read or write is refused, as ssh does.',
  },
  MESH_ERR_KEY_MALFORMED: {
    hint: 'Make a key with mesh keygen, or convert yours to unencrypted PEM Ed25519.',
    explain:
      'A key file is not PEM with exactly one Ed25519 key: PKCS #8 for a private, ' +
      'SubjectPublicKeyInfo for a public key (RFC 8410).',
  },
  MESH_ERR_TRUST_MALFORMED: {
    hint: 'Restore the trust store from a copy, or remove it and add the keys again.',
    explain:
      'The trust store is not what this program writes. It is not repaired, because guessing ' +
      'whom to trust is worse than stopping.',
  },
  MESH_ERR_TRUST_CONFLICT: {
    hint: 'Remove the entry of that name first, or choose another name.',
    explain: 'Another key is already trusted under this name.',
  },
  MESH_ERR_TRUST_ENTRY: {
    hint: 'Use DNS labels as names and a 32-byte Ed25519 public key.',
    explain: 'The name, the app or the key of a new trust entry is malformed.',
  },
  MESH_ERR_TRUST_UNKNOWN: {
    hint: 'Look at mesh trust ls for the ids and names there are.',
    explain: 'No entry of the trust store has this id or name.',
  },
  MESH_ERR_TRUST_FULL: {
    hint: 'Remove keys that are no longer needed.',
    explain: 'The trust store holds as many entries as it may, 1024.',
  },
  MESH_ERR_TRUST_BUSY: {
    retryable: true,
    hint: 'Try again; if it persists, look for a process that hangs with the store locked.',
    explain: 'Another process held the lock of the trust store for longer than five seconds.',
  },
  MESH_ERR_TRUST_IO: {
    hint: "Check the permissions and the space of the trust store's folder.",
    explain: 'The trust store could not be read or written.',
  },
  MESH_ERR_REPO_UNKNOWN: {
    hint: 'Look at the digests in the repo, or publish the spore first.',
    explain: 'The repo holds no spore of this digest, or what was given is not a digest.',
  },
  MESH_ERR_REPO_CORRUPT: {
    hint: 'Remove the digest from the repo and publish the spore again.',
    explain:
      'A stored spore no longer has the SHA-256 that is its name: the disk or somebody changed ' +
      'it. It is neither served nor removed, so that it can be looked at.',
  },
  MESH_ERR_REPO_DENIED: {
    hint: "Give this user the right to write to the repo's folder.",
    explain: "The permissions of the repo's folder forbid what was attempted.",
  },
  MESH_ERR_REPO_IO: {
    retryable: true,
    hint: 'Look at the cause, and at the health of the disk.',
    explain: 'Reading or writing the repo failed for a reason that has no code of its own.',
  },
} as const;

export type SporeErrorCode = keyof typeof SPORE_ERRORS;

/** Makes an error of this table: family and hint come from the row of its code. */
export const sporeError = errorsOf(SPORE_ERRORS);
