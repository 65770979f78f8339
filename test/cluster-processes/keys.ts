/** Keys of a host, in the order of its writes. */
export function keyOf(host: string, number: number): Uint8Array {
  return Buffer.from(`${host}/${String(number).padStart(9, '0')}`)
}
