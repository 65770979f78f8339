/**
 * AES-256-GCM under keys that serve one object each: the one place that encrypts.
 *
 *      secret, salt, context  ──HKDF-SHA256──►  key of one file or head
 *      secret, salt           ──HKDF-SHA256──►  key check, which tells a wrong secret from damage
 *
 * The salt is random and new for every object, so no two objects share a key, not even two that were begun under one
 * name; within an object the nonce counts chunks. The last chunk has a nonce of its own kind, so that a cut is noticed
 * (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár 2015).
 *
 * Spec: docs/formats/encrypted-file.md.
 */

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export const SECRET_BYTES = 32
export const SALT_BYTES = 32
export const TAG_BYTES = 16
export const KEY_CHECK_BYTES = 8
const NONCE_BYTES = 12
const KEY_CHECK_CONTEXT = 'varve key check 1'
const CIPHER = 'aes-256-gcm'

/** A secret that neither prints nor serializes as its bytes. */
export type Secret = KeyObject

/** @param bytes SECRET_BYTES of them; copied */
export function secretOf(bytes: Uint8Array): Secret {
  return createSecretKey(bytes)
}

/** Tells whether `check` was made with the same secret and salt. */
export function isKeyCheck(secret: Secret, salt: Uint8Array, check: Uint8Array): boolean {
  return timingSafeEqual(keyCheck(secret, salt), check)
}

export function keyCheck(secret: Secret, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, KEY_CHECK_CONTEXT, KEY_CHECK_BYTES))
}

/** Seals and opens the chunks of one object. */
export class ChunkCipher {
  readonly #key: Secret

  /** @param context what the object is: another context is another key */
  constructor(secret: Secret, salt: Uint8Array, context: string) {
    this.#key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, salt, context, SECRET_BYTES)))
  }

  /** Writes `plain` encrypted to `into` from `start`, its tag after it: TAG_BYTES more. A chunk is sealed once, ever. */
  seal(index: number, last: boolean, plain: Uint8Array, into: Uint8Array, start: number): void {
    const cipher = createCipheriv(CIPHER, this.#key, nonce(index, last))
    into.set(cipher.update(plain), start)
    cipher.final()
    into.set(cipher.getAuthTag(), start + plain.length)
  }

  /** The plain bytes of a sealed chunk, or undefined: it is another, of another object, or changed. */
  open(index: number, last: boolean, sealed: Uint8Array): Uint8Array | undefined {
    const plainBytes = sealed.length - TAG_BYTES
    if (plainBytes < 0) return undefined
    const decipher = createDecipheriv(CIPHER, this.#key, nonce(index, last), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(plainBytes))
    const plain = decipher.update(sealed.subarray(0, plainBytes))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plain
  }
}

/** Bytes 0 … 5 zero, 6 whether it is the last, 7 zero, 8 … 11 the index, u32 little-endian. */
function nonce(index: number, last: boolean): Uint8Array {
  const bytes = new Uint8Array(NONCE_BYTES)
  bytes[6] = last ? 1 : 0
  new DataView(bytes.buffer).setUint32(8, index, true)
  return bytes
}
