/** Requests over real sockets: what is said of those without an answer, time limits, the server's clock. */

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { concatBytes, equalBytes } from '../../src/kernel/bytes.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { NodeHttpTransport } from '../../src/fs/s3/node-http-transport.ts'
import type { HttpRequest, HttpResponse } from '../../src/fs/s3/http.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { putFile, randomBytes } from '../../src/testing/file-model.ts'
import type { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { errorAnswer } from './s3-double-answers.ts'
import { S3Double } from './s3-double.ts'
import { HastyClock, clientOf, openS3Files } from './s3-place.ts'

const NAME = fileName('a')

/** What to do with a request instead of answering it. */
type Trouble = 'cut-before' | 'cut-after' | 'half-answer' | 'silence' | undefined

class Listening {
  readonly endpoint: string
  readonly double = new S3Double()
  trouble: (request: IncomingMessage) => Trouble = () => undefined
  /** Answers in the place of the double. */
  answer: ((request: IncomingMessage) => HttpResponse | undefined) | undefined
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response))
  }

  static async start(): Promise<Listening> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Listening(server)
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const part of request) parts.push(part as Uint8Array)
    const trouble = this.trouble(request)
    if (trouble === 'silence') return
    if (trouble === 'cut-before') {
      request.socket.destroy()
      return
    }
    const url = new URL(request.url ?? '', this.endpoint)
    const key = decodeURIComponent(url.pathname).slice(`/${this.double.bucket}/`.length)
    const call = { method: request.method ?? '', path: url.pathname, query: url.searchParams, key }
    const headers = request.headers as Record<string, string>
    const given = { method: request.method, headers, body: concatBytes(parts) } as HttpRequest
    const { status, headers: answered, body } = this.answer?.(request) ?? (await this.double.handle(given, call))
    if (trouble === 'cut-after') request.socket.destroy()
    response.writeHead(status, answered as Record<string, string>)
    if (trouble === 'half-answer') {
      response.write(body.subarray(0, body.length / 2))
      setImmediate(() => request.socket.destroy())
    } else response.end(body)
  }
}

async function withServer(body: (server: Listening) => Promise<void>): Promise<void> {
  const server = await Listening.start()
  try {
    await body(server)
  } finally {
    server.stop()
  }
}

function clientAt(server: Listening, clock: SimulatedClock = new HastyClock()): ReturnType<typeof clientOf> {
  const { endpoint, double } = server
  return clientOf(double, 1, { endpoint, clock, transport: new NodeHttpTransport({ connectionsMax: 4 }) })
}

test('files go over sockets and come back, also where connections are cut at any point', () =>
  withServer(async (server) => {
    const client = clientAt(server)
    const files = await openS3Files(client)
    const content = randomBytes(1, 2 * MIB)
    const faults: Trouble[] = ['cut-before', 'cut-after']
    server.trouble = ({ method }) => (method === 'PUT' ? faults.shift() : undefined)
    const ref = await putFile(files, NAME, content)
    assert.ok(equalBytes(server.double.object('files/a') ?? new Uint8Array(0), content))
    const halves: Trouble[] = ['half-answer', 'cut-before', 'half-answer']
    server.trouble = ({ method }) => (method === 'GET' ? halves.shift() : undefined)
    const reader = await files.open(ref)
    assert.ok(equalBytes(await reader.read(100, 1 * MIB), content.subarray(100, 100 + MIB)))
    assert.deepEqual([faults, halves], [[], []], 'all of that has happened')
    await reader.close()
    await client.close()
    await failsWith(() => files.list(), 'CLOSED', 'after the client was closed')
  }))

test('a request that takes too long is given up, and made again', () =>
  withServer(async (server) => {
    const clock = new HastyClock()
    const client = clientAt(server, clock)
    const files = await openS3Files(client)
    let silences = 1
    server.trouble = () => {
      if (silences-- <= 0) return undefined
      setImmediate(() => clock.advance(client.settings.attemptMs))
      return 'silence'
    }
    assert.deepEqual(await files.list(), [])
    assert.ok(silences < 0, 'it was made again')
    assert.equal(client.usage.retries, 1)
    await client.close()
  }))

// It took a minute for each of eight attempts, and as long for each look at what had become of one.
test('a store that is silent is noticed by that, also on a connection that was used before, and no call takes long', () =>
  withServer(async (server) => {
    const clock = new HastyClock()
    const { endpoint, double } = server
    const silentMs = 50
    const transport = new NodeHttpTransport({ connectionsMax: 4, silentMs })
    const client = clientOf(double, 1, { endpoint, clock, transport })
    const files = await openS3Files(client)
    const asked = client.usage.retries
    let silences = 1
    server.trouble = () => (silences-- > 0 ? 'silence' : undefined)
    assert.deepEqual(await files.list(), [])
    assert.equal(
      client.usage.retries,
      asked + 1,
      'the connection that was silent was given up, and the request made again',
    )
    for (const call of [() => files.list(), () => putFile(files, NAME, randomBytes(1, 100))]) {
      let attempts = 0
      server.trouble = () => {
        attempts++
        clock.advance(20_000)
        return 'silence'
      }
      await assert.rejects(call(), (error) => isCode(error, 'IO_FAILED', 'OUTCOME_UNKNOWN'))
      assert.equal(attempts, 3, 'of 20 s each, with those that look what has become of it')
    }
    server.trouble = () => undefined
    assert.deepEqual(await files.list(), [])
    await client.close()
  }))

test('a signal ends what it belongs to, and nothing else', () =>
  withServer(async (server) => {
    const client = clientAt(server)
    const files = await openS3Files(client)
    const abort = new AbortController()
    let first = true
    server.trouble = () => {
      if (!first) return undefined
      first = false
      setImmediate(() => abort.abort())
      return 'silence'
    }
    await failsWith(() => files.list('', { signal: abort.signal }), 'ABORTED', 'a list nobody waits for any more')
    assert.deepEqual(await files.list(), [])
    await client.close()
  }))

test('what was never sent is told from what may have happened', async () => {
  const transport = new NodeHttpTransport({ connectionsMax: 1 })
  const request = { method: 'GET', headers: {}, body: new Uint8Array(0), signal: new AbortController().signal } as const
  await withServer(async (server) => {
    server.trouble = () => 'cut-before'
    const url = `${server.endpoint}/varve`
    const cut = await failsWith(() => transport.send({ ...request, url, answerBytesMax: 100 }), 'IO_FAILED', 'cut off')
    assert.equal(cut.details['unsent'], false)
    server.trouble = () => undefined
    server.answer = () => ({ status: 200, headers: {}, body: new Uint8Array(101) })
    const long = await failsWith(
      () => transport.send({ ...request, url, answerBytesMax: 100 }),
      'IO_FAILED',
      'too long',
    )
    assert.equal(long.details['unsent'], false)
    server.stop()
    const refused = await failsWith(() => transport.send({ ...request, url, answerBytesMax: 100 }), 'IO_FAILED', 'gone')
    assert.equal(refused.details['unsent'], true)
  })
  await transport.close()
})

test('where the clocks differ too much, the server’s is gone by', () =>
  withServer(async (server) => {
    const client = clientAt(server)
    const theirs = client.clock.now() + 3_600_000
    let refused = 0
    server.answer = ({ headers }) => {
      const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z$/.exec(String(headers['x-amz-date'])) ?? []
      const sent = Date.parse(`${date.replace(/(\d{4})(\d\d)/, '$1-$2-')}T${time.replace(/(\d\d)(\d\d)/, '$1:$2:')}Z`)
      if (Math.abs(sent - theirs) < 900_000) return undefined
      refused++
      return { ...errorAnswer(403, 'RequestTimeTooSkewed'), headers: { date: new Date(theirs).toUTCString() } }
    }
    await openS3Files(client)
    assert.ok(refused >= 1 && refused <= 2, `${refused} requests were refused, those that were under way at first`)
    await client.close()
  }))
