/** What is told of NATS servers that do not start: their files are gone by then. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NatsServers } from '../../tools/servers/nats-servers.ts'
import { skipWithoutNats } from './nats-place.ts'

test('NATS servers that do not start say why, in the last lines of their log', skipWithoutNats, async () => {
  const beyondAllServers = 2 ** 40
  await assert.rejects(NatsServers.start(1, beyondAllServers), /n0 has ended by itself: log of n0:\n.*max_payload/s)
})
