/**
 * The URL of the worker module `STEM.worker` that lies next to the module with URL `base`: its
 * source where sources run, its compiled form in a build.
 */
export function workerModule(stem: string, base: string): URL {
  return new URL(`./${stem}.worker${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
}
