import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { test } from 'node:test'
import { NodeProcessTable } from './node-process-table.ts'
import type { ProcessIdentity } from './process-table.ts'

const table = new NodeProcessTable()
const hasProc = fs.existsSync('/proc/self/stat')
const needsProc = { skip: hasProc ? false : 'there is no /proc here' }
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

/** The identity of another process, as it would state it itself. */
function identityOf(pid: number): ProcessIdentity {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
  return { ...table.self(), pid, startedAt: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '' }
}

test('this process is alive, and says the same of itself every time', () => {
  const self = table.self()
  assert.equal(self.pid, process.pid)
  assert.deepEqual(table.self(), self)
  assert.deepEqual(new NodeProcessTable().self(), self)
  assert.ok(table.isAlive(self))
  if (hasProc) assert.ok(self.bootId.length >= 32 && /^[0-9]+$/.test(self.startedAt), JSON.stringify(self))
})

test('a number that is used again is another process, and so is one of another boot', needsProc, () => {
  const self = table.self()
  assert.ok(!table.isAlive({ ...self, startedAt: '1' }), 'another start')
  assert.ok(!table.isAlive({ ...self, bootId: '00000000-0000-0000-0000-000000000000' }), 'another boot')
})

test('what cannot be told counts as alive, as long as there is a process of that number', () => {
  const self = table.self()
  assert.ok(table.isAlive({ ...self, startedAt: '' }), 'no start time')
  assert.ok(table.isAlive({ ...self, bootId: '' }), 'no boot id')
  assert.ok(!table.isAlive({ bootId: '', startedAt: '', pid: 0x7fff_fff0 }), 'but not without one')
  assert.ok(!table.isAlive({ bootId: '', startedAt: '', pid: 0 }), 'nor is there ever a process 0')
})

test('a killed process is dead, as soon as its end is known', needsProc, async (context) => {
  const child = spawn('sleep', ['60'])
  context.after(() => child.kill('SIGKILL'))
  assert.ok(child.pid !== undefined)
  const identity = identityOf(child.pid)
  assert.ok(table.isAlive(identity))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(!table.isAlive(identity))
})

test('a process with spaces and parentheses in its name is alive', needsProc, async (context) => {
  const child = spawn('bash', ['-c', 'printf ") Z 1 (" > /proc/self/comm; echo ready; read -r line'])
  context.after(() => child.kill('SIGKILL'))
  assert.ok(child.pid !== undefined)
  await once(child.stdout, 'data')
  assert.match(fs.readFileSync(`/proc/${child.pid}/stat`, 'latin1'), /\(\) Z 1 \(\)/)
  const identity = identityOf(child.pid)
  assert.ok(table.isAlive(identity))
  child.stdin.end('\n')
  await once(child, 'exit')
  assert.ok(!table.isAlive(identity))
})

test('a zombie is dead', needsProc, async (context) => {
  // The shell becomes a program that does not ask after its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
  context.after(() => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const identity = identityOf(Number(line.toString()))
  assert.ok(table.isAlive(identity), 'alive at first')
  // As long as it is a shell it may ask.
  while (fs.readFileSync(`/proc/${parent.pid ?? 0}/comm`, 'latin1') !== 'sleep\n') await turn()
  process.kill(identity.pid, 'SIGKILL')
  const state = (): string => fs.readFileSync(`/proc/${identity.pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? ''
  while (state() !== 'Z') await turn()
  assert.ok(!table.isAlive(identity))
})
