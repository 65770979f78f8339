/** What the subject that acknowledges a message says of it. */

export interface Delivered {
  /** How often it has been delivered, this time included. */
  readonly count: number
  /** Its place in the stream. */
  readonly sequence: number
}

/**
 * Servers with domains put two words more before it.
 *
 *      $JS.ACK.<stream>.<consumer>.<count>.<sequence>.<sequence of consumer>.<time>.<pending>
 */
export function deliveredBy(reply: string): Delivered {
  const words = reply.split('.')
  const skip = words.length > 9 ? 2 : 0
  return { count: Number(words[skip + 4]), sequence: Number(words[skip + 5]) }
}
