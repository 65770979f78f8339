/** What connections bring: frames, greetings, messages, lists and results; the shared journal's records, the shard map. */

import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash, hashKey } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { fileName, seqno, shardId } from '../../src/kernel/ids.ts'
import { rangeMap } from '../../src/cluster/map-changes.ts'
import { decodeMap, encodeMap } from '../../src/cluster/map-codec.ts'
import type { FileInfo } from '../../src/fs/fs.ts'
import { decodeFileList, encodeFileList } from '../../src/fs/remote/file-list.ts'
import { decodeResult, encodeResult } from '../../src/jobs/wire/job-wire.ts'
import { decodeRecord, encodeRecord } from '../../src/journal/shared-record.ts'
import { FrameReader } from '../../src/rpc/frame-reader.ts'
import { FRAME_HEADER_BYTES, encodeHeader, frameSeed } from '../../src/rpc/frame.ts'
import type { Frame } from '../../src/rpc/frame.ts'
import {
  decodeHello,
  decodeRefusal,
  decodeWelcome,
  encodeHello,
  encodeRefusal,
  encodeWelcome,
} from '../../src/rpc/hello.ts'
import { MessageCodec } from '../../src/rpc/message.ts'
import { FRAME_BYTES_MAX } from '../../src/rpc/settings.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { codecTarget, specimenBytes } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'

export async function rpcTargets(): Promise<readonly FuzzTarget[]> {
  const hash = await loadHash()
  const random = new SeededRandom(10)
  return [
    codecTarget({
      name: 'record of the shared journal',
      specimens: [
        encodeRecord({ kind: 'open', shard: shardId('a-shard'), epoch: 3, position: 0, end: 0 }),
        encodeRecord({ kind: 'state', shard: shardId('a'), epoch: 3, position: 900, end: 4000 }),
        encodeRecord({
          kind: 'batch',
          shard: shardId('b'),
          epoch: 3,
          position: 900,
          end: 0,
          payload: specimenBytes(random, 60),
        }),
      ].map((bytes) => bytes.slice()),
      decode: (bytes) => decodeRecord(bytes, 0),
      encode: (record) => encodeRecord(record).slice(),
    }),
    codecTarget({
      name: 'greeting',
      specimens: [encodeHello(specimenBytes(random, 40))],
      decode: decodeHello,
      encode: encodeHello,
    }),
    codecTarget({
      name: 'welcome',
      specimens: [encodeWelcome({ inFlightBytesMax: 1 << 20, callsMax: 100 })],
      decode: decodeWelcome,
      encode: encodeWelcome,
    }),
    codecTarget({
      name: 'refusal',
      specimens: [encodeRefusal(new VarveError('BUSY', 'too many connections'))],
      decode: decodeRefusal,
    }),
    codecTarget({
      name: 'list of files',
      specimens: [encodeFileList([]), encodeFileList([fileInfo('a.e1-m1', 300), fileInfo('b-2.table', 1 << 20)])],
      decode: decodeFileList,
      encode: encodeFileList,
    }),
    codecTarget({ name: 'result of a job', specimens: [resultSpecimen()], decode: decodeResult, encode: encodeResult }),
    codecTarget({
      name: 'shard map',
      specimens: [encodeMap(rangeMap([{ shard: shardId('a') }, { shard: shardId('b'), start: Uint8Array.of(7) }]))],
      decode: (bytes) => decodeMap(bytes, 'a shard map'),
      encode: encodeMap,
    }),
    messageTarget(),
    framesTarget(hash),
  ]
}

function fileInfo(name: string, bytes: number): FileInfo {
  return { name: fileName(name), bytes }
}

function resultSpecimen(): Uint8Array {
  const ref = { name: fileName('main.e1-j1-a1-0.sst'), bytes: 300, checksum: '00ff00ff00ff00ff' }
  const [format, meta] = [{ name: 'row', version: 1 }, Uint8Array.of(1, 2)]
  const output = { ref, format, group: 1, seqnoFirst: seqno(3), seqnoLast: seqno(9), meta }
  return encodeResult({ outputs: [output, output], statistics: { read: 7 } })
}

function messageTarget(): FuzzTarget {
  const codec = new MessageCodec()
  const values = [
    {
      method: 'append',
      shard: 'main',
      epoch: 7,
      list: [1, -2, 3.5, null, true, 'text', undefined],
      deep: { a: { b: [] } },
    },
    { bytes: Buffer.alloc(40, 3), large: 2 ** 40, names: Array.from({ length: 20 }, (_, index) => `file-${index}`) },
  ]
  return {
    name: 'message',
    specimens: values.map((value) => [codec.encode(value)]),
    join: (pieces) => pieces,
    parse([bytes = new Uint8Array(0)]) {
      const decoded = codec.decode(bytes)
      if (decoded !== undefined) codec.encode(decoded.value)
    },
    // Objects of many small values: "some tens of times as large as the message" is what the codec promises.
    heapBytes: 4 * 1024 * 1024,
  }
}

function framesTarget(hash: Hash): FuzzTarget {
  const random = new SeededRandom(11)
  const frames = ([40, 300, 0, 7] as const).map((bytes, call): Frame => ({
    kind: 'request',
    call,
    more: call % 2 === 1,
    control: specimenBytes(random, 10),
    body: specimenBytes(random, bytes),
  }))
  const parts = frames.flatMap((frame, sequence) => [
    encodeHeader(frame, frameSeed('toServer', sequence), hash),
    frame.control,
    frame.body,
  ])
  return {
    name: 'frames',
    specimens: [[new Uint8Array(Buffer.concat(parts))]],
    join: ([bytes = new Uint8Array(0)], sealed) => [sealed ? resealed(bytes, hash) : bytes],
    parse([bytes = new Uint8Array(0)]) {
      let found = 0
      const limits = { frameBytesMax: FRAME_BYTES_MAX, totalBytesMax: Number.MAX_SAFE_INTEGER }
      const reader = new FrameReader('toServer', hash, limits, ({ control, body }) => {
        found += control.length + body.length
      })
      for (let at = 0; at < bytes.length; at += 50) {
        if (reader.push(bytes.subarray(at, at + 50)) !== undefined) break
      }
      if (found > bytes.length) throw new Error('more was found than had come')
    },
  }
}

/** Headers and payloads with right checks, as far as each header leads to the next. */
function resealed(bytes: Uint8Array, hash: Hash): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  for (let at = 0, sequence = 0; at + FRAME_HEADER_BYTES <= copy.length; sequence++) {
    const seed = frameSeed('toServer', sequence)
    const controlAt = at + FRAME_HEADER_BYTES
    const bodyAt = controlAt + view.getUint32(at + 8, true)
    const end = bodyAt + view.getUint32(at + 12, true)
    if (end <= copy.length) {
      const [control, body] = [copy.subarray(controlAt, bodyAt), copy.subarray(bodyAt, end)]
      const check = control.length === 0 ? seed : hash.hash32(control, seed)
      view.setUint32(at + 20, body.length === 0 ? check : hash.hash32(body, check), true)
    }
    view.setUint32(at, hashKey(copy, at + 4, controlAt, seed), true)
    at = end
  }
  return copy
}
