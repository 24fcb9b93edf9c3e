/** Reads a recording, and tells what is none from what is torn. */
import { inspectError } from '../errors.ts';
import type { RecordingInfo } from '../ui/views.types.ts';
import type { LogRow } from '../ui/wire.types.ts';
import type { KnownMachine } from './recording.types.ts';
import { RECORDING_BYTES_MAX, RECORDING_LINES_MAX } from './bounds.ts';
import { VERSION, headerSchema, lineSchema } from './line.schema.ts';
import type { Header, RecordedLine } from './line.schema.ts';
import type { Recorded, RecordedPath } from './recording.types.ts';

/** A line of its own for the header, and for the end. */
const LINES_MAX = RECORDING_LINES_MAX + 2;

/**
 * The whole recording in memory. MESH_ERR_INSPECT_RECORDING, MESH_ERR_INSPECT_RECORDING_NEWER. The
 * last line may be torn: then everything before it counts.
 */
export function readRecording(text: string): Recorded {
  if (text.length > RECORDING_BYTES_MAX * 2) throw damaged(1, 'the file is too large');
  const lines = text.split('\n');
  if (lines.length > LINES_MAX + 1) throw damaged(1, `it has ${lines.length} lines`);
  const header = headerOf(lines[0] ?? '');
  const reader = new Reader(header);
  const last = lines.length - 1;
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    const parsed = parse(line);
    if (parsed !== undefined) reader.add(parsed);
    else if (index < last) throw damaged(index + 1, 'it is no line of a recording');
  }
  return reader.recorded();
}

const damaged = (line: number, found: string) =>
  inspectError('MESH_ERR_INSPECT_RECORDING', `Reading a recording, line ${line}: ${found}.`);

function headerOf(line: string): Header {
  const { success, data } = headerSchema.safeParse(jsonOf(line));
  if (!success) throw damaged(1, 'this is no header of a recording');
  if (data.version > VERSION)
    throw inspectError(
      'MESH_ERR_INSPECT_RECORDING_NEWER',
      `Reading a recording of version ${data.version}, which mesh ${data.writer} made: ` +
        `this one reads version ${VERSION}.`,
    );
  return data;
}

function parse(line: string): RecordedLine | undefined {
  try {
    const { success, data } = lineSchema.safeParse(jsonOf(line));
    return success ? data : undefined;
  } catch {
    // Nested deeper than can be looked at: nobody's machine, and no line of a recording.
    return undefined;
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // No JSON is no line, which is what the schema then says.
    return undefined;
  }
}

class Reader {
  readonly #header: Header;
  readonly #log: LogRow[] = [];
  readonly #changes: Recorded['changes'][number][] = [];
  readonly #paths = new Map<string, RecordedPath>();
  readonly #machines = new Map<string, KnownMachine>();
  #lastMs: number;
  #end = 'torn';

  constructor(header: Header) {
    this.#header = header;
    this.#lastMs = header.startedAtMs;
  }

  add(line: RecordedLine): void {
    switch (line.type) {
      case 'chart':
        this.#machines.set(line.key, { key: line.key, chart: line.chart });
        return;
      case 'actor':
        this.#at(line.path).first = line;
        return;
      case 'rows':
        this.#changes.push(line);
        return;
      case 'log': {
        const { type: _type, ...row } = line;
        this.#log.push(row);
        this.#changes.push(line);
        this.#lastMs = Math.max(this.#lastMs, row.atMs);
        return;
      }
      case 'step': {
        const { type: _type, path, ...step } = line;
        this.#at(path).steps.push(step);
        return;
      }
      case 'end':
        this.#end = line.why;
        this.#lastMs = Math.max(this.#lastMs, line.atMs);
    }
  }

  recorded(): Recorded {
    const { title, startedAtMs } = this.#header;
    const info: RecordingInfo = {
      title,
      startedAtMs,
      endedAtMs: this.#lastMs,
      firstSeq: this.#log[0]?.seq ?? 0,
      lastSeq: this.#log.at(-1)?.seq ?? 0,
      end: this.#end,
    };
    return {
      info,
      log: this.#log,
      changes: this.#changes,
      paths: this.#paths,
      machines: this.#machines,
    };
  }

  #at(path: string): RecordedPath {
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    const fresh: RecordedPath = { first: undefined, steps: [] };
    this.#paths.set(path, fresh);
    return fresh;
  }
}
