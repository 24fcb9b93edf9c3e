/** `mesh dev`, which is what `npm start` runs: from nothing to a served version, and back to nothing. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { processesIn } from '../support/docs/processes-in.ts';
import { mesh, startMeshCommand } from '../support/mesh/command.ts';
import { scratch } from '../support/scratch.ts';

const DEADLINE_MS = 60_000;

/** Resolves to what stands in the banner when it has come; rejects when the command ends before. */
async function bannerOf(child: ChildProcess): Promise<{ text: string; appUrl: string }> {
  let text = '';
  child.stdout?.resume();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`No banner yet:\n${text}`)), DEADLINE_MS);
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.includes('Ctrl-C')) resolve();
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`It ended before its banner:\n${text}`));
    });
  });
  return { text, appUrl: /http:\/\/127\.0\.0\.1:\d+\/hello\//.exec(text)?.[0] ?? '' };
}

async function interrupt(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
  return child.exitCode;
}

describe('mesh dev', () => {
  it('serves the second version of its sample, and leaves no process after Ctrl-C', async () => {
    using folder = scratch();
    const options = { cwd: folder.path };
    const startedAtMs = performance.now();
    const child = startMeshCommand(['dev', '--port', '0'], options);
    const { text, appUrl } = await bannerOf(child);
    console.log(`banner after ${Math.round(performance.now() - startedAtMs)} ms`);
    expect(text).toContain('hello 1.0.0 serves on 3 nodes.');
    const response = await fetch(`${appUrl}version`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('2.0.0');
    const rows = JSON.parse((await mesh(['ps', '--json'], options)).stdout) as unknown[];
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual(expect.objectContaining({ app: 'hello', role: 'active' }));
    expect(await interrupt(child)).toBe(130);
    expect(processesIn(folder.path)).toEqual([]);
  });

  it('starts again on its state without doing anything twice', async () => {
    using folder = scratch();
    const options = { cwd: folder.path };
    const first = startMeshCommand(['dev', '--port', '0', '--nodes', '2'], options);
    await bannerOf(first);
    await interrupt(first);
    const second = startMeshCommand(['dev', '--port', '0', '--nodes', '2'], options);
    const { text } = await bannerOf(second);
    expect(text).not.toContain('Made a signing key');
    const { stdout } = await mesh(['ps', '--json'], options);
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(await interrupt(second)).toBe(130);
    expect(processesIn(folder.path)).toEqual([]);
  });

  it('leaves no file with --ephemeral', async () => {
    using folder = scratch();
    const child = startMeshCommand(['dev', '--ephemeral', '--port', '0', '--nodes', '1'], {
      cwd: folder.path,
      env: { TMPDIR: folder.path },
    });
    await bannerOf(child);
    expect(await interrupt(child)).toBe(130);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
