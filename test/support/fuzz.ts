/**
 * Cases of the properties that hold the conversion together: RAYBRIDGE_FUZZ_RUNS, 3000 unless told,
 * which take about 40 seconds of one core; 10,000 take two minutes. The variations of a property on
 * the same ground take a twentieth of them.
 */
export const fuzzRuns = readRuns(process.env['RAYBRIDGE_FUZZ_RUNS'] ?? '3000');
export const variationRuns = Math.ceil(fuzzRuns / 20);

function readRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`RAYBRIDGE_FUZZ_RUNS: expected a count, got "${text}"`);
  return runs;
}
