/** What the sample service does in a SAMPLE_MODE, for fakes that behave as it does. */
export interface SampleBehaviour {
  /** From its start; null: it runs until it is ended. */
  readonly exitAfterMs: number | null;
  readonly exitCode: number;
  /** From its start; null: it never listens. */
  readonly listensAfterMs: number | null;
  /** Null: the PORT of its environment. */
  readonly otherPort: number | null;
  /** From its start; null: /health answers 503 for ever. */
  readonly healthyAfterMs: number | null;
  /** From SIGTERM to its end; null: SIGTERM is ignored. */
  readonly endsAfterMs: number | null;
  /** Processes it starts, in its own group or out of it. They ignore SIGTERM. */
  readonly descendants: readonly ('inside' | 'escaped')[];
}

/** About what Node takes on a quiet machine. */
const STARTUP_MS = 40;

/** Reads the modes that `sample-services/http-service.mjs` describes. */
export function behaviourOf(mode: string): SampleBehaviour {
  const modes = new Map(
    mode.split(',').map((text) => {
      const [name = '', ...values] = text.split(':');
      return [name, values.map(Number)] as const;
    }),
  );
  const values = (name: string): readonly number[] => modes.get(name) ?? [];
  const isEnding = modes.has('exit') || modes.has('exit_after');
  const [exitAfterMs = 0, exitCode = 0] = values('exit_after');
  return {
    exitAfterMs: isEnding ? STARTUP_MS + exitAfterMs : null,
    exitCode: values('exit')[0] ?? exitCode,
    listensAfterMs: modes.has('no_listen') || modes.has('exit') ? null : STARTUP_MS,
    otherPort: values('other_port')[0] ?? null,
    healthyAfterMs: modes.has('never_healthy') ? null : (values('healthy_after')[0] ?? 0),
    endsAfterMs: modes.has('ignore_sigterm') ? null : (values('sigterm_after')[0] ?? 1),
    descendants: [
      ...(modes.has('grandchild') ? (['inside'] as const) : []),
      ...(modes.has('escape') ? (['escaped'] as const) : []),
    ],
  };
}
