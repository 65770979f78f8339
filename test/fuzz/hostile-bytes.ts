/** Bytes made to cost whoever reads them: every parser gets each, in place of every piece. */

const KIB = 1024

/** 72 KiB that msgpackr 1 allocates without end for (issue 200): arrays of 65,535 in each other. */
function nestedArrays(): Uint8Array {
  return repeated([0xdc, 0xff, 0xff], 24 * KIB)
}

function repeated(unit: readonly number[], times: number): Uint8Array {
  return Uint8Array.from({ length: unit.length * times }, (_, index) => unit[index % unit.length] as number)
}

export const HOSTILE: readonly { readonly name: string; readonly bytes: Uint8Array }[] = Object.freeze([
  { name: 'nothing', bytes: new Uint8Array(0) },
  { name: 'msgpackr #200: arrays in arrays', bytes: nestedArrays() },
  { name: 'msgpackr #199: one array of 2^32 − 1', bytes: Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff) },
  { name: 'zeros', bytes: new Uint8Array(64 * KIB) },
  { name: 'ones', bytes: repeated([0xff], 64 * KIB) },
  { name: 'varints of 2^53 − 1', bytes: repeated([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 8 * KIB) },
  { name: 'a count that just fits', bytes: Uint8Array.from([0xfa, 0xff, 0x03, ...repeated([1], 64 * KIB)]) },
  { name: 'lists in lists, as JSON', bytes: repeated([0x5b], 64 * KIB) },
])
