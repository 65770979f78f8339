/** Connections to NATS servers that a test has started, and streams over them. */

import { connect, headers } from '@nats-io/transport-node'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import { JetStream } from '../../src/nats/jet-stream.ts'
import type { NatsSettings } from '../../src/nats/settings.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { NatsServers, whyNoNats } from '../../tools/servers/nats-servers.ts'

export const clock = new SystemClock()
export const random = new SystemRandom()

/** A reason to skip every test that needs servers; tests of Debian's package run where it can be had. */
export const noNats = whyNoNats()
export const skipWithoutNats = noNats === undefined ? {} : { skip: noNats }

export class NatsPlace {
  readonly servers: NatsServers
  readonly #connections: NatsConnection[] = []

  private constructor(servers: NatsServers) {
    this.servers = servers
  }

  static async start(count: 1 | 3, maxPayload?: number): Promise<NatsPlace> {
    return new NatsPlace(await NatsServers.start(count, maxPayload))
  }

  /** Over a connection of its own. */
  async streams(
    settings: Partial<NatsSettings> = {},
    options: Partial<NodeConnectionOptions> = {},
  ): Promise<JetStream> {
    const connection = await connect({
      servers: [...this.servers.addresses],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ...options,
    })
    this.#connections.push(connection)
    return new JetStream({ connection, headers, clock, random, settings })
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) await connection.close()
    await this.servers.stop()
  }
}
