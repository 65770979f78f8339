/**
 * Who may do what: by token, by certificate, or because the wire cannot leave this machine.
 *
 * Tokens are kept as digests, and all of them are compared, in a time that says nothing about any: SHA-256 makes them of
 * one length, which `timingSafeEqual` demands. A name in a certificate is no secret, and is compared as text, the whole of
 * it: `*.example.org` in a certificate is no other name than that.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import { VarveError } from '../kernel/errors.ts'
import type { Grant, Role, Wire } from './rpc.ts'

/** All of them. */
export const ROLES: readonly Role[] = Object.freeze(['journal', 'heads', 'files', 'jobs', 'worker'])

/** Who may do what. With `token`, `certificate`, or both: either lets in. */
export interface AccessRule {
  /** For people. */
  readonly name: string
  /** Who shows this token: at least 16 characters. */
  readonly token?: string
  /** When the token ends: date and time of ISO 8601 with a zone, such as `2027-01-31T12:00:00Z`. Default: never. */
  readonly expires?: string
  /**
   * Who has a certificate, signed by an authority that the listener trusts, with this name: a DNS name or URI of its
   * subjectAltName, or its common name.
   */
  readonly certificate?: string
  /** What they may use. Default: all. */
  readonly roles?: readonly Role[]
  /** Names of shards that they may touch. Default: all. */
  readonly shards?: readonly string[]
}

/** Shorter ones can be guessed. */
const TOKEN_LENGTH_MIN = 16

const NAMES_LENGTH_MAX = 500

interface TokenGrant {
  readonly digest: Uint8Array
  readonly grant: Grant
}

/** What a wire shows of who is at its other end. */
export type ShownIdentity = Pick<Wire, 'safety' | 'certified' | 'certifiedUntilMs' | 'distrust'>

/** The rules of a server. Immutable. */
export class Access {
  readonly #tokens: readonly TokenGrant[]
  readonly #certificates: ReadonlyMap<string, Grant>

  /** @throws {TypeError} {RangeError} a rule that lets nobody in, or anybody */
  constructor(rules: readonly AccessRule[] = []) {
    const tokens: TokenGrant[] = []
    const certificates = new Map<string, Grant>()
    for (const rule of rules) {
      const grant = grantOf(rule)
      const expiresMs = expiryOf(rule)
      if (rule.token !== undefined) {
        if (rule.token.length < TOKEN_LENGTH_MIN)
          throw new RangeError(`the token of ${rule.name} must have ${TOKEN_LENGTH_MIN} characters or more`)
        tokens.push({
          digest: digestOf(new TextEncoder().encode(rule.token)),
          grant: expiresMs === undefined ? grant : Object.freeze({ ...grant, expiresMs }),
        })
      }
      if (rule.certificate !== undefined) certificates.set(rule.certificate, grant)
      if (rule.token === undefined && rule.certificate === undefined)
        throw new TypeError(`access rule ${rule.name} has neither token nor certificate`)
    }
    this.#tokens = tokens
    this.#certificates = certificates
  }

  /** Nobody has to show anything: then only wires that stay on this machine are served. */
  get open(): boolean {
    return this.#tokens.length === 0 && this.#certificates.size === 0
  }

  /**
   * What whoever is at the other end of `wire` may do.
   *
   * @param nowMs wall clock, milliseconds since 1970
   * @throws {VarveError} PERMISSION_DENIED
   */
  grant(wire: ShownIdentity, token: Uint8Array, nowMs: number): Grant {
    return this.grantOf(wire, digestOf(token), nowMs)
  }

  /** As `grant`, by the SHA-256 of the token: who looks again need not keep the token. @throws likewise */
  grantOf(wire: ShownIdentity, digest: Uint8Array, nowMs: number): Grant {
    if (this.open) {
      if (wire.safety === 'local') return EVERYTHING
      throw denied('without tokens or certificates, only connections on this machine are served')
    }
    for (const name of wire.certified) {
      const certified = this.#certificates.get(name)
      if (certified === undefined) continue
      const granted = untilOf(certified, wire.certifiedUntilMs)
      checkExpiry(granted, nowMs)
      return granted
    }
    let found: Grant | undefined
    // All of them, whichever it is.
    for (const each of this.#tokens) if (timingSafeEqual(each.digest, digest)) found = each.grant
    if (found === undefined) throw denied(notKnown(!timingSafeEqual(digest, NO_TOKEN), untaken(wire)))
    checkExpiry(found, nowMs)
    return found
  }
}

/** @throws {VarveError} PERMISSION_DENIED — the token, or the certificate, has expired, by the wall clock */
export function checkExpiry({ name, expiresMs, certified = false }: Grant, nowMs: number): void {
  if (expiresMs !== undefined && nowMs >= expiresMs)
    throw denied(`the ${certified ? 'certificate' : 'token'} of ${name} has expired`)
}

/** Whether a session that was opened for one of them would do what the other may: when they end is looked at with every call. */
export function sameRights(one: Grant, other: Grant): boolean {
  return sameNames(one.roles, other.roles) && sameNames(one.shards, other.shards)
}

function sameNames(some: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  if (some === undefined || others === undefined) return some === others
  return some.every((name) => others.includes(name)) && others.every((name) => some.includes(name))
}

/** @throws {VarveError} PERMISSION_DENIED — the shard is not the peer's */
export function checkShard(grant: Grant, shard: string): void {
  if (grant.shards === undefined || grant.shards.includes(shard)) return
  throw denied(`${grant.name} has no access to shard ${shard}`)
}

/** @throws {VarveError} PERMISSION_DENIED — files of one shard begin with its name and a dot */
export function checkFileName(grant: Grant, name: string): void {
  if (grant.shards === undefined || grant.shards.some((shard) => name.startsWith(`${shard}.`))) return
  throw denied(`${grant.name} has no access to file ${name}`)
}

function notKnown(token: boolean, certificate: string | undefined): string {
  if (certificate === undefined)
    return token
      ? 'the token is not known here'
      : 'who comes here has to show a token, or a certificate that is known here'
  return token
    ? `the token is not known here, and the certificate that was shown is not taken: ${certificate}`
    : `the certificate that was shown is not taken here: ${certificate}`
}

/** What to do about a certificate of a client, by what OpenSSL says of it. */
const DISTRUST: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired; renew it, or set the server's clock",
  CERT_NOT_YET_VALID: "it is not valid yet; set the server's clock, or the one where it was made",
  INVALID_PURPOSE: 'it is not made for clients',
}

/** Why the certificate that was shown lets nobody in; undefined: none was shown. */
function untaken({ certified, distrust }: ShownIdentity): string | undefined {
  if (distrust !== undefined)
    return (
      DISTRUST[distrust] ?? `no authority that the server knows has signed it; give it the one that has (${distrust})`
    )
  // Theirs to choose, and an answer to a stranger is small.
  return certified.length > 0 ? `no rule names ${certified.join(', ').slice(0, NAMES_LENGTH_MAX)}` : undefined
}

export function denied(message: string): VarveError {
  return new VarveError('PERMISSION_DENIED', message)
}

/** A connection may outlive the certificate that it was made with. */
function untilOf(grant: Grant, expiresMs: number | undefined): Grant {
  return Object.freeze({ ...grant, certified: true, ...(expiresMs === undefined ? {} : { expiresMs }) })
}

const EVERYTHING: Grant = Object.freeze({ name: 'this machine', roles: ROLES, shards: undefined })

function grantOf({ name, roles = ROLES, shards }: AccessRule): Grant {
  for (const role of roles) if (!ROLES.includes(role)) throw new TypeError(`access rule ${name} has no role ${role}`)
  return Object.freeze({
    name,
    roles: Object.freeze([...roles]),
    shards: shards === undefined ? undefined : [...shards],
  })
}

// A date alone, or a time without a zone, would be another moment on another machine.
const ISO_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})$/

function expiryOf({ name, token, expires }: AccessRule): number | undefined {
  if (expires === undefined) return undefined
  if (token === undefined)
    throw new TypeError(`access rule ${name} has nothing that expires: certificates say so themselves`)
  const atMs = ISO_TIME.test(expires) ? Date.parse(expires) : NaN
  if (Number.isNaN(atMs)) throw new TypeError(`access rule ${name} expires at no time of ISO 8601 with a zone`)
  return atMs
}

/** SHA-256, of one length as `timingSafeEqual` demands. */
export function digestOf(token: Uint8Array): Uint8Array {
  return createHash('sha256').update(token).digest()
}

const NO_TOKEN = digestOf(new Uint8Array(0))
