/** The first bytes of everything encrypted, by which also who has no keys can tell what it is. */

export const ENCRYPTION_MAGIC: Readonly<Uint8Array> = new TextEncoder().encode('varveenc')

/** False where `bytes` were never meant to be encrypted ones. */
export function isEncrypted(bytes: Uint8Array): boolean {
  return bytes.length >= ENCRYPTION_MAGIC.length && ENCRYPTION_MAGIC.every((byte, index) => bytes[index] === byte)
}
