/** Secrets by their identifiers: one that writes, and older ones that still read. */

import { VarveError } from '../kernel/errors.ts'
import { SECRET_BYTES, secretOf } from './aes-gcm.ts'
import type { Secret } from './aes-gcm.ts'

/** A secret and the name by which stored bytes refer to it. */
export interface EncryptionKey {
  /** Stored with everything the key encrypts, in the clear: 1 … 32 of `A-Z a-z 0-9 . _ -`. Means one secret, ever. */
  readonly id: string
  /** 32 random bytes; not a passphrase. Copied. */
  readonly secret: Uint8Array
}

export const KEY_ID_BYTES_MAX = 32
const KEY_ID = /^[A-Za-z0-9._-]{1,32}$/

/** Keys by their identifiers. Immutable. */
export class KeyRing {
  /** Identifier of the key that writes. */
  readonly writeId: string
  readonly #secrets = new Map<string, Secret>()

  /**
   * @param keys the first writes, all of them read
   * @throws {TypeError} {RangeError} no key, an identifier twice or not of the alphabet, a secret of another length
   */
  constructor(keys: readonly EncryptionKey[]) {
    const [first] = keys
    if (first === undefined) throw new RangeError('encryption keys must be at least one')
    for (const key of keys) {
      const { id, secret }: EncryptionKey = Object(key)
      if (typeof id !== 'string' || !KEY_ID.test(id)) throw new TypeError(`the id of a key must match ${KEY_ID.source}`)
      if (!(secret instanceof Uint8Array) || secret.length !== SECRET_BYTES)
        throw new TypeError(`the secret of key ${id} must be ${SECRET_BYTES} bytes`)
      if (this.#secrets.has(id)) throw new TypeError(`the key id ${id} is there twice`)
      this.#secrets.set(id, secretOf(secret))
    }
    this.writeId = first.id
  }

  /** @throws {VarveError} WRONG_KEY — it was not given */
  secret(id: string, file: string): Secret {
    const secret = this.#secrets.get(id)
    if (secret === undefined) throw wrongKey(file, id, `is encrypted with key ${id}, which was not given`)
    return secret
  }
}

export function wrongKey(file: string, keyId: string, reason: string): VarveError {
  return new VarveError('WRONG_KEY', `${file} ${reason}`, { details: { file, keyId } })
}
