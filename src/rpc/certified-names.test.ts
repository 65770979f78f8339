import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certifiedNames } from './certified-names.ts'

test('DNS names and URIs of a certificate count before its common name, other kinds not at all', () => {
  const list = 'DNS:a.example, IP Address:10.0.0.1, URI:spiffe://example/ns/a, email:x@example, DNS:b.example'
  assert.deepEqual(certifiedNames(list, 'common'), ['a.example', 'spiffe://example/ns/a', 'b.example', 'common'])
  assert.deepEqual(certifiedNames('DNS:a.example', 'a.example'), ['a.example'])
  assert.deepEqual(certifiedNames(undefined, 'common'), ['common'])
  assert.deepEqual(certifiedNames(undefined, ['one', 'two']), ['one', 'two'])
  assert.deepEqual(certifiedNames(undefined, undefined), [])
})

test('a name with a comma in it is one name, and a list that cannot be read has none', () => {
  // CVE-2021-44532: the URI of one client that reads like the name of another.
  assert.deepEqual(certifiedNames('URI:"http://a/, DNS:operator"', 'c'), ['http://a/, DNS:operator', 'c'])
  assert.deepEqual(certifiedNames('DNS:"a\\"b", DNS:c', undefined), ['a"b', 'c'])
  for (const list of ['DNS:"a', 'a', 'DNS:a,DNS:operator', 'DNS:a"b', ', DNS:a'])
    assert.deepEqual(certifiedNames(list, 'operator'), [], list)
})
