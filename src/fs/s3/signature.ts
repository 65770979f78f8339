/**
 * Signatures of requests: AWS Signature Version 4, which S3 and everything compatible with it asks for.
 *
 * The request is brought into a canonical form; its digest, the time and what the signature is good for are the string
 * that is signed, with a key derived from the secret for one day, one region and one service.
 *
 * Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference, whose examples are tests.
 */

import { createHash, createHmac } from 'node:crypto'

/** What requests are signed with. */
export interface S3Credentials {
  /** Shown with every request, in the clear. */
  readonly accessKeyId: string
  /** Never sent: signs. */
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

export interface SignedRequest {
  readonly method: string
  readonly host: string
  /** Encoded by `encodePath`, from the first slash on. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Names in lower case. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, in hexadecimal. */
  readonly bodyDigest: string
}

export interface SigningScope {
  readonly credentials: S3Credentials
  readonly region: string
  /** Milliseconds since 1970. Servers accept what is within 15 minutes of their own clock. */
  readonly time: number
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The headers to send: those given, and those that make the request authentic. */
export function signedHeaders(
  { method, host, path, query, headers, bodyDigest }: SignedRequest,
  { credentials, region, time }: SigningScope,
): Record<string, string> {
  const stamp = new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`
  const sent: Record<string, string> = { ...headers, 'x-amz-content-sha256': bodyDigest, 'x-amz-date': stamp }
  if (credentials.sessionToken !== undefined) sent['x-amz-security-token'] = credentials.sessionToken

  const signed = Object.entries({ ...sent, host }).sort(byName)
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    method,
    path,
    encodeQuery(query),
    ...signed.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    bodyDigest,
  ].join('\n')

  const digest = createHash('sha256').update(canonical).digest('hex')
  const signature = hmac(signingKey(credentials.secretAccessKey, scope), [ALGORITHM, stamp, scope, digest].join('\n'))
  const authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature.toString('hex')}`
  return { ...sent, authorization }
}

/** Percent-encodes everything that RFC 3986 does not call unreserved, except slashes. */
export function encodePath(path: string): string {
  return path.split('/').map(encodePart).join('/')
}

/** Sorted by name, as the signature has it. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]): [string, string] => [encodePart(name), encodePart(value)])
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function encodePart(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** HMACs, each the key of the next: the day, the region, the service, and a constant. */
function signingKey(secret: string, scope: string): Uint8Array {
  let key: Uint8Array = new TextEncoder().encode(`AWS4${secret}`)
  for (const part of scope.split('/')) key = hmac(key, part)
  return key
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}
