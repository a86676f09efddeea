/** Did-you-mean: names near a wrong one (specification: configuration 8.2). */

const proposalsMax = 3;
const distanceMax = 2;
/** Names shorter than this may differ in one place only. */
const shortName = 5;
/** Longer names are not compared: nobody mistypes them, and the comparison is quadratic. */
const nameCharactersMax = 64;

/** At most three of the candidates, nearest first. */
export function suggest(name: string, candidates: Iterable<string>): readonly string[] {
  const wanted = normalize(name);
  if (wanted === '' || wanted.length > nameCharactersMax) return [];
  const limit = wanted.length < shortName ? 1 : distanceMax;
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distance(wanted, normalize(candidate)) }))
    .filter(({ candidate, distance }) => distance <= limit && candidate !== name)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, proposalsMax)
    .map(({ candidate }) => candidate);
}

/** Keys that were renamed, or are called so by other programs. Of use only where the right one exists. */
export const renamedKeys: ReadonlyMap<string, string> = new Map([
  ['tls_settings', 'tls'],
  ['tls_config', 'tls'],
  ['ca_cert', 'ca_file'],
  ['cert', 'cert_file'],
  ['key', 'key_file'],
  ['loglevel', 'verbosity'],
  ['queued_retry', 'sending_queue'],
  ['queue_settings', 'sending_queue'],
  ['queue', 'sending_queue'],
  ['retry_settings', 'retry_on_failure'],
  ['retry', 'retry_on_failure'],
  ['pipeline', 'pipelines'],
]);

/** The same for component types. */
export const renamedTypes: ReadonlyMap<string, string> = new Map([
  ['tailsampling', 'tail_sampling'],
  ['probabilisticsampler', 'probabilistic_sampler'],
  ['memorylimiter', 'memory_limiter'],
  ['healthcheck', 'health_check'],
  ['xray', 'awsxray'],
  ['aws-xray', 'awsxray'],
  ['aws_xray', 'awsxray'],
]);

function normalize(name: string): string {
  return name.toLowerCase().replaceAll(/[_/-]/g, '');
}

/** Damerau–Levenshtein: insertions, deletions, replacements and swaps of neighbours. */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > distanceMax) return distanceMax + 1;
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
