import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamSettings } from './nats.ts'
import { checkConfiguration } from './stream-configuration.ts'

const LOG: StreamSettings = { name: 's', subjects: ['p.s'], retention: 'limits', replicas: 3 }
/** As 2.9.10 says it. */
const FOUND = {
  retention: 'limits',
  storage: 'file',
  discard: 'new',
  num_replicas: 3,
  max_age: 0,
  max_msgs: -1,
  max_bytes: -1,
  max_msgs_per_subject: -1,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
}

test('a stream that keeps everything, and lets go of what it is told to, is taken', () => {
  checkConfiguration(LOG, FOUND, '2.10.0')
  checkConfiguration(LOG, { ...FOUND, num_replicas: 5, max_bytes: 1_000_000 }, '2.9.10')
  // What older servers do not say is not set.
  const { sealed: _sealed, deny_delete: _deny, deny_purge: _purge, max_msgs_per_subject: _max, ...older } = FOUND
  checkConfiguration(LOG, older, '2.9.0')
  checkConfiguration(LOG, { ...FOUND, deny_delete: true }, '2.10.0')
  const one = { ...FOUND, num_replicas: 1, deny_delete: true }
  checkConfiguration({ ...LOG, replicas: 1 }, one, '2.9.10')
})

// Opened, it grew for ever: each purge was refused, and tried again for 25 seconds after every flush.
test('a stream that denies what is needed, or drops messages, is INCOMPATIBLE by the name of the setting', () => {
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ deny_purge: true }, '2.10.0', /s has deny_purge true, not false; that is for good: take another name or prefix/],
    [{ deny_delete: true }, '2.9.10', /s has deny_delete true, not false; that is for good/],
    [{ sealed: true }, '2.10.0', /s has sealed true/],
    [{ no_ack: true }, '2.10.0', /s has no_ack true, not false$/],
    [{ max_msgs_per_subject: 1 }, '2.10.0', /s has max_msgs_per_subject 1, not -1$/],
    [{ max_age: 5 }, '2.10.0', /s has max_age 5, not 0$/],
    [{ num_replicas: 1 }, '2.10.0', /s has num_replicas 1, not 3$/],
  ]
  for (const [change, version, message] of cases)
    assert.throws(() => checkConfiguration(LOG, { ...FOUND, ...change }, version), { code: 'INCOMPATIBLE', message })
  const queue: StreamSettings = { ...LOG, retention: 'workqueue', replicas: 1 }
  const found = { ...FOUND, retention: 'workqueue', num_replicas: 1 }
  checkConfiguration(queue, found, '2.10.0')
  assert.throws(() => checkConfiguration(queue, { ...found, deny_delete: true }, '2.10.0'), { code: 'INCOMPATIBLE' })
})
