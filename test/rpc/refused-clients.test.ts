/**
 * Who is not let in is told at once which of what it showed was not taken, why, and what to do: it was told to show a token,
 * or a certificate that is known, whatever it had shown.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { Access } from '../../src/rpc/access.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { dialSocket, listenSocket } from '../../src/rpc/socket-transport.ts'
import type { TlsIdentity } from '../../src/rpc/socket-transport.ts'
import { AUTHORITY, CLIENT, SERVER, STRANGER } from './certificates.ts'
import { EchoService } from './echo-service.ts'
import {
  AUTHORITY_OF_ENDS,
  EXPIRED,
  FOR_SERVERS,
  KEY_OF_ENDS,
  NOT_YET_VALID,
  OF_ANOTHER,
} from './ended-certificates.ts'

const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
const signed = (certificate: string): TlsIdentity => ({ certificate, key: KEY_OF_ENDS })
const KNOWN_TOKEN = 'a token that is known here'

interface Shown {
  readonly identity?: TlsIdentity
  readonly token?: string
}

const REFUSED: Readonly<Record<string, readonly [Shown, RegExp]>> = {
  nothing: [{}, /^who comes here has to show a token, or a certificate that is known here$/],
  'an unknown token': [{ token: 'a token that is not known' }, /^the token is not known here$/],
  'an expired certificate': [
    { identity: signed(EXPIRED) },
    /^the certificate that was shown is not taken here: it has expired; renew it, or set the server's clock$/,
  ],
  'a certificate that is not valid yet': [
    { identity: signed(NOT_YET_VALID) },
    /^the certificate that was shown is not taken here: it is not valid yet; set the server's clock, or the one where it was made$/,
  ],
  'a certificate of itself': [
    { identity: STRANGER },
    /^the certificate that was shown is not taken here: no authority that the server knows has signed it; give it the one that has \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
  ],
  'a certificate for servers': [
    { identity: signed(FOR_SERVERS) },
    /^the certificate that was shown is not taken here: it is not made for clients$/,
  ],
  'a certificate under another name': [
    { identity: signed(OF_ANOTHER) },
    /^the certificate that was shown is not taken here: no rule names another$/,
  ],
  'an unknown token, and an expired certificate': [
    { token: 'a token that is not known', identity: signed(EXPIRED) },
    /^the token is not known here, and the certificate that was shown is not taken: it has expired; renew it, /,
  ],
}

for (const [name, [shown, message]] of Object.entries(REFUSED)) {
  test(`who shows ${name} is told so at once`, () =>
    withServer(async (address) => {
      await assert.rejects(callWith(address, shown), { code: 'PERMISSION_DENIED', message })
    }))
}

test('a certificate that is not taken is in nobody’s way who shows a token, too', () =>
  withServer(async (address) => {
    await callWith(address, { token: KNOWN_TOKEN, identity: signed(EXPIRED) })
    await callWith(address, { identity: CLIENT })
  }))

async function withServer(work: (address: string) => Promise<void>): Promise<void> {
  const access = new Access([
    { name: 'by certificate', certificate: 'client' },
    { name: 'by token', token: KNOWN_TOKEN },
  ])
  const server = new RpcServer({ services: [new EchoService()], clock, hash, access })
  const authorities = AUTHORITY + AUTHORITY_OF_ENDS
  const listening = await listenSocket('tls://localhost:0', server, { identity: SERVER, authorities })
  try {
    await work(listening.address)
  } finally {
    await listening.close()
    await server.close()
  }
}

async function callWith(address: string, { identity, token }: Shown): Promise<void> {
  const dial = dialSocket(address, { authorities: AUTHORITY, ...(identity === undefined ? {} : { identity }) })
  const client = new RpcClient({ dial, clock, hash, random, ...(token === undefined ? {} : { token }) })
  try {
    await client.call({ service: 'echo', method: 'echo', parameters: [] })
  } finally {
    await client.close()
  }
}
