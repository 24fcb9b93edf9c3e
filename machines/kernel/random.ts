/** Randomness as a port, so that a simulation's seed decides every choice. */
export interface Random {
  /** A number in [0, 1). Never for keys or tokens. */
  fraction(): number;
  /** Lower-case hex of `bytes` unpredictable bytes, for ids and tokens. */
  hex(bytes: number): string;
}
