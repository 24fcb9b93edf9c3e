/** The edge's data plane, as its actor sees it. */
export interface EdgeTarget {
  readonly instance: string;
  readonly app: string;
  readonly host: string;
  readonly port: number;
  /** It speaks TLS, and shows the mesh certificate of its app. */
  readonly tls?: 'mesh';
}

/** The routing table, as actors write it. */
export interface Routes {
  /** Replaces an app's targets as a whole; null makes the app unknown, [] leaves it without one. */
  publish(app: string, targets: readonly EdgeTarget[] | null): void;
}

/** One opened port of the edge. */
export interface EdgeListener {
  /** Rejects with MESH_ERR_EDGE_LISTEN where the port is taken or not allowed. */
  listen(): Promise<{ readonly port: number }>;
  /** Lets requests end for up to `deadlineMs`, then ends them. Idempotent. */
  close(deadlineMs: number): Promise<unknown>;
}
