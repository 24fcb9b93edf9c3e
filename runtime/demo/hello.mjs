// The sample service of `mesh dev`: a page that says which instance answered. It needs nothing but
// Node, and stops when it is told to, after the requests that it has begun.
import { createServer } from 'node:http';

const { PORT, MESH_NODE = '?', MESH_INSTANCE = '?', VERSION = '?', COLOUR = 'gray' } = process.env;
const startedMs = Date.now();

const facts = () => ({
  service: 'hello',
  version: VERSION,
  node: MESH_NODE,
  instance: MESH_INSTANCE,
  pid: process.pid,
  upSeconds: Math.round((Date.now() - startedMs) / 1000),
});

const page = () => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>hello ${VERSION}</title>
<style>
  body { font: 18px/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 28em; padding: 0 1em }
  h1 { border-left: .4em solid ${COLOUR}; padding-left: .5em }
  dt { color: #777; float: left; width: 6em; clear: left }
</style>
<h1>Hello from version ${VERSION}</h1>
<dl>
${Object.entries(facts())
  .map(([name, value]) => `  <dt>${name}</dt><dd>${value}</dd>`)
  .join('\n')}
</dl>
<p>Reload, and the edge asks the next instance.</p>
</html>
`;

const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.end('ok\n');
    return;
  }
  const wantsPage = request.headers.accept?.includes('text/html') === true;
  response.setHeader('content-type', wantsPage ? 'text/html; charset=utf-8' : 'application/json');
  response.end(wantsPage ? page() : `${JSON.stringify(facts())}\n`);
});

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`hello ${VERSION} listens on port ${PORT}`);
});

process.once('SIGTERM', () => {
  console.log('hello stops');
  server.close();
  server.closeIdleConnections();
});
