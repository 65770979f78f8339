import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import { journalPosition, POSITION_ZERO, seqno } from '../kernel/ids.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { beginGroup } from './group-codec.ts'
import { rebuildTables } from './rebuild.ts'
import { TableStack } from './table-stack.ts'
import { Views } from './version.ts'

/** A memtable of seqnos. */
class Seqnos {
  readonly held: number[] = []
  released = false

  get count(): number {
    return this.held.length
  }

  get bytes(): number {
    return this.held.length
  }

  apply(_operation: unknown, at: Seqno): void {
    this.held.push(at)
  }

  freeze(): void {
    // It takes no more writes by itself.
  }

  release(): void {
    this.released = true
  }
}

function group(at: number): Uint8Array {
  const encoder = new Encoder()
  beginGroup(encoder, seqno(at))
  return encoder.varint(1).u8(0).finish()
}

/** Groups of one operation each: 1 is in files, 2 and 3 are in frozen tables, 4 in the active one, 5 is not in the journal. */
function fixture() {
  const bytes = group(1).length
  const at = (count: number): JournalPosition => journalPosition(bytes * count)
  const tables = new TableStack<never>(tableOf(2), at(1))
  tables.freeze(tableOf(3), at(2), seqno(2))
  tables.freeze(tableOf(4, 5), at(3), seqno(3))
  const views = new Views<never, undefined>(tables.list(), { files: [], shape: undefined })
  let wait: (() => void) | undefined
  const gate = new Promise<void>((resolve) => (wait = resolve))
  const journal = {
    async replay(from: JournalPosition, visit: (payload: Uint8Array, position: JournalPosition) => void) {
      await gate
      for (let each = 0; each < 4; each++) if (at(each) >= from) visit(group(each + 1), at(each))
      return at(4)
    },
  }
  const engine = {
    memtable: () => tableOf(),
    decode: (from: { u8(): number }) => from.u8(),
  }
  const manifest = { state: { seqnoLast: seqno(1), replayFrom: POSITION_ZERO } }
  return { parts: { engine, journal, manifest, tables, views } as never, tables, views, replay: () => wait?.() }
}

function tableOf(...held: readonly number[]): never {
  const table = new Seqnos()
  table.held.push(...held)
  return table as never
}

function seqnosOf(tables: readonly Seqnos[]): readonly number[] {
  return tables.flatMap(({ held }) => held).sort((a, b) => a - b)
}

test('a version that is committed while the memtables are made anew shows everything that was acknowledged', async () => {
  const { parts, tables, views, replay } = fixture()
  const rebuilding = rebuildTables(parts, seqno(4))
  await Promise.resolve()
  assert.deepEqual(seqnosOf(tables.list()), [2, 3, 4, 5])
  // As a flush of the oldest does.
  const [oldest] = [tables.oldestFrozen]
  assert.ok(oldest !== undefined)
  tables.shift(oldest)
  views.advance(tables.list(), views.current.version)
  assert.deepEqual(seqnosOf(views.current.tables), [3, 4, 5])
  replay()
  assert.equal(await rebuilding, 4)
  assert.deepEqual(seqnosOf(views.current.tables), [3, 4])
})

test('only tables with operations that are not in the journal are made anew, and released when no reader sees them', async () => {
  const { parts, tables, views, replay } = fixture()
  const reader = views.pin()
  replay()
  assert.equal(await rebuildTables(parts, seqno(2)), 4)
  assert.deepEqual(
    tables.list().map((table: Seqnos) => table.held),
    [[3, 4], [2]],
  )
  assert.equal(tables.frozenCount, 1)
  const dropped = (reader.tables as readonly Seqnos[]).filter((table) => !tables.list().includes(table as never))
  assert.deepEqual(seqnosOf(dropped), [3, 4, 5])
  assert.ok(dropped.every(({ released }) => !released))
  views.unpin(reader)
  assert.ok(dropped.every(({ released }) => released))
})
