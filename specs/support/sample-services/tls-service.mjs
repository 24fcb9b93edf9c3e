#!/usr/bin/env node
// A service that speaks TLS with its mesh certificate, to clients that show one: HTTPS on $PORT of the
// loopback, nothing but Node. A renewed certificate is taken up without a connection being dropped.
import { readFileSync, watch } from 'node:fs';
import { createServer } from 'node:https';
import { dirname } from 'node:path';

const { MESH_CERT_FILE, MESH_KEY_FILE, MESH_CA_FILE, PORT } = process.env;

const identity = () => ({
  cert: readFileSync(MESH_CERT_FILE),
  key: readFileSync(MESH_KEY_FILE),
  ca: readFileSync(MESH_CA_FILE),
});

const bodies = {
  '/health': () => 'ok',
  '/hello': () => `hello over TLS (pid ${process.pid})`,
  '/peer': ({ socket }) => socket.getPeerCertificate().subjectaltname,
  '/resumed': ({ socket }) => String(socket.isSessionReused()),
  '/environment': () => JSON.stringify(process.env),
};

const server = createServer(
  { ...identity(), requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
  (request, response) => {
    const body = bodies[request.url?.split('?')[0]];
    response.writeHead(body ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${body ? body(request) : 'not found'}\n`);
  },
);
watch(dirname(MESH_CERT_FILE), (_, name) => {
  if (name === 'cert.pem') server.setSecureContext(identity());
});
server.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
