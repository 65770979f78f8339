/** Text and plain data from outside: what `varve import` reads, and errors of other threads. */

import { isUtf8 } from 'node:buffer'
import { CsvReader } from '../../src/cli/transfer/csv-reader.ts'
import { RecordFault } from '../../src/cli/transfer/input-error.ts'
import { JsonlReader } from '../../src/cli/transfer/jsonl-reader.ts'
import { parseTemplate } from '../../src/cli/transfer/key-template.ts'
import type { RecordReader } from '../../src/cli/transfer/record-reader.ts'
import { UsageError } from '../../src/cli/usage-error.ts'
import { decodeError, encodeError } from '../../src/kernel/error-wire.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const names = { file: 'name', path: 'dir/name' }
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

export function wireTargets(): readonly FuzzTarget[] {
  const none = parseTemplate('', 'key-prefix')
  const csv = { key: undefined, keyPrefix: none, delimiter: ',', header: true, valueColumn: undefined, names }
  return [
    importTarget('JSON lines', () => new JsonlReader({ key: undefined, keyPrefix: none, names }), [
      '{"key":"a","value":"b"}\n{"key64":"AAE=","value64":"/w=="}\n\n{"key":"\\u00e9","value":""}\n',
    ]),
    importTarget(
      'JSON lines with a template',
      () => new JsonlReader({ key: parseTemplate('{a}/{b}', 'key'), keyPrefix: none, names }),
      ['{"a":"x","b":7,"c":[1,{"d":null}]}\n{"b":"y","a":"\\ud83d\\ude00"}\n'],
    ),
    importTarget('CSV', () => new CsvReader(csv), [
      'key,value\na,b\n"quoted, ""so""","two\nlines"\nlast,\n',
      'key64,value64\nAAE=,/w==\n',
    ]),
    errorTarget(),
  ]
}

function importTarget(name: string, make: () => RecordReader, texts: readonly string[]): FuzzTarget {
  return {
    name,
    specimens: texts.map((text) => [bytesOf(text)]),
    join: (pieces) => pieces,
    parse([bytes = new Uint8Array(0)]) {
      // Anything else is refused before a reader sees it.
      if (!isUtf8(bytes)) return
      const reader = make()
      const text = Buffer.from(bytes).toString()
      const half = text.lastIndexOf('\n', text.length / 2) + 1
      for (const part of [text.slice(0, half), text.slice(half)]) reader.read(part, () => undefined)
      reader.end(() => undefined)
    },
    isAnswer: (error) => error instanceof RecordFault || error instanceof UsageError,
    // Rows and their fields as objects: many empty ones in few bytes.
    heapBytes: 4 * 1024 * 1024,
  }
}

/** `decodeError` promises an error of whatever there is. */
function errorTarget(): FuzzTarget {
  const cause = new VarveError('IO_FAILED', 'inner', { details: { path: 'p', list: [1, 2, 'x'] } })
  const error = new VarveError('JOB_FAILED', 'outer', { details: { job: 'j', attempt: 2 }, cause })
  return {
    name: 'error of another thread',
    specimens: [[bytesOf(JSON.stringify(encodeError(error)))]],
    join: (pieces) => pieces,
    parse([bytes = new Uint8Array(0)]) {
      let wire: unknown
      try {
        wire = JSON.parse(Buffer.from(bytes).toString())
      } catch {
        return
      }
      if (!(decodeError(wire) instanceof Error)) throw new Error('an error is not one')
      decodeError(encodeError(decodeError(wire)))
    },
    heapBytes: 1024 * 1024,
  }
}
