/**
 * Whether what is given as certificates and keys are some: Node takes a text without any for none, and then a server listens
 * that nobody can reach, and a client shows nothing.
 */

import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface PemNames {
  readonly certificate: string
  readonly key: string
  readonly authorities: string
}

const CERTIFICATE = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g

/** @param names how errors call them @throws {TypeError} no certificate, no key, or the key of another certificate */
export function checkPem(
  given: { readonly identity?: { readonly certificate: string; readonly key: string }; readonly authorities?: string },
  names: PemNames,
): void {
  const { identity, authorities } = given
  if (authorities !== undefined) certificatesOf(authorities, names.authorities)
  if (identity === undefined) return
  const [certificate] = certificatesOf(identity.certificate, names.certificate)
  if (certificate?.checkPrivateKey(keyOf(identity.key, names.key)) !== true)
    throw new TypeError(`${names.key} is not the private key of the first certificate in ${names.certificate}`)
}

function certificatesOf(pem: string, name: string): readonly X509Certificate[] {
  const found = pem.match(CERTIFICATE) ?? []
  if (found.length === 0) throw new TypeError(`${name} has no certificate in PEM`)
  try {
    return found.map((each) => new X509Certificate(each))
  } catch (error) {
    throw new TypeError(`${name} has a certificate that cannot be read: ${String(error)}`, { cause: error })
  }
}

function keyOf(pem: string, name: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new TypeError(`${name} has no private key in PEM, or one that needs a passphrase`, { cause: error })
  }
}
