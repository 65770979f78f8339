/** A word that a command takes behind its name. */

export interface CommandParameter {
  /** In capitals, such as `DIR`. */
  readonly name: string
  /** May be left out. Default false. */
  readonly optional?: boolean
  /** May be given several times. Default false. */
  readonly repeated?: boolean
}

/** `DIR`, `[VALUE]`, `FILE...`, as a usage line shows it. */
export function showParameter({ name, optional, repeated }: CommandParameter): string {
  const shown = repeated === true ? `${name}...` : name
  return optional === true ? `[${shown}]` : shown
}
