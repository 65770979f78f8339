/**
 * A connection that listens, for everybody in this process, while anybody does.
 *
 * A notification is a hint: whoever gets one looks what there is. After a connection was lost everybody is told to look,
 * because something may have been missed.
 */

import type { Clock } from '../kernel/clock.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { quoted } from './sql-tables.ts'

type Connect = (onNotification: (channel: string) => void, onEnd: () => void) => Promise<PostgresConnection>

const AGAIN_MS = 250

export class NotificationListener {
  readonly #clock: Clock
  readonly #connect: Connect
  readonly #channels = new Map<string, Set<() => void>>()
  #connection: Promise<PostgresConnection | undefined> | undefined
  /** One statement after the other. */
  #announced: Promise<void> = Promise.resolve()
  /** Counts connections: the last one is in use. */
  #attempt = 0
  #closed = false

  constructor(clock: Clock, connect: Connect) {
    this.#clock = clock
    this.#connect = connect
  }

  listen(channel: string, notified: () => void): () => void {
    const listeners = this.#channels.get(channel) ?? new Set()
    const isNew = listeners.size === 0
    listeners.add(notified)
    this.#channels.set(channel, listeners)
    if (this.#connection === undefined) this.#begin()
    else if (isNew) this.#announce(this.#connection, channel)
    return () => {
      listeners.delete(notified)
      if (listeners.size > 0) return
      this.#channels.delete(channel)
      if (this.#channels.size === 0) void this.#end()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#channels.clear()
    await this.#end()
  }

  #begin(): void {
    const attempt = ++this.#attempt
    const opened = this.#open(attempt).catch(() => undefined)
    this.#connection = opened
    void opened.then((connection) => {
      if (connection === undefined) this.#clock.after(AGAIN_MS, () => this.#lost(attempt))
      else if (!connection.alive) this.#lost(attempt)
    })
  }

  async #open(attempt: number): Promise<PostgresConnection> {
    const connection = await this.#connect(
      (channel) => this.#tell(channel),
      () => this.#lost(attempt),
    )
    for (const channel of this.#channels.keys()) this.#announce(Promise.resolve(connection), channel)
    return connection
  }

  #announce(opened: Promise<PostgresConnection | undefined>, channel: string): void {
    this.#announced = this.#announced.then(async () => {
      // Where it has ended, another one is on its way.
      await (await opened)?.script(`LISTEN ${quoted(channel)}`).catch(() => undefined)
      this.#tell(channel)
    })
  }

  #tell(channel: string): void {
    for (const notified of this.#channels.get(channel) ?? []) notified()
  }

  #lost(attempt: number): void {
    if (this.#attempt !== attempt || this.#connection === undefined) return
    this.#connection = undefined
    if (!this.#closed && this.#channels.size > 0) this.#begin()
  }

  async #end(): Promise<void> {
    const opened = this.#connection
    this.#connection = undefined
    await (await opened)?.close()
  }
}
