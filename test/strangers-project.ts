/** A project of somebody else's: the package as it is packed, installed with what else is named, and nothing of this clone. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { ROOT } from '../tools/repository.ts'

export interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

export class StrangersProject {
  /** For whatever else is needed; removed with the project. */
  readonly scratch = mkdtempSync(join(tmpdir(), 'varve-packed-'))
  readonly path = join(this.scratch, 'project')
  readonly packed: Packed

  /** @param packages what is installed beside it, as `npm install` takes it */
  constructor(...packages: readonly string[]) {
    const output = this.#npm(ROOT, 'pack', '--json', '--pack-destination', this.scratch)
    // A script of the package may print before npm does.
    this.packed = (JSON.parse(output.slice(output.indexOf('[\n'))) as Packed[])[0] as Packed
    mkdirSync(this.path)
    writeFileSync(join(this.path, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
    const tarball = join(this.scratch, this.packed.filename)
    this.#npm(this.path, 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...packages)
  }

  node(...parameters: readonly string[]): { readonly status: number | null; readonly stderr: string } {
    return spawnSync(execPath, parameters, { cwd: this.path, encoding: 'utf8' })
  }

  /**
   * Compiles `files` of `folder`, strictly, and says what is wrong; '': nothing.
   *
   * @param options of the compiler, over those that every strict project has
   */
  compile(folder: string, files: readonly string[], options: Readonly<Record<string, unknown>>): string {
    const compilerOptions = {
      strict: true,
      target: 'es2023',
      module: 'nodenext',
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      ...options,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { status, stdout, stderr } = spawnSync(execPath, [compiler, '-p', folder], { encoding: 'utf8' })
    return status === 0 ? '' : stdout + stderr
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true })
  }

  #npm(directory: string, ...parameters: readonly string[]): string {
    return execFileSync('npm', parameters, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
}
