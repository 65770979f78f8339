/**
 * A token and certificates in files that may be replaced: read again for each connection that is dialled.
 *
 * Where they cannot be read, or are not whole, as while somebody writes them, what was read last is shown once more.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkPem } from './pem.ts'
import type { DialOptions } from './socket-transport.ts'

/** Where they are. Those that are not given are not shown. */
export interface CredentialPaths {
  /** The token. Space around it does not count. */
  readonly token?: string
  /** A certificate in PEM; `key` goes with it. */
  readonly certificate?: string
  /** Its private key, in PEM. */
  readonly key?: string
  /** Authorities that may have signed the server's certificate, in PEM. */
  readonly authorities?: string
}

interface Credentials {
  readonly token: string
  readonly dial: DialOptions
}

const NAMES: ReadonlySet<string> = new Set(['token', 'certificate', 'key', 'authorities'])

/** What `RpcClient` and `dialSocket` ask for each connection: `token: files.token`, `dialSocket(address, files.dial)`. */
export class CredentialFiles {
  /** As given, but absolute: the process may go to another directory. */
  readonly paths: CredentialPaths
  /** As given, for errors. */
  readonly #given: CredentialPaths
  readonly #noted: (problem: string) => void
  #last: Credentials
  /** What was noted last. */
  #problem: string | undefined

  /**
   * @param noted hears, once each, why what was read last is shown again. Default: nobody does
   * @throws {TypeError} a path of something else, half of a pair, a file that cannot be read, or what is no certificate or key
   */
  constructor(paths: CredentialPaths, noted: (problem: string) => void = () => undefined) {
    for (const name of Object.keys(paths))
      if (!NAMES.has(name)) throw new TypeError(`unknown path ${name}; there are ${[...NAMES].join(', ')}`)
    if ((paths.certificate === undefined) !== (paths.key === undefined))
      throw new TypeError('paths of certificate and key go together')
    this.paths = Object.freeze(
      Object.fromEntries(Object.entries(paths as Record<string, string>).map(([name, path]) => [name, resolve(path)])),
    )
    this.#given = { ...paths }
    this.#noted = noted
    this.#last = this.#read()
  }

  /** The token as it is now; empty: none is shown. */
  readonly token = (): string => this.#now().token

  /** Authorities and identity as they are now. */
  readonly dial = (): DialOptions => this.#now().dial

  #now(): Credentials {
    try {
      this.#last = this.#read()
      this.#problem = undefined
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#problem) this.#noted(message)
      this.#problem = message
    }
    return this.#last
  }

  #read(): Credentials {
    const { token, certificate, key, authorities } = this.#given
    const identity =
      certificate === undefined || key === undefined
        ? undefined
        : { certificate: this.#textOf('certificate'), key: this.#textOf('key') }
    const dial = {
      ...(identity === undefined ? {} : { identity }),
      ...(authorities === undefined ? {} : { authorities: this.#textOf('authorities') }),
    }
    checkPem(dial, { certificate: certificate ?? '', key: key ?? '', authorities: authorities ?? '' })
    const shown = token === undefined ? '' : this.#textOf('token').trim()
    if (token !== undefined && shown === '') throw new TypeError(`${token} has no token`)
    return { token: shown, dial }
  }

  #textOf(name: keyof CredentialPaths): string {
    try {
      return readFileSync(this.paths[name] as string, 'utf8')
    } catch (error) {
      throw new TypeError(`${this.#given[name]} cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }
}
