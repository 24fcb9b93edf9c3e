// Writes runtime/rpc/generated/ from runtime/rpc/proto/: `node .ci/protos.mjs`. Needs `protoc` on the
// PATH (Debian: protobuf-compiler); what it writes is committed, so nobody else does. The plugin
// names files NAME_pb.ts; the house names them NAME.ts, which is why no .proto imports another.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? join(root, 'runtime', 'rpc', 'generated'));
const protos = join(root, 'runtime', 'rpc', 'proto');
const bin = join(root, 'node_modules', '.bin');

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  process.stderr.write(`protos: ${program} failed${error ? `: ${error.message}` : ''}.\n`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), 'mesh-protos-'));
try {
  run('protoc', [
    `--plugin=protoc-gen-es=${join(bin, 'protoc-gen-es')}`,
    `--proto_path=${protos}`,
    `--es_out=${scratch}`,
    '--es_opt=target=ts,import_extension=ts',
    ...readdirSync(protos).map((name) => join(protos, name)),
  ]);
  const names = readdirSync(scratch);
  for (const name of names) {
    const text = readFileSync(join(scratch, name), 'utf8').replace(
      /^\/\* eslint-disable \*\/\n/m,
      '',
    );
    writeFileSync(join(out, name.replace(/_pb\.ts$/, '.ts')), text);
  }
  run(
    join(bin, 'oxfmt'),
    names.map((name) => join(out, name.replace(/_pb\.ts$/, '.ts'))),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
