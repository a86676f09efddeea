import * as fc from 'fast-check';

/**
 * How often a property runs, and from which seed: `npm run fuzz` says so in the environment. In
 * `npm test` it runs as often as it says itself, from another seed each time; a failure names it.
 * A variation of a property on the same ground takes a share of the runs.
 */
export function fuzzing<Case>(
  runsInTests: number,
  { share = 1 }: { readonly share?: number } = {},
): fc.Parameters<Case> & { readonly numRuns: number } {
  const { RAYBRIDGE_FUZZ_RUNS: runs, RAYBRIDGE_FUZZ_SEED: seed, RAYBRIDGE_FUZZ_SECONDS: seconds } = process.env;
  if (runs === undefined) return { numRuns: Math.ceil(runsInTests * share) };
  return {
    numRuns: Math.ceil(Number(runs) * share),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
    reporter: report,
  };
}

/** Says how far it came: time may have ended it before the last run. */
function report<Case>(details: fc.RunDetails<Case>): void {
  console.log(
    `${details.numRuns} runs from seed ${details.seed}${details.interrupted ? ', then the time was over' : ''}`,
  );
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
}

/**
 * Whether a case of a fuzz test of the codec goes through the conversion as well, which takes twenty
 * times as long: one in so many.
 */
export function isConverted(bytes: Uint8Array): boolean {
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return sum % convertedShare === 0;
}

const convertedShare = 20;
