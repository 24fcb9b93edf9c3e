#!/usr/bin/env node
// The service that specs, benches and demonstrations run: HTTP on $PORT of the loopback, nothing
// but Node. It can be packed as it is, as an executable file or as the argument of `node`.
//
// SAMPLE_MODE, any of these, separated by commas:
//   never_healthy       /health answers 503
//   healthy_after:MS    /health answers 503 for so long
//   healthy_when:PATH   /health answers 503 while there is no such file
//   exit:CODE           ends at once
//   exit_after:MS[:CODE] ends after it began to listen
//   no_listen           runs without listening
//   other_port:PORT     listens there instead
//   ignore_sigterm      only SIGKILL ends it
//   sigterm_after:MS    takes so long to end after SIGTERM
//   grandchild          starts a process in its group that outlives it
//   escape              starts a process in a session of its own that outlives it
// SAMPLE_VERSION is what /version says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

const modes = new Map(
  (process.env.SAMPLE_MODE ?? '').split(',').map((mode) => {
    const [name, ...values] = mode.split(':');
    return [name, values];
  }),
);
const has = (mode) => modes.has(mode);
const valueOf = (mode, index = 0) => Number(modes.get(mode)?.[index] ?? 0);

const version = process.env.SAMPLE_VERSION ?? '1.0.0';
const port = has('other_port') ? valueOf('other_port') : Number(process.env.PORT ?? 0);
const startedAt = Date.now();
let listeningAt = 0;

const text = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${body}\n`);
};
const isHealthy = () =>
  !has('never_healthy') &&
  Date.now() - startedAt >= valueOf('healthy_after') &&
  (!has('healthy_when') || existsSync(modes.get('healthy_when')[0]));

const routes = {
  '/health': (_, response) =>
    text(response, isHealthy() ? 200 : 503, isHealthy() ? 'ok' : 'not yet'),
  '/hello': (_, response) => text(response, 200, `hello from ${version} (pid ${process.pid})`),
  '/version': (_, response) => text(response, 200, version),
  '/echo': (request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    request.pipe(response);
  },
  '/headers': (request, response) => text(response, 200, JSON.stringify(request.headers)),
  '/environment': (_, response) => text(response, 200, JSON.stringify(process.env)),
  '/timing': (_, response) =>
    text(response, 200, JSON.stringify({ executedAt: performance.timeOrigin, listeningAt })),
  '/slow': (request, response) => {
    const ms = Number(new URL(request.url, 'http://localhost').searchParams.get('ms') ?? 500);
    setTimeout(() => text(response, 200, `slow from ${version}`), Math.min(ms, 60_000));
  },
  '/crash': (request, response) => {
    const { searchParams } = new URL(request.url, 'http://localhost');
    const signal = searchParams.get('signal');
    text(response, 200, 'crashing');
    response.once('finish', () => {
      console.error('crashing, as asked to');
      if (signal) process.kill(process.pid, signal);
      else process.exit(Number(searchParams.get('code') ?? 1));
    });
  },
};

if (has('exit')) {
  console.error('ending at once, as told to');
  process.exit(valueOf('exit'));
}
for (const [mode, detached] of [
  ['grandchild', false],
  ['escape', true],
]) {
  if (!has(mode)) continue;
  // It ignores SIGTERM and holds the log open. Only when that is so does the service go on.
  const script = 'trap "" TERM; echo ready >&3; exec sleep 100000 3>&-';
  const stdio = ['ignore', 1, 2, 'pipe'];
  const child = spawn('/bin/sh', ['-c', script], { detached, stdio });
  await once(child.stdio[3], 'data');
  child.stdio[3].destroy();
  child.unref();
  console.log(`${mode} ${child.pid}`);
}

const server = createServer((request, response) => {
  const route = routes[request.url.split('?')[0]];
  if (route) route(request, response);
  else text(response, 404, 'not found');
});

const end = () => {
  console.log('SIGTERM: finishing requests');
  setTimeout(() => {
    if (!server.listening) process.exit(0);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  }, valueOf('sigterm_after'));
};
process.on('SIGTERM', () => {
  if (has('ignore_sigterm')) console.log('SIGTERM: ignored');
  else end();
});

if (has('no_listen')) {
  setInterval(() => {}, 60_000);
  console.log('running without listening');
} else {
  server.listen(port, '127.0.0.1', () => {
    listeningAt = performance.timeOrigin + performance.now();
    console.log(`version ${version} listens on ${server.address().port}`);
    if (has('exit_after'))
      setTimeout(() => process.exit(valueOf('exit_after', 1)), valueOf('exit_after'));
  });
}
