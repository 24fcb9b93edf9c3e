/**
 * The inspector's web server, in a thread of its own: it keeps a copy of the rows, so a runtime that
 * is busy can still be looked at. Everything that needs an actor is asked of the main thread. A
 * recording needs none, and is answered here.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from '@hono/node-server';
import type { Server } from 'node:http';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { createApp } from './app.ts';
import { Entrance } from './entrance.ts';
import { Gate } from './gate.ts';
import type { ServerOptions, ToMain, ToServer } from './link.types.ts';
import { Questions } from './questions.ts';
import { Recordings, ReplayViewer } from './recordings.ts';
import { Rows } from './rows.ts';
import { StatelyRoom } from './stately-room.ts';
import { Viewers } from './viewers.ts';

const options = workerData as ServerOptions;
const tell = (message: ToMain): void => parentPort?.postMessage(message, []);

const rows = new Rows();
const questions = new Questions((id, question) => tell({ type: 'question', id, question }));
const gate = new Gate(options.token);
const viewers = new Viewers({ ...options, rows, tell });
const recordings = new Recordings();
const stately = new StatelyRoom(tell);
const app = createApp({
  ...options,
  gate,
  rows,
  recordings,
  ask: (question) => questions.ask(question),
});
const entrance = new Entrance(gate, {
  '/stately': stately,
  '/live': {
    find: ({ searchParams }) => {
      const id = searchParams.get('recording');
      const replay = recordings.get(id);
      if (replay) return (socket) => void new ReplayViewer(replay, socket);
      return id === null ? (socket) => viewers.join(socket) : undefined;
    },
  },
});

function listen(): void {
  const server = serve(
    { fetch: app.fetch, hostname: '127.0.0.1', port: options.port },
    ({ port }) => {
      entrance.port = port;
      tell({ type: 'listening', port });
    },
  ) as Server;
  server.on('error', (error) => tell({ type: 'failed', message: error.message }));
  server.on('upgrade', (request, socket, head) => entrance.upgrade(request, socket, head));
}

function hear(message: ToServer): void {
  switch (message.type) {
    case 'all':
    case 'delta':
      rows.apply(message.delta, message.type === 'all');
      viewers.tellRows(message.delta, message.type === 'all');
      return;
    case 'details':
      viewers.tellWatchers(message.path, message.message);
      return;
    case 'sent':
      viewers.tellOne(message.viewer, message.message);
      return;
    case 'answer':
      questions.answer(
        message.id,
        'error' in message
          ? { type: 'error', error: message.error }
          : { type: 'body', body: message.body },
      );
      return;
    case 'view':
      viewers.tellFollowers(message.view, message.message);
      return;
    case 'stately':
      stately.say(message.receiver, message.frames);
      return;
    case 'inviteStately':
      stately.invite(message.token);
      return;
    case 'invite':
      gate.invite(message.token);
  }
}

parentPort?.on('message', hear);
try {
  if (options.recording !== undefined) recordings.stand(options.recording);
  listen();
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  tell({ type: 'failed', message: error.message, error: error.toJSON() });
}
