/** Who is alive on this machine, as a port: what tells a live lock from one that a killed process left. */

export interface ProcessTable {
  /** This process. */
  self(): ProcessIdentity
  /**
   * Whether that very process still runs: same boot, same number, same start. True where it cannot be told; once false,
   * false for ever, and nothing that process had asked the system for happens any more.
   */
  isAlive(identity: ProcessIdentity): boolean
}

/**
 * What tells one process from every other that there was or will be on this machine. Plain data, as lock files have it.
 */
export interface ProcessIdentity {
  /** Of the running system; another after every boot. Empty where there is none to be had. */
  readonly bootId: string
  /** Number of the process; used again after its end. */
  readonly pid: number
  /** When the process started, in the system's own unit: numbers are used again. Empty where there is none to be had. */
  readonly startedAt: string
}
