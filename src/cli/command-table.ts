/** The commands, in the order of the help. */

import type { Command } from './command.ts'
import { demo } from './commands/demo.ts'
import { demoCheck } from './commands/demo-check.ts'
import { stats } from './commands/stats.ts'
import { tree } from './commands/tree.ts'
import { verify } from './commands/verify.ts'

export const COMMANDS: readonly Command[] = Object.freeze([demo, stats, tree, verify, demoCheck])

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
