/** What the main thread and the thread of the web server say to each other. */
import type { ErrorJson } from '../../../machines/kernel/coded-error.ts';
import type { ViewName } from '../ui/views.types.ts';
import type { Json, ServerMessage } from '../ui/wire.types.ts';
import type { Delta } from '../recorder/recorder.ts';

/** What the server's thread is started with. */
export interface ServerOptions {
  readonly port: number;
  readonly token: string;
  readonly title: string;
  readonly canSend: boolean;
  /** Folder of the built page. */
  readonly pageDir: string;
  /** Text of a recording, where that is shown and no tree. */
  readonly recording?: string;
}

export type ToServer =
  | { readonly type: 'all' | 'delta'; readonly delta: Delta }
  | { readonly type: 'details'; readonly path: string; readonly message: ServerMessage }
  | { readonly type: 'answer'; readonly id: number; readonly body: Json | undefined }
  | { readonly type: 'answer'; readonly id: number; readonly error: ErrorJson }
  | { readonly type: 'view'; readonly view: ViewName; readonly message: ServerMessage }
  | { readonly type: 'sent'; readonly viewer: number; readonly message: ServerMessage }
  | { readonly type: 'invite' | 'inviteStately'; readonly token: string }
  | { readonly type: 'stately'; readonly receiver: number; readonly frames: readonly string[] };

export type Question =
  | { readonly what: 'tree' | 'log' | 'machines' }
  | { readonly what: 'machine' | 'coverage'; readonly key: string }
  | { readonly what: 'view'; readonly view: ViewName }
  | { readonly what: 'rollback'; readonly app: string; readonly generation: number | null }
  | { readonly what: 'actor'; readonly path: string };

export type ToMain =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string; readonly error?: ErrorJson }
  /** Somebody looks, or nobody does any more. */
  | { readonly type: 'looking'; readonly isOn: boolean }
  | { readonly type: 'watching'; readonly paths: readonly string[] }
  /** A receiver of Stately's frames came, or left. */
  | { readonly type: 'receiving'; readonly receiver: number; readonly isOn: boolean }
  | { readonly type: 'following'; readonly views: readonly ViewName[] }
  | { readonly type: 'question'; readonly id: number; readonly question: Question }
  | {
      readonly type: 'send';
      readonly viewer: number;
      readonly path: string;
      readonly event: { readonly type: string; readonly [key: string]: Json };
    };
