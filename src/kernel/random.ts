/** Chance, as a port. */

export interface Random {
  /** Uniform integer, 0 … 2^32 − 1. */
  u32(): number
}

/** A name part no other process has chosen: 16 hexadecimal digits. */
export function nonce(random: Random): string {
  return random.u32().toString(16).padStart(8, '0') + random.u32().toString(16).padStart(8, '0')
}
