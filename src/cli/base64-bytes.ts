/** Base64, strictly: with padding, and nothing that decodes to the same bytes as something else. */

/** Undefined where `text` is not what encoding some bytes gives: `Buffer.from` skips what it does not know. */
export function base64Bytes(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
