/** Journals and heads on a real JetStream server, as Debian has it. */

import { after, before, describe, test } from 'node:test'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import type { JetStream } from '../../src/nats/jet-stream.ts'
import { testHeadStore } from '../../src/testing/head-store-conformance.ts'
import { testJournal } from '../../src/testing/journal-conformance.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()

describe('one server', skipWithoutNats, () => {
  let place: NatsPlace
  let streams: JetStream
  let prefixes = 0

  before(async () => {
    place = await NatsPlace.start(1)
    streams = await place.streams()
  })
  after(() => place.stop())

  testJournal({
    test,
    name: 'a journal on JetStream',
    open: () => {
      const prefix = `p${++prefixes}`
      return Promise.resolve({
        system: () => new NatsJournalSystem({ streams, hash, clock, random, settings: { prefix } }),
      })
    },
  })

  testHeadStore({
    test,
    name: 'heads on JetStream',
    open: () => {
      const settings = { prefix: `p${++prefixes}` }
      return Promise.resolve({
        open: async () => new NatsHeadStore({ streams: await place.streams(), hash, clock, random, settings }),
      })
    },
    skip: [{ test: 'what was set survives a power cut', reason: 'the server acknowledges before it syncs' }],
  })
})
