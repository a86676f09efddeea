/** Response times are counted in buckets of equal width on a logarithmic scale. */
const bucketsPerDecade = 64;
/** What is shorter counts with it; seconds. */
const secondsMin = 0.0001;
/** Far more than two ways to compute a logarithm differ by, far less than a bucket. */
const roundingSlack = 1e-6;

/** The same in SQL, over `seconds`. */
export const responseTimeBucketSql = `toInt32(floor(log10(greatest(seconds, ${secondsMin})) * ${bucketsPerDecade} + ${roundingSlack}))`;

export function responseTimeBucket(seconds: number): number {
  return Math.floor(Math.log10(Math.max(seconds, secondsMin)) * bucketsPerDecade + roundingSlack);
}

/** Where a bucket begins, in seconds; `bucket + 0.5` is its middle. */
export function secondsOfBucket(bucket: number): number {
  return 10 ** (bucket / bucketsPerDecade);
}
