/** The commands, in the order of the help. */

import type { Command } from './command.ts'
import { compact } from './commands/compact.ts'
import { deleteKeys } from './commands/delete.ts'
import { demo } from './commands/demo.ts'
import { demoCheck } from './commands/demo-check.ts'
import { dump } from './commands/dump.ts'
import { exportEntries } from './commands/export.ts'
import { get } from './commands/get.ts'
import { importEntries } from './commands/import.ts'
import { put } from './commands/put.ts'
import { repair } from './commands/repair.ts'
import { scan } from './commands/scan.ts'
import { serve } from './commands/serve.ts'
import { stats } from './commands/stats.ts'
import { tree } from './commands/tree.ts'
import { verify } from './commands/verify.ts'
import { work } from './commands/work.ts'

export const COMMANDS: readonly Command[] = Object.freeze([
  demo,
  get,
  put,
  deleteKeys,
  scan,
  importEntries,
  exportEntries,
  stats,
  tree,
  verify,
  repair,
  compact,
  dump,
  serve,
  work,
  demoCheck,
])

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
