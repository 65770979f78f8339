/** Authorities and certificates made by `openssl`, for tests that need more than there are beside this. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Why there are none; false: there are. */
export const noCertificates: string | false =
  spawnSync('openssl', ['version'], { encoding: 'utf8' }).status === 0 ? false : 'there is no openssl'

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export class MadeAuthority {
  readonly #folder: string
  readonly #name: string

  /** Makes `NAME.pem` and `NAME.key` in `folder`. */
  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    const made = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
    this.#openssl('req', '-x509', ...NEW_KEY, '-days', '3650', '-subj', `/CN=${name}`, ...made)
  }

  get certificate(): string {
    return readFileSync(join(this.#folder, `${this.#name}.pem`), 'utf8')
  }

  /** A certificate for `localhost` whose common name is `name`, as `NAME.pem` and `NAME.key`. @param days negative: it has expired */
  sign(name: string, days = 365): void {
    this.#openssl('req', '-new', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    // Of the request, `x509` of older versions copies no extensions.
    const names = `${name}.cnf`
    writeFileSync(join(this.#folder, names), 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n')
    const signed = ['-CA', `${this.#name}.pem`, '-CAkey', `${this.#name}.key`, '-CAcreateserial', '-extfile', names]
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-days', `${days}`, '-out', `${name}.pem`)
  }

  #openssl(...words: readonly string[]): void {
    const { status, stderr } = spawnSync('openssl', words, { cwd: this.#folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr}`)
  }
}
