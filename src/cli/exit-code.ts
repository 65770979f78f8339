/** What the process says to its caller when it ends. Documented in `varve help`. */

export const EXIT_CODES = Object.freeze({
  ok: 0,
  /** Something failed, two things that must be equal are not, or what was asked for is not there. */
  failure: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** Stopped by Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
})

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]
