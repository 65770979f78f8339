/** What goes wrong in a simulated cluster, one thing after the other and several at a time; and how all of it ends. */

import type { SimulatedProcess } from '../../src/testing/simulated-scheduler.ts'
import type { Machine, World } from './machine.ts'

export interface Cluster {
  /** Any of them may die. */
  readonly services: readonly Machine[]
  /** Any of them may sleep. */
  readonly hosts: readonly Machine[]
  /** Of the services: those whose disks may fail, and that may lose their power. */
  readonly disks: readonly Machine[]
  readonly mayLosePower: (machine: Machine) => boolean
}

export class Nemesis {
  readonly #world: World
  readonly #cluster: Cluster
  readonly #process: SimulatedProcess
  readonly #counts: Record<string, number> = {}
  /** Nothing is begun; what has begun ends in its time. */
  #resting = true

  constructor(world: World, cluster: Cluster) {
    this.#world = world
    this.#cluster = cluster
    this.#process = world.scheduler.process()
    void this.#rage()
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  begin(): void {
    this.#resting = false
  }

  /** Everybody is up and awake, reaches everybody, and disks and network work. */
  end(): void {
    this.#resting = true
    const { network } = this.#world
    network.faults = {}
    network.heal()
    for (const machine of [...this.#cluster.services, ...this.#cluster.hosts]) {
      machine.faults.end()
      machine.boot()
      if (machine.stopped) machine.life.process.resume()
    }
  }

  /** `machine` is awake no more, for a while or until the end. */
  stop(machine: Machine, forMs: number): void {
    if (!machine.alive || machine.stopped) return
    this.#count('stop')
    const { process } = machine.life
    process.stop()
    void this.#process.sleep(forMs, 'resume').then(() => process.resume())
  }

  part(one: Machine, other: Machine, ways: 1 | 2): void {
    this.#count(ways === 1 ? 'part one way' : 'part')
    const { network } = this.#world
    network.part(one.name, other.name)
    if (ways === 2) network.part(other.name, one.name)
    // Of all that are parted: a switch that comes back.
    void this.#process.sleep(this.#duration(), 'heal').then(() => network.heal())
  }

  async #rage(): Promise<void> {
    const { random } = this.#world
    for (;;) {
      await this.#process.sleep(1 + random.below(random.once(3) ? 2000 : 60), 'nemesis')
      if (!this.#resting) this.#act()
    }
  }

  #act(): void {
    const { random, network } = this.#world
    const { services, hosts, disks, mayLosePower } = this.#cluster
    const any = <T>(of: readonly T[]): T => of[random.below(of.length)] as T
    switch (random.below(8)) {
      case 0:
      case 1: {
        const machine = any(services)
        if (!machine.alive) return
        const how = mayLosePower(machine) && random.once(2) ? 'powerCut' : 'kill'
        this.#count(`${how} ${machine.name}`)
        machine.end(how)
        void this.#process.sleep(this.#duration(), 'boot').then(() => machine.boot())
        return
      }
      case 2:
        this.stop(any([...services, ...hosts]), this.#duration())
        return
      case 3:
      case 4:
        this.part(any([...hosts, ...services]), any(services), random.once(2) ? 1 : 2)
        return
      case 5:
      case 6: {
        const once = (): number => 30 + random.below(200)
        network.faults = { dropsOnceIn: once(), repeatsOnceIn: once(), damagesOnceIn: once(), cutsOnceIn: once() }
        void this.#process.sleep(this.#duration(), 'calm').then(() => (network.faults = {}))
        return
      }
      default: {
        const { faults } = any(disks)
        faults.oneIn = 20 + random.below(200)
        void this.#process.sleep(this.#duration(), 'calm').then(() => faults.end())
      }
    }
  }

  /** Mostly shorter than anybody's patience, in milliseconds. */
  #duration(): number {
    const { random } = this.#world
    return 1 + random.below([10, 100, 2000, 40_000][random.below(4)] as number)
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1
  }
}
