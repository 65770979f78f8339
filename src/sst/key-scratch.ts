/** Room for one key, reused. */
export class KeyScratch {
  bytes: Uint8Array = new Uint8Array(64)

  /** Room for at least `length` bytes; what was there is gone. */
  reserve(length: number): Uint8Array {
    if (length > this.bytes.length) this.bytes = new Uint8Array(Math.max(length, this.bytes.length * 2))
    return this.bytes
  }
}
