/** The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header". */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { encodePath, encodeQuery, signedHeaders } from './signature.ts'

const CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const HOST = 'examplebucket.s3.amazonaws.com'
const TIME = Date.UTC(2013, 4, 24)
const EMPTY = createHash('sha256').digest('hex')

const EXAMPLES = [
  {
    name: 'a range of an object',
    request: { method: 'GET', path: '/test.txt', query: {}, headers: { range: 'bytes=0-9' }, bodyDigest: EMPTY },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'an object with headers of its own',
    request: {
      method: 'PUT',
      path: encodePath('/test$file.text'),
      query: {},
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      bodyDigest: createHash('sha256').update('Welcome to Amazon S3.').digest('hex'),
    },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'a parameter without a value',
    request: { method: 'GET', path: '/', query: { lifecycle: '' }, headers: {}, bodyDigest: EMPTY },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'a list',
    request: { method: 'GET', path: '/', query: { prefix: 'J', 'max-keys': '2' }, headers: {}, bodyDigest: EMPTY },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
]

for (const { name, request, signature } of EXAMPLES) {
  test(`the signature of ${name} is the documented one`, () => {
    const { authorization = '' } = signedHeaders(
      { host: HOST, ...request },
      {
        credentials: CREDENTIALS,
        region: 'us-east-1',
        time: TIME,
      },
    )
    assert.equal(/Signature=(\w+)$/.exec(authorization)?.[1], signature)
  })
}

test('a session token is sent and signed', () => {
  const headers = signedHeaders(
    { host: HOST, method: 'GET', path: '/', query: {}, headers: {}, bodyDigest: EMPTY },
    { credentials: { ...CREDENTIALS, sessionToken: 'token' }, region: 'us-east-1', time: TIME },
  )
  assert.equal(headers['x-amz-security-token'], 'token')
  assert.match(headers['authorization'] ?? '', /SignedHeaders=[^,]*x-amz-security-token/)
})

test('what is not unreserved is encoded, in paths except for slashes', () => {
  assert.equal(encodePath("/a b/c'(!)*~é"), '/a%20b/c%27%28%21%29%2A~%C3%A9')
  assert.equal(encodeQuery({ b: '2~x/y', a: '=&' }), 'a=%3D%26&b=2~x%2Fy')
})
