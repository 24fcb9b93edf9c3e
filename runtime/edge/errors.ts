import type { ErrorRow } from '../../machines/kernel/coded-error.ts';
import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** A row of the edge also says which status code (RFC 9110 §15) a client sees. */
export interface EdgeErrorRow extends ErrorRow {
  readonly status: number;
}

/**
 * Every refusal and failure of the edge. Those with a status below 502 are the client's doing and
 * nothing of the request reached an instance, but for a body that went wrong after its head.
 */
export const EDGE_ERRORS = {
  MESH_ERR_EDGE_HEAD_MALFORMED: {
    status: 400,
    hint: 'Send a request line and field lines that RFC 9112 allows, each ended by CR LF.',
    explain:
      'The request line or a field line breaks the grammar of RFC 9112: a control character, a ' +
      'bare CR or LF, a space before the colon, a folded line, a field name that is no token. ' +
      'Recipients disagree about such heads, so the edge never guesses. The connection is closed.',
  },
  MESH_ERR_EDGE_FRAMING_AMBIGUOUS: {
    status: 400,
    hint: 'Send either one Content-Length or `Transfer-Encoding: chunked`, never both.',
    explain:
      'Where the body ends is not certain: both Content-Length and Transfer-Encoding, a repeated ' +
      'or listed Content-Length, a transfer coding other than `chunked`, or a transfer coding in ' +
      'an HTTP/1.0 message (RFC 9112 §6). This is how requests are smuggled, so it is refused.',
  },
  MESH_ERR_EDGE_HOST_INVALID: {
    status: 400,
    hint: 'Send exactly one Host field with a host and an optional port.',
    explain:
      'An HTTP/1.1 request must carry exactly one valid Host field (RFC 9112 §3.2). It was ' +
      'missing, repeated, empty or had characters that no authority has.',
  },
  MESH_ERR_EDGE_TARGET_FORM: {
    status: 400,
    hint: 'Request a path that starts with a slash: `/{app}/rest?query`.',
    explain:
      'Only the origin form of a request target is served (RFC 9112 §3.2.1). Absolute, authority ' +
      'and asterisk forms, a fragment, and the method CONNECT are refused.',
  },
  MESH_ERR_EDGE_BODY_MALFORMED: {
    status: 400,
    hint: 'Send chunks as RFC 9112 §7.1 says: hex size, CR LF, data, CR LF.',
    explain:
      'The chunked body breaks its grammar: a size that is no hex number or too long, a malformed ' +
      'or oversized extension, data that does not end in CR LF, or a bad trailer. If an instance ' +
      'already has the head, its connection is reset, so that it never sees the body as complete.',
  },
  MESH_ERR_EDGE_APP_UNKNOWN: {
    status: 404,
    hint: 'Check the first path segment against `mesh ps`.',
    explain:
      'The first path segment names the app, and no app of that name is routed. Names are matched ' +
      'as they are: no percent-decoding, no case folding.',
  },
  MESH_ERR_EDGE_REQUEST_TIMEOUT: {
    status: 408,
    retryable: true,
    hint: 'Send the request faster, or raise the head or body timeout of the edge.',
    explain:
      'The request head did not end within `headTimeoutMs`, or its body paused for longer than ' +
      '`bodyIdleTimeoutMs`. Slow clients would otherwise hold connections for ever.',
  },
  MESH_ERR_EDGE_BODY_TOO_LARGE: {
    status: 413,
    hint: 'Send a smaller body, or raise `bodyBytesMax` of the edge.',
    explain: 'The body is declared, or turned out, to be longer than `bodyBytesMax`.',
  },
  MESH_ERR_EDGE_TARGET_TOO_LONG: {
    status: 414,
    hint: 'Shorten the path and query.',
    explain: 'The request line did not end within `headBytesMax`.',
  },
  MESH_ERR_EDGE_HEAD_TOO_LARGE: {
    status: 431,
    hint: 'Send fewer or shorter fields (often: clear the cookies).',
    explain: 'The head is longer than `headBytesMax`, or has more than `fieldsMax` fields.',
  },
  MESH_ERR_EDGE_METHOD_UNKNOWN: {
    status: 501,
    hint: 'Use a registered HTTP method in upper case.',
    explain:
      'The method is none of those that Node knows. How an unknown method treats its body is ' +
      'unknown too, so it is not forwarded (RFC 9110 §9.1).',
  },
  MESH_ERR_EDGE_VERSION: {
    status: 505,
    hint: 'Speak HTTP/1.1.',
    explain: 'The request line names a version other than HTTP/1.0 and HTTP/1.1.',
  },
  MESH_ERR_EDGE_UPSTREAM_UNREACHABLE: {
    status: 502,
    retryable: true,
    hint: 'See `mesh ps` and `mesh logs` for why the instance does not accept connections.',
    explain:
      'No connection to the picked instance could be opened, nor to a second one if there was one.',
  },
  MESH_ERR_EDGE_UPSTREAM_IDENTITY: {
    status: 502,
    hint: 'See with `mesh ps` which certificates the instance and the edge have, and until when.',
    explain:
      'The manifest of the app says that its instances speak TLS with their mesh certificate. The ' +
      'picked one did not show a valid certificate of this mesh for this app, or speaks no TLS, or ' +
      'the edge has no certificate that the instance accepts. Before both ends have proved ' +
      'themselves nothing of a request is sent.',
  },
  MESH_ERR_EDGE_UPSTREAM_CLOSED: {
    status: 502,
    retryable: true,
    hint: 'See `mesh logs` of the instance for a crash.',
    explain:
      'The instance closed the connection before it sent a response head. An idempotent request ' +
      'was tried once more if its whole body was still at hand; this one was not, or failed again.',
  },
  MESH_ERR_EDGE_RESPONSE_MALFORMED: {
    status: 502,
    hint: 'Mend the HTTP server of the app: its response breaks RFC 9112.',
    explain:
      'The response head breaks the grammar, its framing is ambiguous, or it switches protocols ' +
      'without being asked. Nothing of it was passed on.',
  },
  MESH_ERR_EDGE_NO_TARGET: {
    status: 503,
    retryable: true,
    hint: 'Wait for an instance to become healthy; `mesh ps` shows their states.',
    explain: 'The app is known, and none of its instances may take traffic now.',
  },
  MESH_ERR_EDGE_CONNECTIONS_LIMIT: {
    status: 503,
    retryable: true,
    hint: 'Raise `connectionsMax` of the edge, or close idle connections.',
    explain: 'The edge holds `connectionsMax` client connections already.',
  },
  MESH_ERR_EDGE_DRAINED: {
    status: 503,
    retryable: true,
    hint: 'Send the request again, or raise the drain timeout of the app.',
    explain:
      'The instance that served this request was being drained, or the edge was stopping, and the ' +
      'request was still unanswered at the deadline.',
  },
  MESH_ERR_EDGE_UPSTREAM_TIMEOUT: {
    status: 504,
    retryable: true,
    hint: 'See why the instance is slow, or raise the connect or response timeout of the edge.',
    explain:
      'The instance did not accept the connection within `connectTimeoutMs`, or did not send a ' +
      'response head within `responseTimeoutMs` after the whole request.',
  },
  MESH_ERR_EDGE_APPS_LIMIT: {
    status: 503,
    hint: 'Remove apps that are no longer used, or raise `appsMax` of the routing table.',
    explain: 'Counters are kept per app, so the number of apps and of targets has a limit.',
  },
  MESH_ERR_EDGE_LISTEN: {
    status: 503,
    retryable: true,
    hint: 'Free the port, or choose another one with `--port`.',
    explain: 'The edge could not listen on its address; the cause says why.',
  },
} as const satisfies { readonly [code: string]: EdgeErrorRow };

export type EdgeErrorCode = keyof typeof EDGE_ERRORS;

export const edgeError = errorsOf(EDGE_ERRORS);

/** Why a message is not forwarded. A value and not a throw: refusing must stay cheap under attack. */
export interface Refusal {
  readonly refused: EdgeErrorCode;
  /** What was found, for the client to read; never echoes bytes of the message. */
  readonly found: string;
}

export const refusal = (refused: EdgeErrorCode, found: string): Refusal => ({ refused, found });

export const isRefusal = (value: object): value is Refusal => 'refused' in value;
